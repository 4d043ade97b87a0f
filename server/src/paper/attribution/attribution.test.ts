import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Refusal } from '../../kernel/errors.ts'
import { DAY_MS, dateAt } from '../../kernel/exchange-time.ts'
import {
  add,
  formatMoney,
  type Money,
  moneyOf,
  type Price,
  priceOf,
  subtract,
  tradeValue,
  ZERO_MONEY,
} from '../../kernel/fixed.ts'
import type { Instrument } from '../../market/instrument.ts'
import { type StrategyBook, strategyBookOf } from '../../trading/strategy-book.ts'
import { ChargeTable } from '../charge-table.ts'
import { type InstrumentFacts, instrumentKey, type Product, positionKey } from '../order.ts'
import { booksReportOf } from '../reports.ts'
import { decodeState, encodeState } from '../snapshot.ts'
import { assertInvariants } from '../state.ts'
import { BTC_SPOT, Desk, NIFTY_CE, SBIN, USDINR } from '../test-desk.ts'
import { hasOpenLine, OTHER_STRATEGIES, SQUARE_OFF_STRATEGY, STRATEGIES_MAX } from './attribution.ts'

type Prices = ReadonlyMap<string, Price>

const bookAt = (desk: Desk, prices: Prices): StrategyBook =>
  strategyBookOf(booksReportOf(desk.state), (instrument: Instrument) => prices.get(instrumentKey(instrument)))

const at = (...prices: [InstrumentFacts, string][]): Prices =>
  new Map(prices.map(([on, price]) => [instrumentKey(on), priceOf(price)]))

/** Realised, unrealised and total as text. */
const shown = ({ realised, unrealised, total }: StrategyBook['account']): string[] =>
  [realised, unrealised, total].map(formatMoney)

const strategyOf = (book: StrategyBook, name: string) => {
  const found = book.strategies.find(({ strategy }) => strategy === name)
  if (found === undefined) throw new Error(`no strategy ${name}`)
  return found
}

/** Squares off, with what strategies hold against each other, as the scheduler does. */
function squareOff(desk: Desk, ons: readonly InstrumentFacts[]): void {
  const quoted = ons.filter((on) => desk.bookOf(on) !== undefined)
  const flat = quoted.filter((on) => (desk.position(on, 'MIS')?.quantity ?? 0) === 0)
  const crossings = flat.flatMap((on) => {
    const lines = desk.state.attribution.lines.get(positionKey(on, 'MIS'))
    const book = desk.bookOf(on)
    if (lines === undefined || book === undefined || !hasOpenLine(lines)) return []
    return [{ symbol: on.symbol, exchange: on.exchange, price: book.ltp }]
  })
  desk.squareOff(...quoted)
  desk.apply({ kind: 'square-off', at: desk.now, exchanges: ['NSE', 'CDS', 'NFO', 'CRYPTO'], closes: [], crossings })
}

describe('two strategies with opposite positions in one symbol', () => {
  const desk = new Desk()
  desk.quote(SBIN, 500)
  desk.buy({ quantity: 5, strategy: 'A' })
  desk.quote(SBIN, 510)
  desk.sell({ quantity: 5, strategy: 'B' })

  it('each keep their own, while the account holds nothing', () => {
    const book = bookAt(desk, at([SBIN, '530']))
    expect(desk.position()?.quantity).toBe(0)
    expect(shown(book.account)).toEqual(['50.00', '0.00', '50.00'])
    expect(shown(strategyOf(book, 'A'))).toEqual(['0.00', '150.00', '150.00'])
    expect(shown(strategyOf(book, 'B'))).toEqual(['0.00', '-100.00', '-100.00'])
    expect(shown(book.netting)).toEqual(['50.00', '-50.00', '0.00'])
  })

  it('add up to the account without a price too', () => {
    const book = bookAt(desk, at())
    expect(shown(book.netting)).toEqual(['50.00', '-50.00', '0.00'])
    expect(strategyOf(book, 'A').positions[0]?.ltp).toBe(undefined)
  })

  it('are closed against each other when the account is squared off', () => {
    desk.quote(SBIN, 520)
    squareOff(desk, [SBIN])
    const book = bookAt(desk, at([SBIN, '600']))
    expect(shown(strategyOf(book, 'A'))).toEqual(['100.00', '0.00', '100.00'])
    expect(shown(strategyOf(book, 'B'))).toEqual(['-50.00', '0.00', '-50.00'])
    expect(shown(book.netting)).toEqual(['0.00', '0.00', '0.00'])
  })
})

