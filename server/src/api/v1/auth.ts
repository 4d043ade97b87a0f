import Type from 'typebox'
import type { BegunSession } from '../../identity/sessions.ts'
import { hasTotp, type User } from '../../identity/users.ts'
import { text } from '../field.ts'
import { type Context, defineOperation } from '../operation.ts'
import { clearSessionCookie, setSessionCookie } from '../session-cookie.ts'
import { code, done, email, name, newName, newPassword, password, token } from './auth-fields.ts'
import { actorOf, fromOf, success, textOrNull } from './caller.ts'

const userOut = Type.Object({
  email: Type.String(),
  id: Type.String(),
  name: Type.String(),
  role: Type.String(),
})
const shownUser = ({ id, name: shownName, email: shownEmail, role }: User) => ({
  id,
  name: shownName,
  email: shownEmail,
  role,
})
export const authstatus = defineOperation({
  name: 'auth/status',
  method: 'GET',
  tag: 'Sign-in',
  summary: 'Who is signed in',
  description: 'Whether the instance is set up, and who this browser is signed in as.',
  access: 'public',
  rateClass: 'read',
  input: {},
  output: Type.Object({
    data: Type.Object({
      account: Type.String(),
      authenticated: Type.Boolean(),
      mail_reset: Type.Boolean({ description: 'Whether a password can be reset by mail.' }),
      recovery_codes_left: Type.Integer(),
      set_up: Type.Boolean(),
      totp_enabled: Type.Boolean(),
      user: Type.Union([userOut, Type.Null()]),
    }),
    status: success,
  }),
  example: {},
  async handle(_input, { caller, account, services: { identity } }) {
    const user = caller.userId === undefined ? undefined : identity.users.find(caller.userId)
    const isEnabled = user !== undefined && hasTotp(user)
    return {
      data: {
        account,
        authenticated: user !== undefined,
        mail_reset: identity.canMail,
        recovery_codes_left: isEnabled ? await identity.recoveryCodesLeft(user.id) : 0,
        set_up: identity.isSetUp,
        totp_enabled: isEnabled,
        user: user === undefined ? null : shownUser(user),
      },
      status: 'success' as const,
    }
  },
})

export const authsetup = defineOperation({
  name: 'auth/setup',
  method: 'POST',
  tag: 'Sign-in',
  summary: 'Create the first user, an admin',
  description: 'Works once, with the token of the link that the first start prints. Signs this browser in.',
  access: 'public',
  rateClass: 'login',
  input: { token, name: newName, email, password: newPassword },
  output: Type.Object({ data: userOut, status: success }),
  example: {
    token: 'token-of-the-link',
    name: 'asha',
    email: 'asha@example.com',
    password: 'correct horse battery',
  },
  refusals: ['already_set_up', 'link_invalid', 'login_locked'],
  async handle(input, context) {
    const { identity } = context.services
    const { session, token: cookie, expiresAt } = await identity.setUp(input, fromOf(context))
    setSessionCookie(context, cookie, expiresAt)
    const user = identity.users.find(session.userId)
    if (user === undefined) throw new Error('the first user vanished')
    return { data: shownUser(user), status: 'success' as const }
  },
})

export const authsetupcheck = defineOperation({
  name: 'auth/setup/check',
  method: 'POST',
  tag: 'Sign-in',
  summary: 'Ask whether a set-up link works',
  description:
    'Uses nothing up, and nothing of `LOGIN_RATE_LIMIT`. A token that is wrong, used or too old has the same answer, however much of it is right, and is a failed login, as everywhere that a link is tried; after 15 of those, each makes the next wait longer.',
  access: 'public',
  rateClass: 'read',
  input: { token },
  output: done,
  example: { token: 'token-of-the-link' },
  refusals: ['already_set_up', 'link_invalid', 'login_locked'],
  async handle(input, context) {
    await context.services.identity.requireSetUpToken(input.token, fromOf(context))
    return { message: 'This link works', status: 'success' as const }
  },
})

/**
 * Sets the cookie of a session that has begun. The session whose cookie this takes the place of ends: whoever has a copy of
 * that one must not go on with it.
 */
async function replaceSession(context: Context, { token: cookie, expiresAt }: BegunSession): Promise<void> {
  const { caller, services } = context
  const replaced = services.identity.sessions.find(caller.sessionId ?? '')
  if (replaced !== undefined) await services.identity.logout(replaced, actorOf(context))
  setSessionCookie(context, cookie, expiresAt)
}

export const authlogin = defineOperation({
  name: 'auth/login',
  method: 'POST',
  tag: 'Sign-in',
  summary: 'Sign in',
  description:
    'Sets the cookie of a session, in place of one that this browser had, or, with a second factor, answers a `challenge` for auth/login/totp. A wrong password and an unknown name have the same answer. Failures make the next try wait longer and longer (`login_locked`); a user’s name and e-mail address count together, so that after failures by one, the right password by the other is a wrong one until the wait is over.',
  access: 'public',
  rateClass: 'login',
  input: { name, password },
  output: Type.Object({
    data: Type.Object({ challenge: textOrNull, totp_required: Type.Boolean() }),
    status: success,
  }),
  example: { name: 'asha', password: 'correct horse battery' },
  refusals: ['login_failed', 'login_locked'],
  async handle(input, context) {
    const result = await context.services.identity.login(input.name, input.password, fromOf(context))
    if (result.kind === 'totp') {
      return { data: { challenge: result.challenge, totp_required: true }, status: 'success' as const }
    }
    await replaceSession(context, result.begun)
    return { data: { challenge: null, totp_required: false }, status: 'success' as const }
  },
})

