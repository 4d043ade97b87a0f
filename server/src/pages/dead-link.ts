import { html } from 'ghtml'
import { STATUS_OF } from '../api/errors.ts'
import { Refusal } from '../kernel/errors.ts'
import type { PageContext, View } from './page.ts'

/** The form that a link leads to; `deadLink` instead, before anything is filled in, when `check` refuses the link. */
export async function ifLinkWorks(
  { visit, wantsJson }: PageContext,
  check: () => Promise<unknown>,
  form: () => View,
  advice: string,
): Promise<View> {
  try {
    await check()
  } catch (error) {
    if (wantsJson || !(error instanceof Refusal) || error.code !== 'link_invalid') throw error
    visit.errorCode = error.code
    return deadLink(visit.id, advice)
  }
  return form()
}

/** That a link doesn't work. `advice`, HTML, says why that may be and how to get another. */
export const deadLink = (requestId: string, advice: string): View => ({
  title: 'This link doesn’t work',
  narrow: true,
  status: STATUS_OF.link_invalid,
  body: html`<section class="card">
<h1>This link doesn’t work</h1>
!${advice}
<p class="request-id">Request id <code>${requestId}</code></p>
</section>`,
})
