import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chargesFor, chargeTermsOf, settlementTermsOf } from '../charges/index.ts'
import { Refusal } from '../kernel/errors.ts'
import { DAY_MS, dateAt } from '../kernel/exchange-time.ts'
import { absolute, type Money, moneyOf, priceOf } from '../kernel/fixed.ts'
import { EXPIRY_STRATEGY } from './attribution/attribution.ts'
import { ChargeTable } from './charge-table.ts'
import type { Gtt } from './gtt/gtt.ts'
import { GttDesk } from './gtt/test-gtt-desk.ts'
import { apply } from './machine.ts'
import { type InstrumentFacts, instrumentKey, isWorking, type Order, type Position, type Trade } from './order.ts'
import type { RiskReference } from './portfolio.ts'
import { decodeState, encodeState } from './snapshot.ts'
import { openAccount } from './state.ts'
import { BTC_PERP, BTC_SPOT, NIFTY_CE, NIFTY_FUT, RELIANCE, SBIN, termsFor, USDINR } from './test-desk.ts'

/**
 * Random traders. The desk checks after every command that the books add up (reservations traceable to their owners,
 * orders finished once) and that money is conserved by an independent count of the trades.
 */
interface Traded {
  readonly on: InstrumentFacts
  readonly base: number
  readonly tick: number
  readonly lot: number
}

const TRADED: readonly Traded[] = [
  { on: SBIN, base: 500, tick: 0.05, lot: 1 },
  { on: RELIANCE, base: 1400, tick: 0.05, lot: 1 },
  { on: NIFTY_FUT, base: 25000, tick: 0.05, lot: 65 },
  { on: NIFTY_CE, base: 200, tick: 0.05, lot: 65 },
  { on: USDINR, base: 87.5, tick: 0.0025, lot: 1000 },
  { on: BTC_PERP, base: 60000, tick: 0.5, lot: 1 },
  { on: BTC_SPOT, base: 8500000, tick: 0.01, lot: 0.00001 },
]

const decimal = (value: number): string => value.toFixed(6)
const priceAt = (traded: Traded, ticks: number): string =>
  decimal(Math.max(1, Math.round(traded.base / traded.tick) + ticks) * traded.tick)

type Step =
  | { do: 'quote'; of: number; ticks: number; spread: number; size: number; tick: boolean }
  | {
      do: 'place'
      of: number
      side: 'BUY' | 'SELL'
      lots: number
      type: 'MARKET' | 'LIMIT' | 'SL' | 'SL-M'
      ticks: number
      delivery: boolean
    }
  | { do: 'modify' | 'cancel'; nth: number; lots: number; ticks: number }
  | {
      do: 'place-gtt'
      of: number
      side: 'BUY' | 'SELL'
      lots: number
      type: 'MARKET' | 'LIMIT'
      below: number | null
      above: number | null
    }
  | { do: 'modify-gtt' | 'cancel-gtt' | 'expire-gtt'; nth: number; lots: number; ticks: number }
  | { do: 'square-off' | 'expire' | 'open-session' | 'reset' }

const nth = fc.nat({ max: 50 })
const of = fc.nat({ max: TRADED.length - 1 })
const ticks = fc.integer({ min: -60, max: 60 })
const lots = fc.integer({ min: 1, max: 40 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('quote' as const),
      of,
      ticks,
      spread: fc.integer({ min: 1, max: 6 }),
      size: fc.integer({ min: 0, max: 60 }),
      tick: fc.boolean(),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('place' as const),
      of,
      side: fc.constantFrom('BUY' as const, 'SELL' as const),
      lots,
      type: fc.constantFrom('MARKET' as const, 'LIMIT' as const, 'SL' as const, 'SL-M' as const),
      ticks,
      delivery: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('modify' as const, 'cancel' as const), nth, lots, ticks }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('place-gtt' as const),
      of,
      side: fc.constantFrom('BUY' as const, 'SELL' as const),
      lots,
      type: fc.constantFrom('MARKET' as const, 'LIMIT' as const),
      below: fc.option(fc.integer({ min: -60, max: 5 })),
      above: fc.option(fc.integer({ min: -5, max: 60 })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('modify-gtt' as const, 'cancel-gtt' as const, 'expire-gtt' as const),
      nth,
      lots,
      ticks,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('square-off' as const, 'expire' as const, 'open-session' as const, 'reset' as const),
    }),
  },
)

