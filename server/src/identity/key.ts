import { Networks } from '../kernel/networks.ts'
import type { ApiKeyTable } from '../storage/schema.ts'
import { type Caller, type Role, SCOPES_OF_ROLE } from './caller.ts'
import { parseScopes, type Scope } from './scope.ts'

/** Who a key belongs to and what it may do: made when the key or its user changes, not when a request comes. */
export interface KeyIdentity extends Caller {
  readonly kind: 'key'
  readonly keyId: string
  /** From this instant on it is refused. */
  readonly expiresAt: number | undefined
  readonly networks: Networks | undefined
  /** Its user may do nothing, and so it is refused. */
  readonly disabled: boolean
}

/** A key's identity, or why it opens nothing. */
export type KeyStanding = KeyIdentity | 'unknown' | 'expired' | 'disabled'

export interface KeyInfo {
  readonly id: string
  readonly account: string
  /** Undefined until the instance has a user. */
  readonly userId: string | undefined
  readonly name: string
  readonly scopes: readonly Scope[]
  /** Empty for everywhere. */
  readonly networks: string
  readonly createdAt: number
  readonly expiresAt: number | undefined
  readonly lastUsedAt: number | undefined
  /** In the future while a key that was replaced may still be used. */
  readonly revokedAt: number | undefined
  readonly replacedBy: string | undefined
}

/** `text` is the key itself. It is known here and now only: no file and no list has it. */
export interface CreatedKey extends KeyInfo {
  readonly text: string
}

/** What a key's rights depend on besides itself. */
export interface KeyOwner {
  readonly name: string
  readonly role: Role
  readonly disabled: boolean
}

/** Of keys that no user owns: whoever has the machine. */
export const MACHINE_OWNER: KeyOwner = { name: 'owner', role: 'admin', disabled: false }

/** What a key is to who checks it. */
export function identityOf(info: KeyInfo, owner: KeyOwner): KeyIdentity {
  const { id, userId, account, scopes } = info
  const { disabled } = owner
  const allowed = disabled ? [] : SCOPES_OF_ROLE[owner.role]
  const ends = [info.expiresAt, info.revokedAt].filter((at) => at !== undefined)
  return Object.freeze({
    kind: 'key',
    userId,
    userName: owner.name,
    role: owner.role,
    account,
    keyId: id,
    sessionId: undefined,
    scopes: new Set(scopes.filter((scope) => allowed.includes(scope))),
    expiresAt: ends.length === 0 ? undefined : Math.min(...ends),
    networks: info.networks === '' ? undefined : readNetworks(info),
    disabled,
  })
}

/** Whether it was replaced, and the time that it went on working for is over. */
export const isReplaced = (info: KeyInfo, now: number): boolean => info.revokedAt !== undefined && info.revokedAt <= now

function readNetworks({ id, networks }: KeyInfo): Networks {
  const read = Networks.parse(networks)
  if (typeof read === 'string') throw new Error(`money.db: networks of key ${id}: ${read}`)
  return read
}

export function infoOf(row: ApiKeyTable): KeyInfo {
  const scopes = parseScopes(row.scopes)
  if (scopes === undefined)
    throw new Error(`money.db: key ${row.id} has the scopes "${row.scopes}", which aren't known`)
  return {
    id: row.id,
    account: row.account,
    userId: row.user_id ?? undefined,
    name: row.name,
    scopes,
    networks: row.networks,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
    replacedBy: row.replaced_by ?? undefined,
  }
}