describe('a closing order of the exchange', () => {
  it('closes the strategies that hold the position, and the others against what is left of them', () => {
    const desk = new Desk()
    desk.quote(SBIN, 500)
    desk.buy({ quantity: 5, strategy: 'A' })
    desk.sell({ quantity: 2, strategy: 'B' })
    desk.quote(SBIN, 510)
    squareOff(desk, [SBIN])
    const book = bookAt(desk, at([SBIN, '510']))
    expect(book.strategies.map((row) => [row.strategy, ...shown(row)])).toEqual([
      ['A', '50.00', '0.00', '50.00'],
      ['B', '-20.00', '0.00', '-20.00'],
    ])
    expect(shown(book.account)).toEqual(['30.00', '0.00', '30.00'])
  })

  it('settles an expired contract for each strategy', () => {
    const desk = new Desk()
    desk.quote(NIFTY_CE, 200)
    desk.buy({ on: NIFTY_CE, quantity: 130, strategy: 'A' })
    desk.sell({ on: NIFTY_CE, quantity: 130, strategy: 'B' })
    desk.expire(NIFTY_CE, 150)
    const book = bookAt(desk, at())
    expect(book.strategies.map((row) => [row.strategy, ...shown(row)])).toEqual([
      ['A', '-6500.00', '0.00', '-6500.00'],
      ['B', '6500.00', '0.00', '6500.00'],
    ])
  })

  it('belongs to its own name as far as it opens something', () => {
    const desk = new Desk()
    desk.quote(SBIN, 500)
    desk.buy({ quantity: 5, strategy: 'A' })
    desk.sell({ quantity: 8, strategy: SQUARE_OFF_STRATEGY })
    const book = bookAt(desk, at([SBIN, '500']))
    expect(book.strategies.map(({ strategy, positions }) => [strategy, positions[0]?.quantity])).toEqual([
      ['A', 0],
      [SQUARE_OFF_STRATEGY, -3_000_000],
    ])
  })
})

it('keeps delivery positions through settlement, and lets another strategy sell the shares', () => {
  const desk = new Desk()
  desk.quote(SBIN, 500)
  desk.buy({ quantity: 10, product: 'CNC', strategy: 'A' })
  desk.now += DAY_MS
  desk.openSession(dateAt(desk.now))
  desk.quote(SBIN, 510)
  desk.sell({ quantity: 4, product: 'CNC', strategy: 'B' })
  const book = bookAt(desk, at([SBIN, '520']))
  expect(shown(book.account)).toEqual(['40.00', '120.00', '160.00'])
  expect(shown(strategyOf(book, 'A'))).toEqual(['0.00', '200.00', '200.00'])
  expect(shown(strategyOf(book, 'B'))).toEqual(['0.00', '-40.00', '-40.00'])
})

it('a new day keeps what was won and drops what is closed', () => {
  const desk = new Desk()
  desk.quote(SBIN, 500)
  desk.buy({ quantity: 1, strategy: 'A' })
  desk.quote(SBIN, 510)
  desk.sell({ quantity: 1, strategy: 'A' })
  desk.now += DAY_MS
  desk.openSession(dateAt(desk.now))
  const { realised, realisedToday, trades, tradesToday, positions } = strategyOf(bookAt(desk, at()), 'A')
  expect([realised, realisedToday, trades, tradesToday, positions.length]).toEqual([1_000, 0, 2, 0, 0])
})

it('a reset leaves no strategy', () => {
  const desk = new Desk()
  desk.quote(SBIN, 500)
  desk.buy({ quantity: 1, strategy: 'A' })
  desk.reset()
  expect(bookAt(desk, at()).strategies).toEqual([])
})

it('keeps a bounded number of names apart', () => {
  const desk = new Desk()
  desk.quote(SBIN, 500)
  for (let index = 0; index < STRATEGIES_MAX + 5; index += 1) desk.buy({ quantity: 1, strategy: `s${index}` })
  expect(desk.state.attribution.strategies.size).toBe(STRATEGIES_MAX + 1)
  expect(desk.state.attribution.strategies.get(OTHER_STRATEGIES)?.trades).toBe(5)
})

it('gives nobody what an account had before strategies were kept apart', () => {
  const desk = new Desk()
  desk.quote(SBIN, 500)
  desk.buy({ quantity: 10, product: 'CNC', strategy: 'A' })
  desk.now += DAY_MS
  desk.openSession(dateAt(desk.now))
  desk.buy({ quantity: 5, product: 'CNC', strategy: 'A' })
  desk.buy({ quantity: 3, strategy: 'A' })
  const { attribution: _, ...old } = JSON.parse(encodeState(desk.state)) as Record<string, unknown>
  desk.state = decodeState(JSON.stringify(old))
  assertInvariants(desk.state)
  const book = bookAt(desk, at([SBIN, '510']))
  expect(book.strategies.map((row) => [row.strategy, row.trades, ...shown(row)])).toEqual([
    ['', 2, '0.00', '180.00', '180.00'],
  ])
  expect(shown(book.account)).toEqual(['0.00', '180.00', '180.00'])
})

