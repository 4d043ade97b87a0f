import { html } from 'ghtml'
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from '../identity/password.ts'
import { EMAIL_LENGTH_MAX } from '../identity/users.ts'
import { ifLinkWorks } from './dead-link.ts'
import { form, hidden, input, submit, summary } from './fields.ts'
import { filled } from './form.ts'
import { saying } from './notices.ts'
import type { Page, PageContext, View } from './page.ts'
import { NO_PROBLEMS, orAgain, type Problems } from './problems.ts'

const LABELS = { name: 'Name', email: 'E-mail address', password: 'Password' }

/** Creates the first user, for whoever has the link that the start printed. */
export const setUpPage: Page = {
  path: '/setup',
  for: 'everybody',
  isSetUp: true,
  get: (context) => {
    const token = context.query.get('token') ?? ''
    return token === '' ? waitingView() : linkView(context, token)
  },
  post(context) {
    const { form: sent, ask } = context
    const token = sent.secret('token')
    return orAgain(
      context,
      Object.keys(LABELS),
      async () => {
        const wanted = { token, name: sent.text('name'), email: sent.text('email'), password: sent.secret('password') }
        await ask('auth/setup', filled(wanted))
        return { redirect: saying('/', 'set-up') }
      },
      (problems) => formView(context, token, problems),
    )
  },
}

const linkView = (context: PageContext, token: string): Promise<View> =>
  ifLinkWorks(
    context,
    () => context.ask('auth/setup/check', { token }),
    () => formView(context, token),
    '<p>It isn’t complete, is more than 30 minutes old, or a later one took its place.</p>\n' +
      '<p>For a new link, start Sauda again: it prints one, which only whoever can read that output can use.</p>',
  )

const waitingView = (): View => ({
  title: 'Set up Sauda',
  narrow: true,
  data: { set_up: false },
  body: html`<section class="card">
<h1>Open the printed link</h1>
<p>Sauda isn’t set up yet. When it started, it printed a link to this page that sets it up; only whoever can read that output can use it.</p>
<p>The link is valid for 30 minutes. For a new one, start Sauda again.</p>
<p class="aside">Programs needn’t wait: the API answers already, with the key that was printed beside the link. <a href="/api/v1/">API documentation</a></p>
</section>`,
})

function formView({ form: sent, csrfField }: PageContext, token: string, problems: Problems = NO_PROBLEMS): View {
  const body = [
    hidden('token', token),
    input(
      {
        name: 'name',
        label: LABELS.name,
        hint: '3 to 32 letters, digits, dots, hyphens or underscores, a letter first.',
        value: sent.text('name'),
        autocomplete: 'username',
        lengthMax: 32,
        isFirst: true,
      },
      problems,
    ),
    input(
      {
        name: 'email',
        label: LABELS.email,
        type: 'email',
        value: sent.text('email'),
        autocomplete: 'email',
        lengthMax: EMAIL_LENGTH_MAX,
      },
      problems,
    ),
    input(
      {
        name: 'password',
        label: LABELS.password,
        hint: `At least ${PASSWORD_LENGTH_MIN} characters. Four random words make a good one.`,
        type: 'password',
        autocomplete: 'new-password',
        lengthMax: PASSWORD_LENGTH_MAX,
      },
      problems,
    ),
    submit('Set up Sauda'),
  ]
  return {
    title: 'Set up Sauda',
    narrow: true,
    data: { set_up: false },
    body: html`<section class="card">
<h1>Set up Sauda</h1>
<p>You are the first user, and the admin of this instance.</p>
!${summary(problems, LABELS)}!${form('/setup', csrfField(), body.join('\n'))}
</section>`,
  }
}
