import type { IncomingHttpHeaders } from 'node:http'
import type { Caller } from '../../identity/caller.ts'
import type { KeyIdentity, KeyStanding } from '../../identity/key-store.ts'
import type { Scope } from '../../identity/scope.ts'
import { Refusal } from '../../kernel/errors.ts'
import { requireDeclaredJson } from '../content-type.ts'
import type { AnyOperation } from '../operation.ts'
import type { Visit } from '../visit.ts'

/** Who knows the keys. */
export interface KeyCheck {
  check(key: string, now: number): KeyStanding
  /** Whether the key may be used from that address. */
  mayComeFrom(identity: KeyIdentity, address: string): boolean
}

export interface AuthenticateOptions {
  readonly keys: KeyCheck
  /** Who is signed in with this request's cookie, and on which account; undefined when nobody is. */
  readonly sessionCaller: (visit: Visit) => Caller | undefined
  /** Whether a browser sends this on behalf of another site. */
  readonly isForeign: (headers: IncomingHttpHeaders) => boolean
}

/** No longer text can be a key; it isn't even looked up. */
export const API_KEY_LENGTH_MAX = 256

/**
 * Finds out who asks: by key, else by session; and refuses who can't be believed. A key is sent on purpose, so it counts
 * before a cookie. What rests on a cookie, or sets one, must come from our own pages and be JSON, which no other site can
 * make a browser send.
 */
export function authenticator(options: AuthenticateOptions) {
  const { keys, sessionCaller, isForeign } = options
  return (visit: Visit, operation: AnyOperation, source: object): void => {
    visit.steps.lap('read')
    const isPublic = operation.access === 'public'
    const key = isPublic ? '' : keyOf(source, visit.headers)
    if (!isPublic) refuseKeyInQuery(visit, operation, source)
    if (key === '') visit.caller = sessionCaller(visit) ?? visit.caller
    else {
      visit.apiKey = key
      visit.caller = keyCaller(keys, key, visit)
    }
    if (visit.caller.kind !== 'key' && !visit.isPage && (isPublic || visit.caller.kind === 'session')) {
      if (isForeign(visit.headers)) throw crossOrigin(visit.headers)
      if (operation.method !== 'GET') requireDeclaredJson(visit.headers['content-type'])
    }
    visit.steps.lap('authenticate')
  }
}

function keyCaller(keys: KeyCheck, key: string, visit: Visit): Caller {
  const identity = key.length > API_KEY_LENGTH_MAX ? 'unknown' : keys.check(key, visit.at)
  if (identity === 'unknown') throw new Refusal('api_key_invalid', 'Invalid openalgo apikey')
  if (identity === 'expired')
    throw new Refusal(
      'api_key_expired',
      'Invalid openalgo apikey: this key has expired or was replaced. Use its successor, or create a new one.',
    )
  // Only who holds the key learns this
  if (identity === 'disabled')
    throw new Refusal('user_disabled', 'Invalid openalgo apikey: its user is disabled. Ask an admin of this instance.')
  if (!keys.mayComeFrom(identity, visit.address)) {
    throw new Refusal(
      'address_not_allowed',
      `This API key may not be used from ${visit.address}. Add the address to the key's networks, or use another key.`,
    )
  }
  return identity
}

function crossOrigin({ origin }: IncomingHttpHeaders): Refusal {
  return new Refusal(
    'cross_origin',
    `A signed-in request must come from Sauda's own pages, not from ${origin === undefined ? 'another site' : origin}. Programs use an API key.`,
  )
}

function refuseKeyInQuery(visit: Visit, operation: AnyOperation, source: object): void {
  const { method, keyInQuery } = operation
  if (keyInQuery === true || keyInUrl(visit, method, source) === '') return
  const places = method === 'GET' ? 'the header' : 'the field apikey, the header'
  throw new Refusal(
    'api_key_in_query',
    `Addresses end up in logs: send the key of ${method} ${visit.path} as ${places} X-API-KEY or Authorization: Bearer.`,
  )
}

function keyInUrl({ url }: Visit, method: string, source: object): unknown {
  if (method === 'GET') return 'apikey' in source ? source.apikey : ''
  const from = url.indexOf('?')
  return from < 0 ? '' : (new URLSearchParams(url.slice(from + 1)).get('apikey') ?? '')
}

/**
 * The key of a request, from the field `apikey` (body, or query of a GET), the header `X-API-KEY`, or
 * `Authorization: Bearer`; empty when there is none. Throws api_key_conflict when two of them differ.
 */
export function keyOf(source: object, headers: IncomingHttpHeaders): string {
  const inHeader = headers['x-api-key']
  const { authorization } = headers
  let key = typeof inHeader === 'string' ? oneOf(inHeader, (text) => text.trim()) : ''
  if (authorization !== undefined) key = onlyKey(key, oneOf(authorization, bearerOf))
  return 'apikey' in source ? onlyKey(key, fieldKey(source.apikey)) : key
}

/** A header that was sent more than once comes as a list. */
const oneOf = (header: string, keyIn: (text: string) => string): string =>
  header.includes(',')
    ? header
        .split(',')
        .map((text) => keyIn(text.trim()))
        .reduce(onlyKey, '')
    : keyIn(header)

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

/** Refuses a caller that may not do this. */
export function authorise(visit: Visit, operation: AnyOperation): void {
  const { access } = operation
  const { caller } = visit
  if (access === 'public') return
  if (access === 'session') {
    if (caller.kind === 'session') return
    if (caller.kind === 'nobody') throw new Refusal('session_missing', 'Sign in first: this needs a signed-in person.')
    throw new Refusal('session_required', 'An API key may not do this: it needs a signed-in person.')
  }
  if (caller.kind === 'nobody') {
    throw new Refusal(
      'api_key_missing',
      'The request has no API key. Send it as the field apikey, the header X-API-KEY, or Authorization: Bearer.',
    )
  }
  if (!mayDo(caller.scopes, access)) throw lacking(caller, access)
}

const mayDo = (scopes: ReadonlySet<Scope>, scope: Scope): boolean =>
  scopes.has(scope) || scopes.has('admin') || (scope === 'read' && scopes.has('trade'))

function lacking(caller: Caller, scope: Scope): Refusal {
  if (caller.kind === 'session') {
    return new Refusal('role_missing', `The role ${caller.role} may not do this: it needs the right to ${scope}.`)
  }
  const held = caller.scopes.size === 0 ? 'none' : [...caller.scopes].sort().join(', ')
  return new Refusal(
    'scope_missing',
    `This API key lacks the scope ${scope}; its scopes are: ${held}. Use a key that has ${scope}.`,
  )
}