function perform(desk: GttDesk, action: Step): void {
  switch (action.do) {
    case 'quote': {
      const traded = TRADED[action.of] as Traded // `of` is an index of TRADED
      const size = decimal(action.size * traded.lot)
      const bid = priceAt(traded, action.ticks - action.spread)
      const ask = priceAt(traded, action.ticks + action.spread)
      const far = priceAt(traded, action.ticks + action.spread + 3)
      desk.book(
        traded.on,
        priceAt(traded, action.ticks),
        action.size === 0 ? [] : [[bid, size]],
        action.size === 0
          ? []
          : [
              [ask, size],
              [far, size],
            ],
      )
      if (action.tick) {
        desk.tick(traded.on)
        desk.fire(traded.on)
      }
      return
    }
    case 'place': {
      const traded = TRADED[action.of] as Traded
      const product =
        traded.on.exchange !== 'NSE' ? (action.delivery ? 'NRML' : 'MIS') : action.delivery ? 'CNC' : 'MIS'
      const price = priceAt(traded, action.ticks)
      const trigger = priceAt(traded, action.ticks + (action.side === 'BUY' ? -2 : 2))
      const notional = traded.on === NIFTY_CE && action.side === 'SELL' ? priceOf(25000) : 0
      desk.place(action.side, {
        on: traded.on,
        product,
        quantity: decimal(action.lots * traded.lot),
        type: action.type,
        price,
        trigger,
        terms: termsFor(traded.on, product, action.side, notional),
      })
      return
    }
    case 'modify':
    case 'cancel': {
      const orders = [...desk.state.orders.values()]
      const order = orders[action.nth % Math.max(1, orders.length)]
      if (order === undefined) return
      const traded = TRADED.find((candidate) => candidate.on.id === order.instrument.id) as Traded // all orders are of TRADED
      if (action.do === 'cancel') desk.cancel(order)
      else {
        const limited = order.priceType === 'LIMIT' || order.priceType === 'SL'
        desk.modify(order, {
          quantity: decimal(action.lots * traded.lot),
          ...(limited ? { price: priceAt(traded, action.ticks) } : {}),
        })
      }
      return
    }
    case 'place-gtt': {
      const traded = TRADED[action.of] as Traded
      const leg = (at: number): readonly [string, string] => [priceAt(traded, at), priceAt(traded, at + 1)]
      desk.placeGtt(action.side, {
        on: traded.on,
        quantity: decimal(action.lots * traded.lot),
        type: action.type,
        ...(action.below === null && action.above !== null ? {} : { below: leg(action.below ?? 0) }),
        ...(action.above === null ? {} : { above: leg(action.above) }),
      })
      return
    }
    case 'modify-gtt':
    case 'cancel-gtt':
    case 'expire-gtt': {
      const gtts = [...desk.state.gtts.values()]
      const gtt = gtts[action.nth % Math.max(1, gtts.length)]
      if (gtt === undefined) return
      const traded = TRADED.find((candidate) => candidate.on.id === gtt.instrument.id) as Traded
      const leg = (at: number): readonly [string, string] => [priceAt(traded, at), priceAt(traded, at - 1)]
      if (action.do === 'cancel-gtt') desk.cancelGtt(gtt)
      else if (action.do === 'expire-gtt') desk.expireGtts(gtt.status === 'active' ? [gtt] : [])
      else
        desk.modifyGtt(gtt, {
          quantity: decimal(action.lots * traded.lot),
          below: leg(action.ticks),
          ...(gtt.kind === 'single' ? {} : { above: leg(action.ticks + 10) }),
        })
      return
    }
    case 'square-off':
      desk.squareOff(...TRADED.map((traded) => traded.on).filter((on) => desk.bookOf(on) !== undefined))
      return
    case 'expire':
      desk.expire(NIFTY_CE, 150)
      return
    case 'open-session':
      desk.now += DAY_MS
      desk.openSession(dateAt(desk.now))
      return
    case 'reset':
      desk.reset('1000000.00')
  }
}

