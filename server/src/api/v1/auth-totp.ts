import Type from 'typebox'
import { defineOperation } from '../operation.ts'
import { code, done, password } from './auth-fields.ts'
import { fromOf, success } from './caller.ts'

export const authtotpenrol = defineOperation({
  name: 'auth/totp/enrol',
  method: 'POST',
  tag: 'Sign-in',
  summary: 'Begin a second factor',
  description: 'Answers the secret for an authenticator program. It counts once auth/totp/confirm has proved a code.',
  access: 'session',
  rateClass: 'login',
  input: { password },
  output: Type.Object({
    data: Type.Object({ qr_svg: Type.String(), secret: Type.String(), uri: Type.String() }),
    status: success,
  }),
  example: { password: 'correct horse battery' },
  refusals: ['login_failed', 'totp_exists'],
  async handle(input, context) {
    const { identity } = context.services
    const { secret, uri, qrSvg } = await identity.enrolTotp(context.caller, input.password, fromOf(context))
    return { data: { qr_svg: qrSvg, secret, uri }, status: 'success' as const }
  },
})

const codesOut = Type.Object({
  data: Type.Object({ recovery_codes: Type.Array(Type.String()) }),
  status: success,
})

export const authtotpconfirm = defineOperation({
  name: 'auth/totp/confirm',
  method: 'POST',
  tag: 'Sign-in',
  summary: 'Switch the second factor on',
  description: 'Answers ten recovery codes, shown this once; each works once.',
  access: 'session',
  rateClass: 'login',
  input: { code },
  output: codesOut,
  example: { code: '123456' },
  refusals: ['totp_invalid', 'totp_exists', 'totp_missing', 'login_locked'],
  async handle(input, context) {
    const codes = await context.services.identity.confirmTotp(context.caller, input.code, fromOf(context))
    return { data: { recovery_codes: [...codes] }, status: 'success' as const }
  },
})

export const authtotpdisable = defineOperation({
  name: 'auth/totp/disable',
  method: 'POST',
  tag: 'Sign-in',
  summary: 'Remove the second factor',
  description: 'Needs the password and a code.',
  access: 'session',
  rateClass: 'login',
  input: { password, code },
  output: done,
  example: { password: 'correct horse battery', code: '123456' },
  refusals: ['login_failed', 'login_locked', 'totp_missing'],
  async handle(input, context) {
    await context.services.identity.disableTotp(context.caller, input.password, input.code, fromOf(context))
    return { message: 'Second factor removed', status: 'success' as const }
  },
})

export const authrecoverycodes = defineOperation({
  name: 'auth/recovery-codes',
  method: 'POST',
  tag: 'Sign-in',
  summary: 'Make new recovery codes',
  description: 'Ten of them, in place of all earlier ones, shown this once.',
  access: 'session',
  rateClass: 'login',
  input: { password },
  output: codesOut,
  example: { password: 'correct horse battery' },
  refusals: ['login_failed', 'login_locked', 'totp_missing'],
  async handle(input, context) {
    const codes = await context.services.identity.renewRecoveryCodes(context.caller, input.password, fromOf(context))
    return { data: { recovery_codes: [...codes] }, status: 'success' as const }
  },
})
