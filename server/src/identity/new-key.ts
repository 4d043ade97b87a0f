import { Networks } from '../kernel/networks.ts'
import { type Role, SCOPES_OF_ROLE } from './caller.ts'
import type { KeyInfo } from './key.ts'
import { checkedFields, refusedField } from './refused-field.ts'
import { isScope, SCOPES, type Scope } from './scope.ts'

export const KEY_NAME_LENGTH_MAX = 64
export const KEY_DAYS_MAX = 3_650
const DAY_MS = 86_400_000

export interface NewKey {
  readonly account: string
  readonly userId?: string | undefined
  readonly name: string
  readonly scopes: readonly string[]
  /** Days until it expires; undefined for never. */
  readonly expiresDays?: number | undefined
  readonly networks?: string | undefined
  /** Of the request that it is for, as `KeyRequests` makes it. */
  readonly requestHash?: string | undefined
}

/** What a key is made with, once every part of it was found possible. Throws validation_failed. */
export function checkedKey(wanted: NewKey, now: number): Pick<KeyInfo, 'name' | 'scopes' | 'networks' | 'expiresAt'> {
  const { expiresDays } = wanted
  const [name, scopes, networks, days] = checkedFields(
    () => checkedName(wanted.name),
    () => checkedScopes(wanted.scopes),
    () => checkedNetworks(wanted.networks ?? ''),
    () => (expiresDays === undefined ? undefined : wholeNumber('expires_days', expiresDays, 1, KEY_DAYS_MAX)),
  )
  return { name, scopes, networks, expiresAt: days === undefined ? undefined : now + days * DAY_MS }
}

function checkedName(name: string): string {
  const trimmed = name.trim()
  if (trimmed === '' || trimmed.length > KEY_NAME_LENGTH_MAX || /\p{Cc}/u.test(trimmed)) {
    const shown = JSON.stringify(name.slice(0, KEY_NAME_LENGTH_MAX + 1))
    throw refusedField('name', `A key's name has 1 to ${KEY_NAME_LENGTH_MAX} printable characters; ${shown} doesn't.`)
  }
  return trimmed
}

function checkedScopes(scopes: readonly string[]): readonly Scope[] {
  const unknown = scopes.find((scope) => !isScope(scope))
  if (unknown !== undefined || scopes.length === 0) {
    const wrong = unknown === undefined ? 'The key has no scope' : `"${unknown}" isn't a scope`
    throw refusedField('scopes', `${wrong}: choose from ${SCOPES.join(', ')}.`)
  }
  return SCOPES.filter((scope) => scopes.includes(scope))
}

export function refuseMoreThanRole(scopes: readonly Scope[], role: Role): void {
  const allowed = SCOPES_OF_ROLE[role]
  const beyond = scopes.find((scope) => !allowed.includes(scope))
  if (beyond === undefined) return
  throw refusedField('scopes', `A key of a ${role} can't have the scope ${beyond}: choose from ${allowed.join(', ')}.`)
}

function checkedNetworks(text: string): string {
  const networks = Networks.parse(text)
  if (typeof networks !== 'string') return networks.text
  throw refusedField('networks', `Write addresses and networks, such as 10.0.0.0/8, with commas: ${networks}.`)
}

/** Throws validation_failed. */
export function wholeNumber(field: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw refusedField(field, `Must be a whole number from ${least} to ${most}. Got ${value}.`)
}
