import Type from 'typebox'
import type { Actor } from '../../identity/audit.ts'
import type { From } from '../../identity/identity.ts'
import { Refusal } from '../../kernel/errors.ts'
import type { Context } from '../operation.ts'

/** Who does something, for the audit log. */
export const actorOf = ({ caller, visit }: Context): Actor => ({
  name: caller.userName,
  address: visit.address,
  requestId: visit.id,
})

/** Where somebody signs in from. */
export const fromOf = ({ visit }: Context): From => ({
  address: visit.address,
  device: visit.headers['user-agent'] ?? '',
  requestId: visit.id,
})

/** The id of who is signed in. Throws session_missing for a key that no user owns. */
export function userIdOf({ caller }: Context): string {
  if (caller.userId !== undefined) return caller.userId
  throw new Refusal('session_missing', 'Sign in first: this needs a signed-in person.')
}

export const success = Type.Literal('success')
/** An instant as epoch milliseconds. */
export const instantOut = Type.Integer()
export const instantOrNull = Type.Union([Type.Integer(), Type.Null()])
export const textOrNull = Type.Union([Type.String(), Type.Null()])
