import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { VenueEvent } from '../brokers/venue-event.ts'
import { eventsOf, textOfEvents, type Written } from './order-event-text.ts'

const text = fc.oneof(fc.string(), fc.constantFrom('', 'null', '"', '\\', '₹', '\ud800'))
const number = fc.maxSafeInteger()
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined })

const order = fc.record({
  id: text,
  symbol: text,
  exchange: fc.constantFrom('NSE' as const, 'NFO' as const),
  action: fc.constantFrom('BUY' as const, 'SELL' as const),
  quantity: number,
  priceType: fc.constantFrom('MARKET' as const, 'SL-M' as const),
  product: fc.constantFrom('MIS' as const, 'CNC' as const),
  price: number,
  triggerPrice: number,
  status: fc.constantFrom('open' as const, 'rejected' as const),
  filledQuantity: number,
  averagePrice: number,
  reason: text,
  cause: optional(fc.constantFrom('funds' as const, 'session' as const)),
  strategy: text,
  tag: optional(text),
  root: text,
  leg: optional(fc.nat()),
  origin: optional(text),
  algoId: optional(text),
  placedAt: number,
  updatedAt: number,
})
const trade = fc.record({
  id: text,
  orderId: text,
  symbol: text,
  exchange: fc.constantFrom('NSE' as const, 'MCX' as const),
  action: fc.constantFrom('BUY' as const, 'SELL' as const),
  product: fc.constantFrom('MIS' as const, 'NRML' as const),
  quantity: number,
  price: number,
  value: number,
  charges: optional(number),
  strategy: text,
  at: number,
})
const position = fc.record({
  symbol: text,
  exchange: fc.constantFrom('NSE' as const, 'CDS' as const),
  product: fc.constantFrom('MIS' as const, 'CNC' as const),
  multiplier: number,
  quantity: number,
  cost: number,
  averagePrice: number,
  realisedToday: number,
})
const funds = fc.record({
  available: number,
  reserved: number,
  realised: number,
  realisedToday: number,
  resetAt: number,
  resetCount: fc.nat(),
})
const event = fc.oneof(
  fc.record({ type: fc.constant('order' as const), order }),
  fc.record({ type: fc.constant('trade' as const), trade }),
  fc.record({ type: fc.constant('position' as const), position }),
  fc.record({ type: fc.constant('funds' as const), funds }),
  fc.constant({ type: 'session' as const, date: '2026-11-26' }),
  fc.constant({ type: 'reset' as const }),
) as fc.Arbitrary<VenueEvent>

const read = (written: string): readonly VenueEvent[] => eventsOf(JSON.parse(written) as readonly Written[])

it('events are read as they were written, each field in its place', () => {
  fc.assert(
    fc.property(fc.array(event), (events) => {
      expect(read(textOfEvents(events))).toEqual(events)
    }),
  )
})

it('events are read as an earlier version wrote them: as objects', () => {
  fc.assert(
    fc.property(fc.array(event), (events) => {
      expect(read(JSON.stringify(events))).toEqual(events)
    }),
  )
})
