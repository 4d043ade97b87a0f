import Type from 'typebox'
import { PASSWORD_LENGTH_MAX } from '../../identity/password.ts'
import { text } from '../field.ts'
import { makeField } from '../field-type.ts'
import { success } from './caller.ts'

/** What operations on sign-in have in common. */

export const name = text({ min: 1, max: 254, description: 'User name or e-mail address.', example: 'asha' })
export const newName = text({ min: 1, max: 254, description: 'Name of the user.', example: 'asha' })
export const email = text({ min: 1, max: 254, description: 'E-mail address.', example: 'asha@example.com' })
const passwordOf = (description: string) =>
  text({ min: 1, max: PASSWORD_LENGTH_MAX, secret: true, description, example: 'correct horse battery' })
export const password = passwordOf('The password.')
export const newPassword = passwordOf(
  'The new password: at least 10 characters, and none of those that everybody tries.',
)
export const code = text({
  min: 1,
  max: 32,
  digits: true,
  secret: true,
  description: 'Six digits of the authenticator, or a recovery code.',
  example: '123456',
})
/** Any value is one: what can't be a token is a wrong one, answered and counted as such. */
export const token = makeField<string, string>(
  { type: 'string' },
  { description: 'Token of the link.', example: 'token-of-the-link' },
  (value) => (typeof value === 'string' ? value : NO_TOKEN),
)
/** No link has it. */
const NO_TOKEN = '\0'

export const done = Type.Object({ message: Type.String(), status: success })