/** Nobody's contracts are margined together, everybody's, or from time to time as settings change. */
const margin = fc.constantFrom('simple', 'portfolio', 'changing')

/** The price of an underlying goes from one to the next, so that arrays are renewed. */
function marginBy(desk: GttDesk, mode: string): void {
  const moved = (price: number): RiskReference['price'] =>
    priceOf(decimal(price * (1 + ((desk.commands.length % 7) - 3) / 200)))
  desk.reference = ({ exchange }) => {
    if (mode === 'simple' || (mode === 'changing' && desk.commands.length % 20 < 10)) return undefined
    if (exchange === 'NFO') return { price: moved(25000), riskClass: 'index' }
    if (exchange === 'CDS') return { price: moved(87.5), riskClass: 'currency' }
    return exchange === 'CRYPTO' ? { price: moved(60000), riskClass: 'crypto' } : undefined
  }
}

/** Nobody's trades cost anything, everybody's, or from time to time as the setting changes. */
const charging = fc.constantFrom('off', 'on', 'changing')
const BROKERAGE = { perOrder: moneyOf(20), sharePerMillion: 300 }

function chargeBy(desk: GttDesk, mode: string): void {
  const table = new ChargeTable(BROKERAGE)
  Object.defineProperty(desk, 'charges', {
    get: () => (mode === 'off' || (mode === 'changing' && desk.commands.length % 16 < 8) ? undefined : table),
  })
}

/** In parts an order was charged what it is charged for all that it has traded for, or nothing at all. */
function expectCharged(order: Readonly<Order>, traded: readonly Trade[]): void {
  const charges = traded.map((trade) => trade.charges)
  if (order.charges === undefined) expect(charges).toEqual(traded.map(() => undefined))
  else {
    const date = dateAt(order.placedAt)
    const terms =
      order.strategy === EXPIRY_STRATEGY ? settlementTermsOf(order, date) : chargeTermsOf(order, BROKERAGE, date)
    expect(Math.min(0, ...charges.map((charge) => charge ?? -1))).toBe(0)
    const sum = charges.reduce<number>((total, charge) => total + (charge ?? 0), 0)
    expect(sum).toBe(chargesFor(terms, order.filledValue).total)
  }
}

function run(desk: GttDesk, steps: readonly Step[]): void {
  for (const action of steps) {
    try {
      perform(desk, action)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error // a refused change of an order is a normal answer
    }
  }
}

/** Of all triggers that there ever were: each ends once, and has one order when it fired, else none. */
function expectFiredOnce(desk: GttDesk): void {
  const ended = new Map<string, Gtt[]>()
  const children = new Map<string, Set<string>>()
  for (const event of desk.events) {
    if (event.kind === 'gtt' && event.gtt.status !== 'active')
      ended.set(event.gtt.id, [...(ended.get(event.gtt.id) ?? []), event.gtt])
    if (event.kind === 'order' && event.order.root?.startsWith('GTT') === true) {
      const orders = children.get(event.order.root) ?? new Set()
      children.set(event.order.root, orders.add(event.order.id))
    }
  }
  for (const [id, orders] of children) expect([id, [...orders]]).toEqual([id, [ended.get(id)?.[0]?.orderId]])
  for (const [id, [gtt, ...again]] of ended) {
    expect(again).toEqual([])
    const fired = gtt?.legs.filter((leg) => leg.status === 'triggered').length
    expect(fired).toBe(children.has(id) ? 1 : 0)
  }
}

