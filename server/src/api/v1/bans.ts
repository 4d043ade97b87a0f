import Type from 'typebox'
import { BAN_HOURS_MAX, BAN_REASON_LENGTH_MAX, type Ban } from '../../identity/bans.ts'
import { integer, text } from '../field.ts'
import { defineOperation } from '../operation.ts'
import { actorOf, instantOrNull, instantOut, success, textOrNull } from './caller.ts'
import { belowOf, cursorOf, paging } from './paging.ts'

const banOut = {
  address: Type.String({ description: 'Of IPv6 it may be a network, which ends in `::/64`.' }),
  cause: Type.String({ description: '`manual`, `not_found`, `bad_key` or `failed_login`.' }),
  created_at: instantOut,
  created_by: Type.String(),
  expires_at: Type.Union([Type.Integer(), Type.Null()], { description: 'null for ever.' }),
  reason: Type.String(),
}
const shownBan = (ban: Ban) => ({
  address: ban.address,
  cause: ban.cause,
  created_at: ban.createdAt,
  created_by: ban.createdBy,
  expires_at: ban.expiresAt ?? null,
  reason: ban.reason,
})
const address = text({
  min: 1,
  max: 64,
  description: 'IPv4 or IPv6, or a network of IPv6 that ends in /64: one client has all its addresses.',
  example: '203.0.113.9',
})

export const bans = defineOperation({
  name: 'bans',
  method: 'GET',
  tag: 'Security',
  summary: 'Banned addresses, and bans that were',
  description: 'All that are in force, and a page of every ban that ever was, newest first.',
  access: 'admin',
  rateClass: 'read',
  input: paging,
  output: Type.Object({
    data: Type.Array(Type.Object(banOut), { description: 'In force.' }),
    history: Type.Array(Type.Object({ ...banOut, lifted_at: instantOrNull, lifted_by: textOrNull })),
    next_cursor: textOrNull,
    status: success,
  }),
  example: {},
  async handle({ limit, cursor }, { services }) {
    const history = await services.bans.history(limit, belowOf(cursor))
    return {
      data: services.bans.list().map(shownBan),
      history: history.map((ban) => ({
        ...shownBan(ban),
        lifted_at: ban.liftedAt ?? null,
        lifted_by: ban.liftedBy ?? null,
      })),
      next_cursor: cursorOf(history.length === limit ? history.at(-1)?.id : undefined),
      status: 'success' as const,
    }
  },
})

export const banscreate = defineOperation({
  name: 'bans/create',
  method: 'POST',
  tag: 'Security',
  summary: 'Ban an address',
  description: 'At once, for some hours or for ever. This machine and your own address are refused.',
  access: 'admin',
  rateClass: 'read',
  input: {
    address,
    reason: text({ max: BAN_REASON_LENGTH_MAX, description: 'For the history.' }).optional('Banned by hand.'),
    hours: integer({ min: 1, max: BAN_HOURS_MAX, description: 'How long; for ever when left out.' }).optional(),
  },
  output: Type.Object({ data: Type.Object(banOut), status: success }),
  example: { address: '203.0.113.9', reason: 'Guesses keys.', hours: 24 },
  async handle({ address: wanted, reason, hours }, context) {
    const ban = await context.services.bans.ban(wanted, reason, hours, actorOf(context))
    return { data: shownBan(ban), status: 'success' as const }
  },
})

export const banslift = defineOperation({
  name: 'bans/lift',
  method: 'POST',
  tag: 'Security',
  summary: 'Lift a ban',
  description: 'At once. The ban stays in the history.',
  access: 'admin',
  rateClass: 'read',
  input: { address },
  output: Type.Object({ message: Type.String(), status: success }),
  example: { address: '203.0.113.9' },
  refusals: ['not_found'],
  async handle(input, context) {
    await context.services.bans.lift(input.address, actorOf(context))
    return { message: `${input.address} may come again`, status: 'success' as const }
  },
})