const TRADED = [
  { on: SBIN, base: 500, tick: 0.05, lot: 1, products: ['MIS', 'CNC'] },
  { on: USDINR, base: 87.5, tick: 0.0025, lot: 1000, products: ['MIS', 'NRML'] },
  { on: NIFTY_CE, base: 200, tick: 0.05, lot: 65, products: ['MIS', 'NRML'] },
  { on: BTC_SPOT, base: 8_500_000, tick: 0.01, lot: 0.00001, products: ['MIS', 'NRML'] },
] as const satisfies { on: InstrumentFacts; base: number; tick: number; lot: number; products: Product[] }[]
const STRATEGIES = ['', 'A', 'B', 'C', SQUARE_OFF_STRATEGY] as const

const priceAt = ({ base, tick }: (typeof TRADED)[number], ticks: number): string =>
  ((Math.round(base / tick) + ticks) * tick).toFixed(6)

const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('trade' as const),
      of: fc.constantFrom(...TRADED),
      ticks: fc.integer({ min: -70, max: 70 }),
      side: fc.constantFrom('BUY' as const, 'SELL' as const),
      lots: fc.integer({ min: 1, max: 30 }),
      carried: fc.boolean(),
      strategy: fc.constantFrom(...STRATEGIES),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('square-off', 'expire', 'day', 'reset', 'restart', 'forget').map((what) => what),
    }),
  },
)
const mark = fc.option(fc.integer({ min: -100, max: 100 }), { nil: undefined })
const marks = fc.tuple(mark, mark, mark, mark)
const CHARGES = new ChargeTable({ perOrder: moneyOf(20), sharePerMillion: 300 })

function perform(desk: Desk, action: typeof step extends fc.Arbitrary<infer Step> ? Step : never): void {
  if ('of' in action) {
    const { of, ticks, side, lots, carried, strategy } = action
    const product = of.products[carried ? 1 : 0]
    const price = priceAt(of, ticks)
    desk.book(
      of.on,
      price,
      [
        [price, (7 * of.lot).toFixed(6)],
        [priceAt(of, ticks - 3), 1_000_000],
      ],
      [[price, 1_000_000]],
    )
    desk.place(side, { on: of.on, quantity: (lots * of.lot).toFixed(6), product, strategy })
    return
  }
  switch (action.do) {
    case 'square-off':
      squareOff(
        desk,
        TRADED.map(({ on }) => on),
      )
      return
    case 'expire':
      desk.expire(NIFTY_CE, 150)
      return
    case 'day':
      desk.now += DAY_MS
      desk.openSession(dateAt(desk.now))
      return
    case 'reset':
      desk.reset('1000000.00')
      return
    case 'restart':
      desk.state = decodeState(encodeState(desk.state))
      return
    default: {
      const { attribution: _, ...old } = JSON.parse(encodeState(desk.state)) as Record<string, unknown>
      desk.state = decodeState(JSON.stringify(old))
    }
  }
}

it('the strategies together are the account to the paisa, at every price, whatever they do against each other', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), marks, fc.boolean(), (steps, marked, isCharged) => {
      const desk = new Desk('3000000.00')
      if (isCharged) desk.charges = CHARGES
      for (const action of steps) {
        try {
          perform(desk, action)
        } catch (error) {
          if (!(error instanceof Refusal)) throw error
        }
      }
      const prices = new Map<string, Price>()
      for (const [index, traded] of TRADED.entries()) {
        const ticks = marked[index]
        if (ticks !== undefined) prices.set(instrumentKey(traded.on), priceOf(priceAt(traded, ticks)))
      }
      const book = bookAt(desk, prices)
      // By another road: what the account has realised, and each of its positions and holdings marked by itself
      let account: Money = desk.state.realised
      for (const { instrument, quantity, cost } of [
        ...desk.state.positions.values(),
        ...desk.state.holdings.values(),
      ]) {
        const price = prices.get(instrumentKey(instrument))
        const value = price === undefined ? cost : tradeValue(price, quantity, instrument.multiplier, 'down')
        account = add(account, subtract(value, cost))
      }
      const together = book.strategies.reduce((sum, { total }) => add(sum, total), ZERO_MONEY)
      expect(together).toBe(account)
      expect(book.account.total).toBe(account)
      expect(book.netting.total).toBe(0)
      for (const row of book.strategies) {
        const own = row.positions.reduce((sum, { unrealised }) => add(sum, unrealised), ZERO_MONEY)
        expect(own).toBe(row.unrealised)
      }
    }),
    { numRuns: 400 },
  )
})

it('squaring off leaves no strategy with an intraday position', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: 'max' }), fc.boolean(), (steps, isCharged) => {
      const desk = new Desk('3000000.00')
      if (isCharged) desk.charges = CHARGES
      for (const action of steps) {
        try {
          perform(desk, action)
        } catch (error) {
          if (!(error instanceof Refusal)) throw error
        }
      }
      for (const traded of TRADED) desk.quote(traded.on, priceAt(traded, 0))
      squareOff(
        desk,
        TRADED.map(({ on }) => on),
      )
      const left = bookAt(desk, new Map()).strategies.flatMap(({ positions }) =>
        positions.filter(({ product, quantity }) => product === 'MIS' && quantity !== 0),
      )
      expect(left).toEqual([])
    }),
    { numRuns: 100 },
  )
})
