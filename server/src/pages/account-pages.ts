import { html } from 'ghtml'
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from '../identity/password.ts'
import { browserName } from './browser-name.ts'
import { form, hidden, input, submit, summary, whose } from './fields.ts'
import { filled } from './form.ts'
import { saying } from './notices.ts'
import type { AnswerOf, Page, PageContext, Status, View } from './page.ts'
import { NO_PROBLEMS, orAgain, type Problems } from './problems.ts'
import { facts, instant, plain, textFact } from './shown.ts'
import { tradingAccounts } from './trading-account-pages.ts'

/** Recovery codes that are left when it is time for new ones. */
const FEW_CODES = 3

const LABELS = { current_password: 'Current password', new_password: 'New password' }

const account: Page = {
  path: '/account',
  for: 'members',
  async get(context) {
    const { data: found } = await context.ask('auth/sessions')
    const sessions = found.toSorted(
      (one, other) => Number(other.current) - Number(one.current) || other.last_seen_at - one.last_seen_at,
    )
    const { data: accounts } = await context.ask('accounts')
    return accountView(context, sessions, accounts)
  },
}

type Sessions = AnswerOf<'auth/sessions'>['data']
type Accounts = AnswerOf<'accounts'>['data']

function accountView(context: PageContext, sessions: Sessions, accounts: Accounts): View {
  const { status, csrfField } = context
  const others = sessions.filter(({ current }) => !current).length
  const endOthers =
    others === 0
      ? ''
      : form(
          '/account/sessions/revoke-others',
          csrfField(),
          '<button class="quiet" type="submit">Sign out all others</button>',
        )
  return {
    title: 'Account',
    data: { ...status, sessions, accounts },
    body: html`<h1>Account</h1>
<section class="card" aria-labelledby="profile">
<h2 id="profile">Profile</h2>
!${facts([
      textFact('Name', status.user?.name ?? ''),
      ['Role', plain(status.user?.role ?? '')],
      textFact('E-mail address', status.user?.email ?? ''),
    ])}
</section>
<section class="card" aria-labelledby="signing-in">
<h2 id="signing-in">Signing in</h2>
<ul class="rows">
<li><div><h3>Password</h3><p>Changing it signs every other browser out.</p></div><a class="button quiet" href="/account/password">Change password</a></li>
!${secondFactor(status)}
</ul>
</section>
<section class="card" aria-labelledby="sessions">
<div class="heading"><h2 id="sessions">Signed-in browsers</h2>!${endOthers}</div>
<ul class="rows">!${sessions.map((session) => sessionRow(session, csrfField)).join('\n')}</ul>
</section>
!${tradingAccounts(status, accounts)}`,
  }
}

function secondFactor({ totp_enabled: isOn, recovery_codes_left: left }: Status): string {
  if (!isOn) {
    return html`<li><div><h3>Two-step sign-in <span class="tag">Off</span></h3><p>Besides the password, a code from an authenticator app.</p></div><a class="button" href="/account/totp">Set up</a></li>`
  }
  return html`<li><div><h3>Two-step sign-in <span class="state state-pass">On</span></h3><p>Besides the password, a code from your authenticator app.</p></div><a class="button quiet" href="/account/totp">Turn off</a></li>
<li><div><h3>Recovery codes !${left > FEW_CODES ? '' : '<span class="state state-warn">Few left</span>'}</h3><p>${left} of them left, for when the authenticator is lost.</p></div><a class="button quiet" href="/account/recovery-codes">New codes</a></li>`
}

function sessionRow(session: Sessions[number], csrfField: () => string): string {
  const { id, device, address, current } = session
  const browser = browserName(device)
  const end = current
    ? '<span class="tag">This browser</span>'
    : form(
        '/account/sessions/revoke',
        csrfField(),
        `${hidden('id', id)}${html`<button class="quiet" type="submit" aria-label="Sign out ${browser} at ${address}">Sign out</button>`}`,
      )
  return html`<li><div><h3>${browser}</h3>
!${facts([
    textFact('IP address', address),
    ['Signed in', instant(session.created_at)],
    ['Last seen', instant(session.last_seen_at)],
  ])}</div>!${end}</li>`
}

const password: Page = {
  path: '/account/password',
  for: 'members',
  get: (context) => passwordView(context),
  post(context) {
    const { form: sent, ask } = context
    return orAgain(
      context,
      Object.keys(LABELS),
      async () => {
        const given = {
          current_password: sent.secret('current_password'),
          new_password: sent.secret('new_password'),
        }
        await ask('auth/password', filled(given))
        return { redirect: saying('/account', 'password-changed') }
      },
      (problems) => passwordView(context, problems),
    )
  },
}

function passwordView({ status, csrfField }: PageContext, problems: Problems = NO_PROBLEMS): View {
  const body = [
    whose(status),
    input(
      {
        name: 'current_password',
        label: LABELS.current_password,
        type: 'password',
        autocomplete: 'current-password',
        lengthMax: PASSWORD_LENGTH_MAX,
        isFirst: true,
      },
      problems,
    ),
    input(
      {
        name: 'new_password',
        label: LABELS.new_password,
        hint: `At least ${PASSWORD_LENGTH_MIN} characters. Every other browser is signed out.`,
        type: 'password',
        autocomplete: 'new-password',
        lengthMax: PASSWORD_LENGTH_MAX,
      },
      problems,
    ),
    `<p class="actions">${submit('Change password')}<a class="button quiet" href="/account">Cancel</a></p>`,
  ]
  return {
    title: 'Change password',
    narrow: true,
    body: html`<section class="card">
<h1>Change password</h1>
!${summary(problems, LABELS)}!${form('/account/password', csrfField(), body.join('\n'))}
</section>`,
  }
}

const endSession: Page = {
  path: '/account/sessions/revoke',
  for: 'members',
  formAt: '/account',
  async post({ form: sent, ask }) {
    await ask('auth/sessions/revoke', { id: sent.text('id') })
    return { redirect: saying('/account', 'session-ended') }
  },
}

const endOtherSessions: Page = {
  path: '/account/sessions/revoke-others',
  for: 'members',
  formAt: '/account',
  async post({ ask }) {
    await ask('auth/sessions/revoke-others')
    return { redirect: saying('/account', 'others-ended') }
  },
}

/** Where password managers lead to: https://w3c.github.io/webappsec-change-password-url/ */
const wellKnownPassword: Page = {
  path: '/.well-known/change-password',
  for: 'everybody',
  get: () => ({ redirect: password.path }),
}

export const accountPages: readonly Page[] = [account, password, wellKnownPassword, endSession, endOtherSessions]
