import { html } from 'ghtml'
import { PASSWORD_LENGTH_MAX } from '../identity/password.ts'
import { form, input, submit, summary } from './fields.ts'
import { filled } from './form.ts'
import { saying } from './notices.ts'
import type { AnswerOf, Page, PageContext, View } from './page.ts'
import { NO_PROBLEMS, orAgain, type Problems } from './problems.ts'
import { copyable } from './shown.ts'

const CODES_AT = '/account/recovery-codes'
const LABELS = { password: 'Password', code: 'Code' }

const passwordInput = (problems: Problems): string =>
  input(
    {
      name: 'password',
      label: LABELS.password,
      type: 'password',
      autocomplete: 'current-password',
      lengthMax: PASSWORD_LENGTH_MAX,
      isFirst: true,
    },
    problems,
  )

const codeInput = (problems: Problems, hint: string, isFirst = false): string =>
  input(
    {
      name: 'code',
      label: LABELS.code,
      hint,
      autocomplete: 'one-time-code',
      lengthMax: 32,
      isCode: true,
      isFirst,
    },
    problems,
  )

const buttons = (label: string, kind: 'main' | 'danger' = 'main'): string =>
  `<p class="actions">${submit(label, kind)}<a class="button quiet" href="/account">Cancel</a></p>`

/** Sets the second factor up, or removes it. */
const totp: Page = {
  path: '/account/totp',
  for: 'members',
  get: (context) => context.takeOnce() ?? (context.status.totp_enabled ? removeView(context) : beginView(context)),
  post(context) {
    const { form: sent, ask, status } = context
    const password = sent.secret('password')
    if (status.totp_enabled) {
      return orAgain(
        context,
        ['password', 'code'],
        async () => {
          await ask('auth/totp/disable', filled({ password, code: sent.text('code') }))
          return { redirect: saying('/account', 'totp-off') }
        },
        (problems) => removeView(context, problems),
      )
    }
    return orAgain(
      context,
      ['password'],
      async () => {
        const { data } = await ask('auth/totp/enrol', filled({ password }))
        return context.showOnce('/account/totp', scanView(context, data))
      },
      (problems) => beginView(context, problems),
    )
  },
}

function beginView({ csrfField }: PageContext, problems: Problems = NO_PROBLEMS): View {
  return {
    title: 'Set up two-step sign-in',
    narrow: true,
    body: html`<section class="card">
<h1>Set up two-step sign-in</h1>
<p>You will need an authenticator app, such as Aegis, Google Authenticator or 1Password. First, your password again.</p>
!${summary(problems, LABELS)}!${form('/account/totp', csrfField(), `${passwordInput(problems)}\n${buttons('Go on')}`)}
</section>`,
  }
}

function removeView({ csrfField }: PageContext, problems: Problems = NO_PROBLEMS): View {
  const body = [
    passwordInput(problems),
    codeInput(problems, 'Six digits from your authenticator, or one of your recovery codes.'),
    buttons('Turn off', 'danger'),
  ]
  return {
    title: 'Turn off two-step sign-in',
    narrow: true,
    body: html`<section class="card">
<h1>Turn off two-step sign-in</h1>
<p>From then on your password alone signs you in. The recovery codes are deleted.</p>
!${summary(problems, LABELS)}!${form('/account/totp', csrfField(), body.join('\n'))}
</section>`,
  }
}

function scanView({ csrfField }: PageContext, enrolment: AnswerOf<'auth/totp/enrol'>['data']): View {
  const picture = `data:image/svg+xml;base64,${Buffer.from(enrolment.qr_svg).toString('base64')}`
  const body = [codeInput(NO_PROBLEMS, 'The six digits that the app shows now.', true), buttons('Turn on')]
  return {
    title: 'Set up two-step sign-in',
    narrow: true,
    data: enrolment,
    body: html`<section class="card">
<h1>Scan this code</h1>
<p>With your authenticator app. Then type the digits that it shows.</p>
<p class="qr"><img src="${picture}" width="220" height="220" alt="QR code with the secret below, for an authenticator app"></p>
<details><summary>Can’t scan it?</summary>
<p>Type this secret into the app instead:</p>
!${copyable('the secret', enrolment.secret)}
</details>
!${form('/account/totp/confirm', csrfField(), body.join('\n'))}
</section>`,
  }
}

const confirm: Page = {
  path: '/account/totp/confirm',
  for: 'members',
  formAt: '/account/totp',
  post(context) {
    const { form: sent, ask } = context
    return orAgain(
      context,
      ['code'],
      async () => {
        const { data } = await ask('auth/totp/confirm', filled({ code: sent.text('code') }))
        return context.showOnce(CODES_AT, codesView(data, 'totp-on'))
      },
      (problems) => codeAgainView(context, problems),
    )
  },
}

/** The picture isn't shown again: we don't have it any more, and the app does by now. */
function codeAgainView({ csrfField }: PageContext, problems: Problems): View {
  const body = [codeInput(problems, 'The six digits that the app shows now.', true), buttons('Turn on')]
  return {
    title: 'Set up two-step sign-in',
    narrow: true,
    body: html`<section class="card">
<h1>Type the code</h1>
!${summary(problems, LABELS)}!${form('/account/totp/confirm', csrfField(), body.join('\n'))}
<p class="aside">The app doesn’t have Sauda yet? <a href="/account/totp">Begin again with a new QR code</a></p>
</section>`,
  }
}

const recoveryCodes: Page = {
  path: CODES_AT,
  for: 'members',
  get: (context) =>
    context.takeOnce() ?? (context.status.totp_enabled ? renewView(context) : { redirect: '/account/totp' }),
  post(context) {
    const { form: sent, ask } = context
    return orAgain(
      context,
      ['password'],
      async () => {
        const { data } = await ask('auth/recovery-codes', filled({ password: sent.secret('password') }))
        return context.showOnce(CODES_AT, codesView(data))
      },
      (problems) => renewView(context, problems),
    )
  },
}

function renewView({ csrfField, status }: PageContext, problems: Problems = NO_PROBLEMS): View {
  return {
    title: 'New recovery codes',
    narrow: true,
    body: html`<section class="card">
<h1>New recovery codes</h1>
<p>Ten new ones take the place of the ${status.recovery_codes_left} that are left.</p>
!${summary(problems, LABELS)}!${form(CODES_AT, csrfField(), `${passwordInput(problems)}\n${buttons('Make new codes')}`)}
</section>`,
  }
}

function codesView({ recovery_codes: codes }: { readonly recovery_codes: readonly string[] }, done?: 'totp-on'): View {
  return {
    title: 'Recovery codes',
    narrow: true,
    data: { recovery_codes: codes },
    body: html`<section class="card">
<h1>Your recovery codes</h1>
!${done === undefined ? '' : '<p class="notice" role="status">Two-step sign-in is on.</p>'}
<p><strong>They are shown this once.</strong> Keep them where your authenticator isn’t: on paper, or in a password manager. Each signs you in once when the authenticator is lost.</p>
!${copyable('the recovery codes', codes.join('\n'))}
<p class="actions"><a class="button" href="/account">I have kept them</a></p>
</section>`,
  }
}

export const totpPages: readonly Page[] = [totp, confirm, recoveryCodes]