export const authlogintotp = defineOperation({
  name: 'auth/login/totp',
  method: 'POST',
  tag: 'Sign-in',
  summary: 'Sign in: the second factor',
  description: 'A challenge is valid for five minutes and five tries, also over a restart. A code works once.',
  access: 'public',
  rateClass: 'login',
  input: { challenge: text({ min: 1, max: 128, secret: true, description: 'From auth/login.' }), code },
  output: done,
  example: { challenge: 'challenge-of-auth-login', code: '123456' },
  refusals: ['login_failed', 'login_locked'],
  async handle(input, context) {
    const begun = await context.services.identity.loginWithCode(input.challenge, input.code, fromOf(context))
    await replaceSession(context, begun)
    return { message: 'Signed in', status: 'success' as const }
  },
})

export const authlogout = defineOperation({
  name: 'auth/logout',
  method: 'POST',
  tag: 'Sign-in',
  summary: 'Sign out',
  description: 'Ends the session of this browser; others go on.',
  access: 'session',
  rateClass: 'read',
  input: {},
  output: done,
  example: {},
  async handle(_input, context) {
    const { caller, services } = context
    const session = services.identity.sessions.find(caller.sessionId ?? '')
    if (session !== undefined) await services.identity.logout(session, actorOf(context))
    clearSessionCookie(context)
    return { message: 'Signed out', status: 'success' as const }
  },
})

export const authconfirm = defineOperation({
  name: 'auth/confirm',
  method: 'POST',
  tag: 'Sign-in',
  summary: 'Give the password again',
  description: 'Operations on keys and users ask for it when it was given more than 15 minutes ago.',
  access: 'session',
  rateClass: 'login',
  input: { password },
  output: done,
  example: { password: 'correct horse battery' },
  refusals: ['login_failed', 'login_locked'],
  async handle(input, context) {
    await context.services.identity.confirm(context.caller, input.password, fromOf(context))
    return { message: 'Confirmed', status: 'success' as const }
  },
})

export const authpassword = defineOperation({
  name: 'auth/password',
  method: 'POST',
  tag: 'Sign-in',
  summary: 'Change the password',
  description: 'Ends every session of the user; this browser gets a new one.',
  access: 'session',
  rateClass: 'login',
  input: { current_password: password, new_password: newPassword },
  output: done,
  example: { current_password: 'correct horse battery', new_password: 'staple of another kind' },
  refusals: ['login_failed', 'login_locked'],
  async handle(input, context) {
    const begun = await context.services.identity.changePassword(
      context.caller,
      input.current_password,
      input.new_password,
      fromOf(context),
    )
    setSessionCookie(context, begun.token, begun.expiresAt)
    return { message: 'Password changed; every other browser was signed out', status: 'success' as const }
  },
})

export const authpasswordforgot = defineOperation({
  name: 'auth/password/forgot',
  method: 'POST',
  tag: 'Sign-in',
  summary: 'Ask for a link to set a new password',
  description:
    'Sent by mail, when mail is set up and there is such a user; the answer is the same in any case. The link works once, for 15 minutes, in any browser.',
  access: 'public',
  rateClass: 'reset',
  input: { name },
  output: done,
  example: { name: 'asha' },
  handle(input, context) {
    context.services.identity.forgot(input.name, fromOf(context))
    return { message: 'If there is such a user and mail is set up, a link is on its way', status: 'success' as const }
  },
})

export const authpasswordreset = defineOperation({
  name: 'auth/password/reset',
  method: 'POST',
  tag: 'Sign-in',
  summary: 'Set a new password',
  description:
    'With the `token` of a mailed link, or with a `name` and a `code` of the authenticator or a recovery code. Ends every session of the user. Counts in `RESET_RATE_LIMIT`, whatever becomes of it; a wrong token or code is a failed login besides.',
  access: 'public',
  rateClass: 'reset',
  input: { token: token.optional(''), name: name.optional(''), code: code.optional(''), new_password: newPassword },
  check(input) {
    if (input.token !== '' || (input.name !== '' && input.code !== '')) return []
    return [{ field: input.name === '' ? 'name' : 'code', message: 'Send token, or name and code.' }]
  },
  output: done,
  example: { token: 'token-of-the-link', new_password: 'staple of another kind' },
  refusals: ['link_invalid', 'login_failed', 'login_locked'],
  async handle(input, context) {
    const { identity } = context.services
    if (input.token !== '') await identity.resetByLink(input.token, input.new_password, fromOf(context))
    else await identity.resetByCode(input.name, input.code, input.new_password, fromOf(context))
    return { message: 'Password set; sign in with it', status: 'success' as const }
  },
})

export const authpasswordresetcheck = defineOperation({
  name: 'auth/password/reset/check',
  method: 'POST',
  tag: 'Sign-in',
  summary: 'Ask whether a link for a new password works',
  description:
    'Uses nothing up, and nothing of `RESET_RATE_LIMIT`. A token that is wrong, used or too old has the same answer, however much of it is right, and is a failed login, as everywhere that a link is tried; after 15 of those, each makes the next wait longer.',
  access: 'public',
  rateClass: 'read',
  input: { token },
  output: done,
  example: { token: 'token-of-the-link' },
  refusals: ['link_invalid', 'login_locked'],
  async handle(input, context) {
    await context.services.identity.requireResetLink(input.token, fromOf(context))
    return { message: 'This link works', status: 'success' as const }
  },
})
