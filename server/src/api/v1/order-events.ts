import Type from 'typebox'
import type { EventCursor, EventReader } from '../../trading/order-event-reader.ts'
import { download, EventStream } from '../download.ts'
import { flag, integer } from '../field.ts'
import { makeField, problem, shown } from '../field-type.ts'
import { type Context, defineOperation } from '../operation.ts'
import { instantOut } from './caller.ts'
import { EventFrames } from './event-frames.ts'
import { cursorOfId, eventRows, idOfCursor } from './event-rows.ts'
import { mode } from './wire.ts'

export const EVENTS_MAX = 1_000
export const WAIT_SECONDS_MAX = 30

const SHAPE = `Every change of an order, trade, position, holding, GTT or of the funds is an event, in order and without gaps. \`seq\` numbers what was done to the account; \`index\` what each of them changed, from 0; \`id\` is both. \`data\` has the keys of orderbook, tradebook, positionbook, holdings, funds and gttorderbook, as far as they don't depend on the market, and tells how the thing is afterwards. \`session\`: a new trading day has begun, with empty books. \`reset\`: the account has started again.`

const after = makeField<string | number, EventCursor>(
  { type: ['string', 'integer'] },
  {
    description: 'Id of the last event that was seen, or a `seq` for all of it; left out, only what comes from now on.',
  },
  (value) => {
    const cursor = typeof value === 'string' || typeof value === 'number' ? cursorOfId(String(value)) : undefined
    return (
      cursor ?? problem(`Not the id of an event. Got ${shown(value)}; send one such as "12.0", or a seq such as 12.`)
    )
  },
).optional()

const readerOf = ({ account, caller, services }: Context): EventReader =>
  services.orderEvents.reader(account, caller.keyId ?? caller.sessionId ?? '')

/** Whether a key works, or somebody is signed in, as when the stream began. */
function isStillThere({ keyId, sessionId }: Context['caller'], { keys, identity }: Context['services']): boolean {
  if (keyId !== undefined) return keys.callerOf(keyId) !== undefined
  return sessionId !== undefined && identity.sessions.find(sessionId) !== undefined
}

export const orderevents = defineOperation({
  name: 'orderevents',
  method: 'POST',
  tag: 'Account',
  summary: 'What has happened to the account since an event',
  description: `${SHAPE}

Send \`after\` of the answer to go on from there. With \`wait_seconds\` an answer without events waits for the first one. Events that aren't kept any more are refused with \`events_gone\`, which names the \`oldest\` that there is: read the books and go on from there. \`orderevents/stream\` sends the same as it happens.`,
  access: 'read',
  rateClass: 'read',
  input: {
    after,
    limit: integer({ min: 1, max: EVENTS_MAX, description: 'Events of one answer at most.' }).optional(100, 100),
    wait_seconds: integer({
      min: 0,
      max: WAIT_SECONDS_MAX,
      description: 'How long to wait for an event when there is none.',
    }).optional(0, 0),
  },
  output: Type.Object({
    after: Type.String({ description: 'To send next.' }),
    data: Type.Array(
      Type.Object({
        at: instantOut,
        data: Type.Unknown(),
        id: Type.String(),
        index: Type.Integer(),
        seq: Type.Integer(),
        type: Type.String({ description: 'order, trade, position, holding, funds, gtt, session or reset.' }),
      }),
    ),
    mode,
    status: Type.Literal('success'),
  }),
  example: { after: '0', limit: 10 },
  refusals: ['events_gone', 'too_many_readers'],
  async handle({ after: from, limit, wait_seconds: waitSeconds }, context) {
    const { account, caller, services, visit, now } = context
    const reader = readerOf(context)
    visit.onClosed = () => reader.close()
    try {
      let page = await reader.read(from ?? reader.head, limit)
      const until = now + waitSeconds * 1_000
      while (
        page.parts.length === 0 &&
        (await reader.wait(page.after, until)) === 'news' &&
        isStillThere(caller, services)
      )
        page = await reader.read(page.after, limit)
      return {
        after: idOfCursor(page.after),
        data: eventRows(page.parts),
        mode: services.trading.venue(account).mode,
        status: 'success' as const,
      }
    } finally {
      reader.close()
    }
  },
})

export const ordereventsstream = defineOperation({
  name: 'orderevents/stream',
  method: 'GET',
  tag: 'Account',
  summary: 'What happens to the account, as it happens',
  description: `${SHAPE}

Server-sent events: each has the event as JSON in \`data\` and its \`id\`. The header \`Last-Event-ID\`, which browsers send when they connect again, counts before \`after\`. A comment every 15 seconds shows that the connection lives. An event named \`end\` is the last one, with a \`code\` and a \`message\`: connect again with the last id. Who takes nothing for 30 seconds is cut off.`,
  access: 'read',
  rateClass: 'read',
  input: {
    after,
    follow: flag({ description: 'false: end with the last event that there is.' }).optional(true, true),
  },
  output: download('text/event-stream'),
  example: { after: '0', follow: false },
  refusals: ['events_gone', 'too_many_readers'],
  async handle({ after: from, follow }, context) {
    const { visit, caller, services } = context
    const sent = visit.headers['last-event-id']
    const last = typeof sent === 'string' ? cursorOfId(sent) : undefined
    const reader = readerOf(context)
    visit.onClosed = () => reader.close()
    try {
      const start = last ?? from ?? reader.head
      await reader.read(start, 1) // what can't be read is refused while there still is a status to refuse it with
      return new EventStream(
        new EventFrames(reader, start, {
          follow,
          mayGoOn: () => isStillThere(caller, services),
        }),
      )
    } catch (error) {
      reader.close()
      throw error
    }
  },
})
