import { html } from 'ghtml'
import { PASSWORD_LENGTH_MAX } from '../identity/password.ts'
import { dateAt } from '../kernel/exchange-time.ts'
import { form, input, submit, summary, whose } from './fields.ts'
import { filled } from './form.ts'
import { saying } from './notices.ts'
import type { AnswerOf, Page, PageContext, Status, View } from './page.ts'
import { NO_PROBLEMS, orAgain, type Problems } from './problems.ts'
import { copyable, instant } from './shown.ts'

const CODES_AT = '/account/recovery-codes'
const LABELS = { password: 'Password', code: 'Code' }

function passwordInput(status: Status, problems: Problems): string {
  const field = input(
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
  return `${whose(status)}\n${field}`
}

const CODE = { name: 'code', label: LABELS.code, autocomplete: 'one-time-code', lengthMax: 32, isCode: true }

/** Of the authenticator alone, which is being set up: digits, on a phone's keys for them. */
const digitsInput = (problems: Problems): string =>
  input({ ...CODE, hint: 'The six digits that the app shows now.', inputMode: 'numeric', isFirst: true }, problems)

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

function beginView({ csrfField, status }: PageContext, problems: Problems = NO_PROBLEMS): View {
  return {
    title: 'Set up two-step sign-in',
    narrow: true,
    body: html`<section class="card">
<h1>Set up two-step sign-in</h1>
<p>You will need an authenticator app, such as Aegis, Google Authenticator or 1Password. First, your password again.</p>
!${summary(problems, LABELS)}!${form('/account/totp', csrfField(), `${passwordInput(status, problems)}\n${buttons('Continue')}`)}
</section>`,
  }
}

function removeView({ csrfField, status }: PageContext, problems: Problems = NO_PROBLEMS): View {
  const body = [
    passwordInput(status, problems),
    input({ ...CODE, hint: 'Six digits from your authenticator, or one of your recovery codes.' }, problems),
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
  const body = [digitsInput(NO_PROBLEMS), buttons('Turn on')]
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
        return context.showOnce(CODES_AT, codesView(context, data, 'totp-on'))
      },
      (problems) => codeAgainView(context, problems),
    )
  },
}

/** The picture isn't shown again: we don't have it any more, and the app does by now. */
function codeAgainView({ csrfField }: PageContext, problems: Problems): View {
  const body = [digitsInput(problems), buttons('Turn on')]
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
        return context.showOnce(CODES_AT, codesView(context, data))
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
!${summary(problems, LABELS)}!${form(CODES_AT, csrfField(), `${passwordInput(status, problems)}\n${buttons('Make new codes')}`)}
</section>`,
  }
}

function codesView(
  { origin, status, visit }: PageContext,
  { recovery_codes: codes }: { readonly recovery_codes: readonly string[] },
  done?: 'totp-on',
): View {
  const name = status.user?.name ?? ''
  const file = [
    `Recovery codes of ${name} at ${origin}`,
    `Made ${dateAt(visit.at)}. Each works once.`,
    '',
    ...codes,
    '',
  ]
  const href = `data:text/plain;charset=utf-8,${encodeURIComponent(file.join('\n'))}`
  return {
    title: 'Recovery codes',
    narrow: true,
    data: { recovery_codes: codes },
    body: html`<section class="card">
<h1>Your recovery codes</h1>
!${done === undefined ? '' : '<p class="notice" role="status">Two-step sign-in is on.</p>'}
<p><strong>They are shown this once.</strong> Keep them where your authenticator isn’t: on paper, or in a password manager. Each signs you in once when the authenticator is lost.</p>
!${copyable('the recovery codes', codes.join('\n'))}
<p class="aside">For <strong>${name}</strong> at <code>${origin}</code>, made !${instant(visit.at)}. Earlier ones no longer work.</p>
<p class="actions"><a class="button quiet" href="${href}" download="sauda-recovery-codes.txt">Download</a><button class="quiet" type="button" data-print hidden>Print</button></p>
<p class="actions"><a class="button" href="/account">I have saved them</a></p>
</section>`,
  }
}

export const totpPages: readonly Page[] = [totp, confirm, recoveryCodes]
