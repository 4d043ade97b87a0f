import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY_MS, dateAt } from '../kernel/exchange-time.ts'
import { priceOf, toNumber } from '../kernel/fixed.ts'
import type { PlaceCommand } from './command.ts'
import { applyPlace } from './machine.ts'
import { judgeTogether } from './margin.ts'
import type { InstrumentFacts } from './order.ts'
import { tryOrders } from './scratch.ts'
import { decodeState, encodeState } from './snapshot.ts'
import { assertInvariants } from './state.ts'
import { BTC_PERP, Desk, instrument, NIFTY_CE, NIFTY_FUT, SBIN, termsFor } from './test-desk.ts'

const LOT = 65
const CE_25100 = instrument({ ...NIFTY_CE, id: 20, symbol: 'NIFTY25AUG2625100CE', strike: priceOf(25100) })
const PE_25000 = instrument({ ...NIFTY_CE, id: 21, symbol: 'NIFTY25AUG2625000PE', kind: 'PE' })

/** A desk whose NIFTY contracts are margined together, on an underlying at `price.of`. */
function portfolioDesk(capital?: string): { desk: Desk; price: { of: number } } {
  const desk = new Desk(capital)
  const price = { of: 25000 }
  desk.reference = ({ exchange }) => (exchange === 'NFO' ? { price: priceOf(price.of), riskClass: 'index' } : undefined)
  desk.quote(NIFTY_FUT, 25000).quote(NIFTY_CE, 400).quote(CE_25100, 350).quote(PE_25000, 380).quote(SBIN, 500)
  return { desk, price }
}

const used = (desk: Desk): number => toNumber.money(desk.state.reserved)
const lot = (on: InstrumentFacts, more: object = {}) => ({ on, quantity: LOT, ...more })

