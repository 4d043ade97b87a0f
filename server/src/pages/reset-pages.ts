import { html } from 'ghtml'
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from '../identity/password.ts'
import { EMAIL_LENGTH_MAX } from '../identity/users.ts'
import { deadLink, ifLinkWorks } from './dead-link.ts'
import { form, hidden, input, submit, summary } from './fields.ts'
import { filled } from './form.ts'
import { saying } from './notices.ts'
import type { Page, PageContext, View } from './page.ts'
import { NO_PROBLEMS, orAgain, type Problems } from './problems.ts'

const LABELS = { name: 'Name or e-mail address', code: 'Code', new_password: 'New password' }

const forgot: Page = {
  path: '/forgot',
  for: 'everybody',
  get: (context) => forgotView(context),
  post(context) {
    return orAgain(
      context,
      ['name'],
      async () => {
        await context.ask('auth/password/forgot', filled({ name: context.form.text('name') }))
        return { redirect: saying('/login', 'link-asked') }
      },
      (problems) => forgotView(context, problems),
    )
  },
}

function forgotView({ status, form: sent, csrfField }: PageContext, problems: Problems = NO_PROBLEMS): View {
  const name = input(
    {
      name: 'name',
      label: LABELS.name,
      value: sent.text('name'),
      autocomplete: 'username',
      lengthMax: EMAIL_LENGTH_MAX,
      isFirst: true,
    },
    problems,
  )
  const byMail = html`<p>We send a link to your e-mail address. It works once, for 15 minutes, in any browser.</p>
!${form('/forgot', csrfField(), `${name}\n${submit('Send the link')}`)}`
  const withoutMail =
    '<p>This instance sends no mail. With an authenticator or a recovery code you can set a new password yourself; otherwise the owner of the machine can, with <code>npm run user -- reset-password NAME</code>.</p>'
  return {
    title: 'Forgotten password',
    narrow: true,
    data: { mail_reset: status.mail_reset },
    body: html`<section class="card">
<h1>Forgotten password</h1>
!${summary(problems, LABELS)}!${status.mail_reset ? byMail : withoutMail}
<p class="aside"><a href="/reset">Use an authenticator or recovery code</a> · <a href="/login">Sign in</a></p>
</section>`,
  }
}

/** A new password, by a mailed link or, without one, by name and code. */
const reset: Page = {
  path: '/reset',
  for: 'everybody',
  get: (context) => {
    const token = context.query.get('token') ?? ''
    return token === '' ? resetView(context, token) : linkView(context, token)
  },
  post(context) {
    const { form: sent, ask } = context
    const token = sent.secret('token')
    const shown = token === '' ? ['name', 'code', 'new_password'] : ['new_password']
    return orAgain(
      context,
      shown,
      async () => {
        const proof = token === '' ? { name: sent.text('name'), code: sent.text('code') } : { token }
        await ask('auth/password/reset', filled({ ...proof, new_password: sent.secret('new_password') }))
        return { redirect: saying('/login', 'password-set') }
      },
      (problems) =>
        problems.code === 'link_invalid' ? deadLink(context.visit.id, ADVICE) : resetView(context, token, problems),
    )
  },
}

const ADVICE = `<p>It isn’t complete, was used, is more than 15 minutes old, or a later link or password took its place.</p>
<p class="actions"><a class="button" href="/forgot">Ask for a new link</a></p>
<p class="aside"><a href="/reset">Use an authenticator or recovery code</a> · <a href="/login">Sign in</a></p>`

const linkView = (context: PageContext, token: string): Promise<View> =>
  ifLinkWorks(
    context,
    () => context.ask('auth/password/reset/check', { token }),
    () => resetView(context, token),
    ADVICE,
  )

function resetView({ form: sent, csrfField }: PageContext, token: string, problems: Problems = NO_PROBLEMS): View {
  const who = [
    input(
      {
        name: 'name',
        label: LABELS.name,
        value: sent.text('name'),
        autocomplete: 'username',
        lengthMax: EMAIL_LENGTH_MAX,
        isFirst: true,
      },
      problems,
    ),
    input(
      {
        name: 'code',
        label: LABELS.code,
        hint: 'Six digits from your authenticator, or one of your recovery codes.',
        autocomplete: 'one-time-code',
        lengthMax: 32,
        isCode: true,
      },
      problems,
    ),
  ]
  const body = [
    ...(token === '' ? who : [hidden('token', token)]),
    input(
      {
        name: 'new_password',
        label: LABELS.new_password,
        hint: `At least ${PASSWORD_LENGTH_MIN} characters. Every browser that is signed in as you is signed out.`,
        type: 'password',
        autocomplete: 'new-password',
        lengthMax: PASSWORD_LENGTH_MAX,
        isFirst: token !== '',
      },
      problems,
    ),
    submit('Set the password'),
  ]
  return {
    title: 'New password',
    narrow: true,
    data: {},
    body: html`<section class="card">
<h1>New password</h1>
!${summary(problems, LABELS)}!${form('/reset', csrfField(), body.join('\n'))}
<p class="aside"><a href="/forgot">Ask for a link by mail</a> · <a href="/login">Sign in</a></p>
</section>`,
  }
}

export const resetPages: readonly Page[] = [forgot, reset]
