import { refusedField } from './refused-field.ts'
import type { Scope } from './scope.ts'

/** What a user may be allowed: everything; trading and reading; reading. */
export const ROLES = ['admin', 'trader', 'viewer'] as const
export type Role = (typeof ROLES)[number]

export const isRole = (text: string): text is Role => (ROLES as readonly string[]).includes(text)

/** Throws validation_failed unless it is a role. */
export function checkedRole(text: string): Role {
  if (isRole(text)) return text
  throw refusedField('role', `"${text}" isn't a role: choose from ${ROLES.join(', ')}.`)
}

/** What a role may do at most; a key never does more than its user. */
export const SCOPES_OF_ROLE: Readonly<Record<Role, readonly Scope[]>> = {
  admin: ['read', 'trade', 'admin'],
  trader: ['read', 'trade'],
  viewer: ['read'],
}

/** What somebody who is signed in may do. */
export const SESSION_SCOPES: Readonly<Record<Role, ReadonlySet<Scope>>> = {
  admin: new Set(SCOPES_OF_ROLE.admin),
  trader: new Set(SCOPES_OF_ROLE.trader),
  viewer: new Set(SCOPES_OF_ROLE.viewer),
}

/** Who sent a request, as far as it is known. */
export interface Caller {
  readonly kind: 'key' | 'session' | 'nobody'
  /** Undefined for nobody, and for a key that was made before the instance had a user. */
  readonly userId: string | undefined
  /** `owner` for a key without a user, empty for nobody. */
  readonly userName: string
  readonly role: Role
  /** The trading account that the request acts on; empty for nobody. */
  readonly account: string
  readonly keyId: string | undefined
  readonly sessionId: string | undefined
  /** What it may do: of a key, its scopes within its user's role. */
  readonly scopes: ReadonlySet<Scope>
}

export const NOBODY: Caller = Object.freeze({
  kind: 'nobody',
  userId: undefined,
  userName: '',
  role: 'viewer',
  account: '',
  keyId: undefined,
  sessionId: undefined,
  scopes: new Set<Scope>(),
})