test('whatever traders do, books add up, money is conserved and orders finish once', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('20000.00', '500000.00', '10000000.00'),
      fc.array(step, { maxLength: 150, size: 'max' }),
      margin,
      charging,
      (capital, steps, mode, charges) => {
        const desk = new GttDesk(capital)
        marginBy(desk, mode)
        chargeBy(desk, charges)
        run(desk, steps)
        const finished = new Map<string, number>()
        for (const event of desk.events) {
          if (event.kind === 'order' && !isWorking(event.order))
            finished.set(event.order.id, (finished.get(event.order.id) ?? 0) + 1)
        }
        expect(Math.max(0, ...finished.values())).toBeLessThanOrEqual(1)
        expectFiredOnce(desk)
        for (const order of desk.state.orders.values()) {
          const traded = desk.state.trades.filter((trade) => trade.orderId === order.id)
          expect(traded.reduce((sum, trade) => sum + trade.quantity, 0)).toBe(order.filledQuantity)
          expect(traded.reduce((sum, trade) => sum + trade.value, 0)).toBe(order.filledValue)
          expectCharged(order, traded)
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('the same commands give the same state, also through a snapshot at any point', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 80, size: 'max' }),
      fc.nat({ max: 80 }),
      margin,
      charging,
      (steps, cut, mode, charges) => {
        const desk = new GttDesk('500000.00')
        marginBy(desk, mode)
        chargeBy(desk, charges)
        run(desk, steps)
        let replayed = openAccount('default', 50_000_000 as Money, Date.parse('2026-08-04T04:30:00Z'), '2026-08-04')
        for (const [index, command] of desk.commands.entries()) {
          if (index === cut) replayed = decodeState(encodeState(replayed))
          apply(replayed, JSON.parse(JSON.stringify(command)))
        }
        expect(encodeState(replayed)).toBe(encodeState(desk.state))
      },
    ),
    { numRuns: 150 },
  )
})

test('closing everything leaves nothing reserved: cash is the capital and what was realised', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), margin, (steps, mode) => {
      const desk = new GttDesk()
      marginBy(desk, mode)
      run(desk, steps)
      for (const gtt of [...desk.state.gtts.values()]) if (gtt.status === 'active') desk.cancelGtt(gtt)
      for (const order of [...desk.state.orders.values()]) if (isWorking(order)) desk.cancel(order)
      for (const traded of TRADED) desk.quote(traded.on, priceAt(traded, 0))
      // What hedges another position may need money to be closed before it: then the other one goes first.
      let open = [...desk.state.positions.values()].filter(({ quantity }) => quantity !== 0)
      while (open.length > 0) {
        const before = quantityOf(open)
        open = open.filter((position) => !closesBy(desk, position))
        expect(quantityOf(open)).toBeLessThan(before)
      }
      expect(desk.state.reserved).toBe(0)
    }),
    { numRuns: 150 },
  )
})

const quantityOf = (positions: readonly Position[]): number =>
  positions.reduce((sum, { quantity }) => sum + absolute(quantity), 0)

/** Whether a position could be closed, in orders as large as may be; for want of money only it may not. */
function closesBy(desk: GttDesk, position: Readonly<Position>): boolean {
  const { freezeQuantity, lotSize } = position.instrument
  while (position.quantity !== 0) {
    const slice = Math.min(
      absolute(position.quantity),
      freezeQuantity === 0 ? Number.POSITIVE_INFINITY : freezeQuantity - (freezeQuantity % lotSize),
    )
    const order = desk.place(position.quantity > 0 ? 'SELL' : 'BUY', {
      on: position.instrument,
      product: position.product,
      quantity: (slice / 1e6).toFixed(6),
    })
    if (order.cause === 'funds') return false
    expect([order.status, instrumentKey(order.instrument)]).toEqual(['complete', instrumentKey(position.instrument)])
  }
  return true
}
