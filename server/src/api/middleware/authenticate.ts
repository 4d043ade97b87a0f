import type { IncomingHttpHeaders } from 'node:http'
import { Refusal } from '../../kernel/errors.ts'
import type { Scope } from '../operation.ts'

export interface KeyIdentity {
  readonly keyId: string
  readonly account: string
  readonly scopes: ReadonlySet<Scope>
}

/** Who knows the keys. Undefined for a key that is unknown, expired or revoked. */
export interface KeyCheck {
  check(key: string): KeyIdentity | undefined
}

/** No longer text can be a key; it isn't even looked up. */
export const API_KEY_LENGTH_MAX = 256

/**
 * The key of a request, from the field `apikey` (body, or query of a GET), the header `X-API-KEY`, or
 * `Authorization: Bearer`. Throws api_key_missing, or api_key_conflict when two of them differ.
 */
export function keyOf(source: unknown, headers: IncomingHttpHeaders): string {
  const inHeader = headers['x-api-key']
  const authorization = headers.authorization
  let key = typeof inHeader === 'string' ? inHeader.trim() : ''
  if (authorization !== undefined) key = onlyKey(key, bearerOf(authorization))
  if (typeof source === 'object' && source !== null && 'apikey' in source) key = onlyKey(key, fieldKey(source.apikey))
  if (key === '') {
    throw new Refusal(
      'api_key_missing',
      'The request has no API key. Send it as the field apikey, the header X-API-KEY, or Authorization: Bearer.',
    )
  }
  return key
}

function onlyKey(key: string, other: string): string {
  if (key === '' || other === '' || key === other) return key === '' ? other : key
  throw new Refusal(
    'api_key_conflict',
    'The request has two different API keys. Send one key, in the field apikey, X-API-KEY, or Authorization: Bearer.',
  )
}

const BEARER = 'bearer '

function bearerOf(authorization: string): string {
  const isBearer = authorization.slice(0, BEARER.length).toLowerCase() === BEARER
  return isBearer ? authorization.slice(BEARER.length).trim() : ''
}

function fieldKey(value: unknown): string {
  if (typeof value === 'string') return value.trim()
  if (value === null || value === undefined) return ''
  const message = 'Not a valid string.'
  throw new Refusal('validation_failed', `apikey: ${message}`, { errors: [{ field: 'apikey', message }] })
}

/** The identity behind a key. Throws api_key_invalid. */
export function identify(keys: KeyCheck, key: string): KeyIdentity {
  const identity = key.length > API_KEY_LENGTH_MAX ? undefined : keys.check(key)
  if (identity === undefined) throw new Refusal('api_key_invalid', 'Invalid openalgo apikey')
  return identity
}

/** Throws scope_missing when the key may not do this. */
export function requireScope(identity: KeyIdentity, scope: Scope): void {
  const { scopes } = identity
  if (scopes.has(scope) || scopes.has('admin') || (scope === 'read' && scopes.has('trade'))) return
  const held = scopes.size === 0 ? 'none' : [...scopes].sort().join(', ')
  throw new Refusal(
    'scope_missing',
    `This API key lacks the scope ${scope}; its scopes are: ${held}. Use a key that has ${scope}.`,
  )
}
