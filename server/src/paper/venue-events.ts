import type { VenueEvent } from '../brokers/venue-event.ts'
import { averagePrice } from '../kernel/fixed.ts'
import type { Committed } from './engine.ts'
import type { Event } from './event.ts'
import { gttReportOf } from './gtt/paper-gtt-venue.ts'
import type { Holding, Position } from './order.ts'
import { reportOf, tradeReportOf } from './reports.ts'

/** What a command did, in the words of venues. */
export function venueEventsOf({ events }: Pick<Committed, 'events'>): readonly VenueEvent[] {
  const told: VenueEvent[] = []
  for (const event of events) {
    const one = venueEventOf(event)
    if (one !== undefined) told.push(one)
  }
  return told
}

function venueEventOf(event: Event): VenueEvent | undefined {
  switch (event.kind) {
    case 'order':
      return { type: 'order', order: reportOf(event.order) }
    case 'trade':
      return { type: 'trade', trade: tradeReportOf(event.trade) }
    case 'position':
      return { type: 'position', position: positionOf(event.position) }
    case 'holding':
      return { type: 'holding', holding: holdingOf(event.holding) }
    case 'funds':
      return { type: 'funds', funds: event.funds }
    case 'gtt':
      return { type: 'gtt', gtt: gttReportOf(event.gtt) }
    case 'session-opened':
      return { type: 'session', date: event.date }
    case 'reset':
      return { type: 'reset' }
    case 'session-closed':
      return undefined // each of its orders that ended with it is told by itself
  }
}

const positionOf = ({ instrument, product, quantity, cost, realisedToday }: Readonly<Position>) => ({
  symbol: instrument.symbol,
  exchange: instrument.exchange,
  product,
  multiplier: instrument.multiplier,
  quantity,
  cost,
  averagePrice: averagePrice(cost, quantity, instrument.multiplier),
  realisedToday,
})

const holdingOf = ({ instrument, quantity, cost, settledOn }: Readonly<Holding>) => ({
  symbol: instrument.symbol,
  exchange: instrument.exchange,
  quantity,
  cost,
  averagePrice: averagePrice(cost, quantity, instrument.multiplier),
  settledOn,
})
