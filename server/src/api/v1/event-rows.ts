import type { VenueChange, VenueEvent } from '../../brokers/venue-event.ts'
import { timestampOf } from '../../kernel/exchange-time.ts'
import { toNumber } from '../../kernel/fixed.ts'
import type { EventCursor, SeenEvents } from '../../trading/order-event-reader.ts'
import { tradeRow } from './books.ts'
import { gttRow } from './gtt.ts'
import { orderRow } from './orders.ts'
import { roundedPrice } from './wire.ts'

/** One event as readers get it. */
export interface EventRow {
  readonly at: number
  readonly data: object
  readonly id: string
  readonly index: number
  readonly seq: number
  readonly type: VenueEvent['type']
}

/** With the keys in the order in which every answer has them. */
const sorted = (row: object): object =>
  Object.fromEntries(Object.entries(row).sort(([one], [other]) => (one < other ? -1 : 1)))

/** What an event tells, with the keys of the books. */
function dataOf(event: VenueEvent): object {
  switch (event.type) {
    case 'order':
      return sorted({ ...orderRow(event.order), root: event.order.root })
    case 'trade':
      return tradeRow(event.trade)
    case 'position': {
      const { position } = event
      return {
        average_price: roundedPrice(position.averagePrice, position.exchange),
        exchange: position.exchange,
        lot_size: toNumber.multiplier(position.multiplier),
        product: position.product,
        quantity: toNumber.quantity(position.quantity),
        symbol: position.symbol,
        today_realized_pnl: toNumber.money(position.realisedToday),
      }
    }
    case 'holding': {
      const { holding } = event
      return {
        average_price: roundedPrice(holding.averagePrice, holding.exchange),
        exchange: holding.exchange,
        product: 'CNC',
        quantity: toNumber.quantity(holding.quantity),
        settlement_date: holding.settledOn,
        symbol: holding.symbol,
      }
    }
    case 'funds': {
      const { funds } = event
      return {
        availablecash: toNumber.money(funds.available),
        last_reset: timestampOf(funds.resetAt),
        reset_count: funds.resetCount,
        today_realized_pnl: toNumber.money(funds.realisedToday),
        total_realized_pnl: toNumber.money(funds.realised),
        utiliseddebits: toNumber.money(funds.reserved),
      }
    }
    case 'gtt':
      return gttRow(event.gtt)
    case 'session':
      return { date: event.date }
    case 'reset':
      return {}
  }
}

/** Made once for all who read the same change. */
const rowsByChange = new WeakMap<VenueChange, readonly EventRow[]>()

function rowsOf(change: VenueChange): readonly EventRow[] {
  let rows = rowsByChange.get(change)
  if (rows === undefined) {
    const { seq, at } = change
    rows = change.events.map((event, index) => ({
      at,
      data: dataOf(event),
      id: `${seq}.${index}`,
      index,
      seq,
      type: event.type,
    }))
    rowsByChange.set(change, rows)
  }
  return rows
}

export const eventRows = (parts: readonly SeenEvents[]): EventRow[] =>
  parts.flatMap(({ change, from, until }) => rowsOf(change).slice(from, until))

const framesByChange = new WeakMap<VenueChange, readonly string[]>()

/** As frames of an event stream. */
export function eventFrames(parts: readonly SeenEvents[]): string {
  let text = ''
  for (const { change, from, until } of parts) {
    let frames = framesByChange.get(change)
    if (frames === undefined) {
      frames = rowsOf(change).map((row) => `id: ${row.id}\ndata: ${JSON.stringify(row)}\n\n`)
      framesByChange.set(change, frames)
    }
    for (let index = from; index < until; index += 1) text += frames[index] ?? ''
  }
  return text
}

const EVENT_ID = /^(\d{1,15})(?:\.(\d{1,6}))?$/

/** An event's id, or the number of a change for all of it; undefined when it is neither. */
export function cursorOfId(id: string): EventCursor | undefined {
  const [, seq, index] = EVENT_ID.exec(id) ?? []
  if (seq === undefined) return undefined
  const isWhole = index === undefined || Number(seq) === 0
  return { seq: Number(seq), index: isWhole ? Number.POSITIVE_INFINITY : Number(index) }
}

export const idOfCursor = ({ seq, index }: EventCursor): string =>
  index === Number.POSITIVE_INFINITY ? String(seq) : `${seq}.${index}`