describe('contracts that are margined together', () => {
  test('a future blocks its scan range and exposure; shares beside it what they always did', () => {
    const { desk } = portfolioDesk()
    desk.buy({ quantity: 10 })
    desk.sell(lot(NIFTY_FUT))
    expect(desk.funds.used).toBe('184625.00')
  })

  test('a bought option lets a sold one go down to what both can lose, and closing it asks for all again', () => {
    const { desk } = portfolioDesk('200000.00')
    const alone = desk.sell(lot(NIFTY_CE))
    expect(used(desk)).toBeGreaterThan(100_000)
    desk.buy(lot(CE_25100))
    // 100 points less the 50 received is the most that both can lose; the scenarios come close
    expect(desk.funds.used).toBe('3246.75')
    desk.sell({ on: NIFTY_FUT, quantity: LOT })
    const exit = desk.sell(lot(CE_25100))
    expect([alone.status, exit.status]).toEqual(['complete', 'rejected'])
    expect(exit.reason).toMatch(/^Insufficient funds\. Required: ₹\d+\.\d\d, Available: ₹\d+\.\d\d, Shortage: /)
  })

  test('what makes the group need no more is taken even when nothing is left', () => {
    const { desk, price } = portfolioDesk('170000.00')
    desk.sell(lot(NIFTY_CE))
    price.of = 27000
    desk.quote(NIFTY_CE, 2100)
    expect(desk.sell(lot(NIFTY_CE)).status).toBe('rejected')
    expect(desk.funds.available.startsWith('-')).toBe(true)
    expect(desk.buy(lot(NIFTY_CE)).status).toBe('complete')
    expect(desk.state.portfolio.groups.size).toBe(0)
    expect(desk.funds.used).toBe('0.00')
  })

  test('a waiting order blocks what it may come to, and gives it back when it is cancelled', () => {
    const { desk } = portfolioDesk()
    const order = desk.buy(lot(NIFTY_CE, { type: 'LIMIT', price: 300 }))
    expect(desk.funds.used).toBe('19500.00')
    desk.modify(order, { price: 310 })
    expect(desk.funds.used).toBe('20150.00')
    desk.cancel(order)
    expect([desk.funds.used, desk.state.portfolio.groupOf.size]).toEqual(['0.00', 0])
  })

  test('a change that the account cannot pay is refused, and nothing changes', () => {
    const { desk } = portfolioDesk('20000.00')
    const order = desk.buy(lot(NIFTY_CE, { type: 'LIMIT', price: 300 }))
    const before = encodeState(desk.state)
    expect(() => desk.modify(order, { price: 310 })).toThrow(/Insufficient funds\. Required: ₹650\.00/)
    expect(encodeState(desk.state)).toBe(before)
  })

  test('arrays are brought once, and again for all when the price moved by 1 % or the day changed', () => {
    const { desk, price } = portfolioDesk()
    const brought = (): number => {
      const last = desk.commands.at(-1)
      return last?.kind === 'place' ? (last.risks?.arrays.length ?? 0) : -1
    }
    const sell = (on: InstrumentFacts): number => {
      desk.sell(lot(on))
      return brought()
    }
    expect([sell(NIFTY_FUT), sell(NIFTY_CE), sell(NIFTY_CE)]).toEqual([1, 1, 0])
    price.of = 25249
    expect(sell(NIFTY_FUT)).toBe(0)
    price.of = 25250
    expect(sell(NIFTY_FUT)).toBe(2)
    desk.now += DAY_MS
    desk.openSession(dateAt(desk.now))
    desk.quote(NIFTY_FUT, 25000)
    expect(sell(NIFTY_FUT)).toBe(2)
  })

  test('a setting that changes moves what is held when its next order comes, and leaves the rest', () => {
    const { desk } = portfolioDesk()
    const portfolio = desk.reference
    desk.reference = () => undefined
    desk.sell(lot(NIFTY_FUT))
    desk.sell(lot(PE_25000, { terms: termsFor(PE_25000, 'NRML', 'SELL', priceOf(25000)) }))
    expect(desk.funds.used).toBe('325000.00')
    desk.reference = portfolio
    desk.sell(lot(NIFTY_FUT))
    expect(desk.position(NIFTY_FUT)?.margin).toBe(0)
    expect(used(desk)).toBe(162_500 + 2 * 183_625)
    desk.reference = () => undefined
    desk.buy({ on: NIFTY_FUT, quantity: 2 * LOT })
    expect(desk.funds.used).toBe('162500.00')
  })

  test('other underlyings have groups of their own, and contracts with a multiplier count it', () => {
    const { desk } = portfolioDesk()
    const nifty = desk.reference
    desk.reference = (on) => (on === BTC_PERP ? { price: priceOf(60000), riskClass: 'crypto' } : nifty(on))
    desk.quote(BTC_PERP, 60000)
    desk.buy({ on: BTC_PERP, quantity: 10 })
    expect(desk.funds.used).toBe('72.00')
    desk.sell(lot(NIFTY_FUT))
    expect([...desk.state.portfolio.groups.keys()]).toEqual(['CRYPTO:BTC', 'NFO:NIFTY'])
  })

  test('expiry and reset leave nothing behind', () => {
    const { desk } = portfolioDesk()
    desk.sell(lot(NIFTY_CE))
    desk.expire(NIFTY_CE, 100)
    expect([desk.funds.used, desk.state.portfolio.groups.size]).toEqual(['0.00', 0])
    desk.sell(lot(NIFTY_FUT))
    desk.reset()
    expect([desk.funds.used, desk.state.portfolio.groupOf.size]).toEqual(['0.00', 0])
  })

  test('a snapshot brings the groups back, and one from before there were any has none', () => {
    const { desk } = portfolioDesk()
    desk.sell(lot(NIFTY_CE))
    const text = encodeState(desk.state)
    const back = decodeState(text)
    assertInvariants(back)
    expect(encodeState(back)).toBe(text)
    const { portfolio: _none, ...old } = JSON.parse(encodeState(new Desk().state)) as Record<string, unknown>
    expect(decodeState(JSON.stringify(old)).portfolio.groups.size).toBe(0)
  })
})

