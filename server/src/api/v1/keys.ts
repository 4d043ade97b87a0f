import Type from 'typebox'
import type { KeyInfo } from '../../identity/key-store.ts'
import { KEY_DAYS_MAX, KEY_NAME_LENGTH_MAX, KEYS_PER_USER_MAX, OVERLAP_HOURS_MAX } from '../../identity/key-store.ts'
import { SCOPES } from '../../identity/scope.ts'
import { Refusal } from '../../kernel/errors.ts'
import { choice, flag, integer, list, text } from '../field.ts'
import { type Context, defineOperation } from '../operation.ts'
import { actorOf, instantOrNull, instantOut, success, textOrNull, userIdOf } from './caller.ts'

const keyOut = {
  account: Type.String(),
  created_at: instantOut,
  expires_at: instantOrNull,
  id: Type.String(),
  last_used_at: instantOrNull,
  name: Type.String(),
  networks: Type.String({ description: 'Addresses and networks it may be used from; empty for all.' }),
  replaced_by: textOrNull,
  revoked_at: Type.Union([Type.Integer(), Type.Null()], {
    description: 'In the future while a key that was replaced still works.',
  }),
  scopes: Type.Array(Type.String()),
  user_id: textOrNull,
}
const shownKey = (key: KeyInfo) => ({
  account: key.account,
  created_at: key.createdAt,
  expires_at: key.expiresAt ?? null,
  id: key.id,
  last_used_at: key.lastUsedAt ?? null,
  name: key.name,
  networks: key.networks,
  replaced_by: key.replacedBy ?? null,
  revoked_at: key.revokedAt ?? null,
  scopes: [...key.scopes],
  user_id: key.userId ?? null,
})
const createdOut = Type.Object({
  data: Type.Object({ ...keyOut, key: Type.String({ description: 'The key itself, shown this once.' }) }),
  status: success,
})
const REQUEST_ID_LENGTH_MAX = 64
const clientRequestId = text({
  min: 1,
  max: REQUEST_ID_LENGTH_MAX,
  description:
    'Your own id of this request, a random one. Sent again, also after a restart, it makes no second key: 409 `key_exists` with `key_id`.',
  example: '5c9e1c1e-6f0d-4d8e-9a39-1d7f2a6f7c11',
}).optional()
const keyId = text({
  min: 1,
  max: 32,
  description: 'As keys lists it: put one of yours in place of the example.',
  example: 'key_aaaaaaaaaa',
})

/** Throws not_found unless the key is the caller's own, or one that the caller has a right to all the same. */
function requireOwn(context: Context, id: string, hasRight = false): void {
  const key = context.services.keys.find(id)
  if (key !== undefined && (hasRight || key.userId === userIdOf(context))) return
  throw new Refusal('not_found', `You have no key with the id "${id}".`)
}

export const keys = defineOperation({
  name: 'keys',
  method: 'GET',
  tag: 'Users and keys',
  summary: 'Your API keys',
  description: 'Without their text, which is shown when a key is made and never again. An admin may ask for all.',
  access: 'session',
  rateClass: 'read',
  input: { all: flag({ description: "For an admin: everybody's." }).optional(false, false) },
  output: Type.Object({ data: Type.Array(Type.Object(keyOut)), status: success }),
  example: {},
  handle(input, context) {
    const isAll = input.all && context.caller.role === 'admin'
    const found = context.services.keys.list(isAll ? undefined : userIdOf(context))
    return { data: found.map(shownKey), status: 'success' as const }
  },
})

export const keyscreate = defineOperation({
  name: 'keys/create',
  method: 'POST',
  tag: 'Users and keys',
  summary: 'Create an API key',
  description: `Answers the key, this once. It can do no more than your role. When your password was given more than 15 minutes ago, send auth/confirm first. A user has ${KEYS_PER_USER_MAX} keys at most, those counted that were replaced and still work.`,
  access: 'session',
  rateClass: 'read',
  input: {
    name: text({ min: 1, max: KEY_NAME_LENGTH_MAX, description: 'What it is for.', example: 'chart alerts' }),
    scopes: list(choice(SCOPES), { min: 1, max: SCOPES.length, description: 'What it may do.' }),
    account: text({ max: 32, description: 'Account that it trades for; the first one when left out.' }).optional(''),
    expires_days: integer({
      min: 1,
      max: KEY_DAYS_MAX,
      description: 'Days until it expires; never when left out.',
    }).optional(),
    networks: text({
      max: 4_096,
      description: 'Addresses and networks it may be used from, with commas; all when left out.',
    }).optional(''),
    client_request_id: clientRequestId,
  },
  output: createdOut,
  example: { name: 'chart alerts', scopes: ['read', 'trade'] },
  refusals: ['reauthentication_required', 'key_exists'],
  async handle(input, context) {
    const { services, caller, now } = context
    const userId = userIdOf(context)
    const { name, scopes, networks, expires_days: expiresDays } = input
    const created = await services.keys.requests.once(userId, input.client_request_id, async (requestHash) => {
      services.identity.requireFresh(caller, now)
      const account = input.account === '' ? services.accounts.defaultOf(userId) : input.account
      const wanted = { account, userId, name, scopes, networks, expiresDays, requestHash }
      return await services.keys.createKey(wanted, actorOf(context))
    })
    return { data: { ...shownKey(created), key: created.text }, status: 'success' as const }
  },
})

export const keysrevoke = defineOperation({
  name: 'keys/revoke',
  method: 'POST',
  tag: 'Users and keys',
  summary: 'Revoke an API key',
  description: 'It is refused from this moment on. An admin may revoke the key of anybody.',
  access: 'session',
  rateClass: 'read',
  input: { id: keyId },
  output: Type.Object({ message: Type.String(), status: success }),
  example: { id: 'key_aaaaaaaaaa' },
  refusals: ['not_found'],
  async handle(input, context) {
    requireOwn(context, input.id, context.caller.role === 'admin')
    await context.services.keys.revoke(input.id, actorOf(context))
    return { message: `Revoked ${input.id}`, status: 'success' as const }
  },
})

export const keysrotate = defineOperation({
  name: 'keys/rotate',
  method: 'POST',
  tag: 'Users and keys',
  summary: 'Replace an API key',
  description:
    'Answers a new key with the same rights, this once. The old one goes on working for the overlap. Nobody replaces the key of another user, since it trades on their account.',
  access: 'session',
  rateClass: 'read',
  input: {
    id: keyId,
    overlap_hours: integer({
      min: 0,
      max: OVERLAP_HOURS_MAX,
      description: 'Hours that the old key still works.',
    }).optional(0, 0),
    client_request_id: clientRequestId,
  },
  output: createdOut,
  example: { id: 'key_aaaaaaaaaa', overlap_hours: 24 },
  refusals: ['not_found', 'reauthentication_required', 'key_exists'],
  async handle(input, context) {
    const { services, caller, now } = context
    const { id, overlap_hours: hours } = input
    const created = await services.keys.requests.once(
      userIdOf(context),
      input.client_request_id,
      async (requestHash) => {
        requireOwn(context, id)
        services.identity.requireFresh(caller, now)
        return await services.keys.rotate(id, hours, actorOf(context), requestHash)
      },
    )
    return { data: { ...shownKey(created), key: created.text }, status: 'success' as const }
  },
})