const ALL = [NIFTY_FUT, NIFTY_CE, CE_25100, PE_25000, SBIN]
const wanted = fc.record({
  of: fc.nat({ max: ALL.length - 1 }),
  buys: fc.boolean(),
  lots: fc.integer({ min: 1, max: 4 }),
  limit: fc.option(fc.integer({ min: -20, max: 20 })),
})
type Wanted = typeof wanted extends fc.Arbitrary<infer T> ? T : never
const BASE = [25000, 400, 350, 380, 500]

const place = (desk: Desk, { of, buys, lots, limit }: Wanted) =>
  desk.place(buys ? 'BUY' : 'SELL', {
    on: ALL[of] as InstrumentFacts, // `of` is an index of ALL
    quantity: lots * LOT,
    ...(limit === null ? {} : { type: 'LIMIT' as const, price: (BASE[of] ?? 0) + limit }),
  })

describe('judging beforehand', () => {
  test('tells to the paisa what placing the orders blocks, and leaves the account as it was', () => {
    fc.assert(
      fc.property(
        fc.array(wanted, { maxLength: 6 }),
        fc.array(wanted, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(25000, 25400),
        fc.boolean(),
        (held, orders, later, simple) => {
          const { desk, price } = portfolioDesk('1000000000.00')
          for (const one of held) place(desk, one)
          price.of = later
          if (simple) desk.reference = () => undefined
          const before = encodeState(desk.state)
          const commands = commandsOf(desk, orders)
          const trial = tryOrders(desk.state, commands, applyPlace)
          expect(encodeState(desk.state)).toBe(before)
          const { reserved } = desk.state
          for (const one of orders) place(desk, one)
          expect(desk.state.reserved - reserved).toBe(trial.blocked)
          expect(trial.orders.map(({ status, margin }) => [status, margin])).toEqual(
            [...desk.state.orders.values()].slice(-orders.length).map(({ status, margin }) => [status, margin]),
          )
        },
      ),
      { numRuns: 200 },
    )
  })

  test('of orders placed as one thing is what is blocked then, each with the arrays that it needs', () => {
    fc.assert(
      fc.property(
        fc.array(wanted, { maxLength: 4 }),
        fc.array(wanted, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(25000, 25400),
        fc.boolean(),
        (held, orders, later, stopsAtRefusal) => {
          const { desk, price } = portfolioDesk('1000000000.00')
          for (const one of held) place(desk, one)
          price.of = later
          const commands = commandsOf(desk, orders)
          const { blocked } = tryOrders(desk.state, commands, applyPlace)
          const { reserved } = desk.state
          desk.apply({ kind: 'place-together', at: desk.now, orders: commands, stopsAtRefusal })
          expect(desk.state.reserved - reserved).toBe(blocked)
        },
      ),
    )
  })

  test('asks for what all orders lead to, not for what each needs on its way', () => {
    const { desk } = portfolioDesk('60000.00')
    const basket = commandsOf(desk, [
      { of: 2, buys: true, lots: 1, limit: null },
      { of: 1, buys: false, lots: 1, limit: null },
    ])
    expect(judgeTogether(desk.state, basket, applyPlace)).toBeUndefined()
    const [, sale] = basket
    const alone = judgeTogether(desk.state, sale === undefined ? [] : [sale], applyPlace)
    expect(alone?.refusal).toMatch(/^Insufficient funds\. Required: ₹1\d{5}\.\d\d, Available: ₹60000\.00/)
  })
})

/** The commands that placing would give, taken from a desk that is thrown away. */
function commandsOf(desk: Desk, orders: readonly Wanted[]): PlaceCommand[] {
  const terms = orders.map(({ of }) => desk.reference(ALL[of] as InstrumentFacts))
  const copy = portfolioDesk('1000000000.00').desk
  copy.reference = () => undefined
  copy.now = desk.now
  for (const on of ALL) {
    const book = desk.bookOf(on)
    if (book !== undefined) copy.setBook(on, book)
  }
  return orders.map((one, index) => {
    place(copy, one)
    const command = copy.commands.at(-1)
    if (command?.kind !== 'place') throw new Error('placing is a place command')
    return {
      ...command,
      orderId: `trial-${index}`,
      terms: { ...command.terms, reference: terms[index] },
    }
  })
}
