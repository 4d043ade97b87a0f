import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Refusal } from '../kernel/errors.ts'
import { multiplierOf, PRICE_ONE, type Price, price, priceOf, quantityOf } from '../kernel/fixed.ts'
import type { Instrument } from '../market/instrument.ts'
import { InstrumentStore } from '../market/instrument-store.ts'
import type { OptionType } from '../market/option-chain-index.ts'
import { formatSymbol } from '../market/symbol.ts'
import { atTheMoney, nearestMultiple, type OptionSeries, parseOffset, pickOption } from './offset.ts'

const EXPIRY = '2025-10-28'

const row = (symbol: string, more: Partial<Instrument>, id: number): Instrument => ({
  id,
  symbol,
  exchange: 'NFO',
  kind: 'CE',
  name: 'NIFTY',
  expiry: EXPIRY,
  strike: priceOf(0),
  lotSize: quantityOf(75),
  tickSize: priceOf('0.05'),
  freezeQuantity: quantityOf(1800),
  multiplier: multiplierOf(1),
  token: String(id),
  sourceSymbol: symbol,
  sourceExchange: 'NFO',
  ...more,
})

/** NIFTY's options of one expiry with these strikes, calls and puts. */
function seriesOf(calls: readonly (string | number)[], puts: readonly (string | number)[] = calls): OptionSeries {
  const options = [
    ...calls.map((strike) => ({ strike: priceOf(strike), type: 'CE' as const })),
    ...puts.map((strike) => ({ strike: priceOf(strike), type: 'PE' as const })),
  ]
  const index = row('NIFTY', { exchange: 'NSE_INDEX', kind: 'INDEX', expiry: undefined }, 1)
  const rows = options.map(({ strike, type }, at) =>
    row(formatSymbol({ kind: 'option', base: 'NIFTY', expiry: EXPIRY, strike, type }), { strike, kind: type }, at + 2),
  )
  const chain = new InstrumentStore([index, ...rows]).optionChain('NIFTY', 'NFO', EXPIRY)
  if (chain === undefined) throw new Error('no chain')
  return { base: 'NIFTY', exchange: 'NFO', chain, reference: index }
}

const pick = (
  series: OptionSeries,
  ltp: string | number,
  offset: string,
  type: OptionType,
  strikeInterval?: number,
): string => {
  const read = parseOffset(offset)
  if (read === undefined) throw new Error(offset)
  return pickOption(series, priceOf(ltp), { offset: read, type, strikeInterval }).symbol
}

const refusalOf = (run: () => unknown): Refusal => {
  try {
    run()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  throw new Error('was not refused')
}

const strikes = (text: string): Price[] => text.split(' ').map(priceOf)

describe('an offset', () => {
  test.each([
    ['ATM', { side: 'ATM', steps: 0 }],
    ['atm', { side: 'ATM', steps: 0 }],
    ['ITM1', { side: 'ITM', steps: 1 }],
    ['otm50', { side: 'OTM', steps: 50 }],
    [' Otm7 ', { side: 'OTM', steps: 7 }],
  ])('%j is read', (text, offset) => {
    expect(parseOffset(text)).toEqual(offset)
  })

  test.each(['', 'ATM1', 'ITM', 'OTM', 'ITM0', 'ITM51', 'OTM-1', 'OTM1.5', 'OTM100', 'FOO', 'OTM 1', 'ITM01'])(
    '%j is none',
    (text) => {
      expect(parseOffset(text)).toBeUndefined()
    },
  )
})

describe('the strike at the money', () => {
  test.each([
    ['25950 26000 26050', '26000', 1],
    ['25950 26000 26050', '26024.95', 1],
    ['25950 26000 26050', '26025.05', 2],
    ['25950 26000 26050', '26025', 1], // equally near: the lower
    ['25950 26000 26050', '20000', 0],
    ['25950 26000 26050', '30000', 2],
    ['290 292.5 295', '291.25', 0],
    ['290 292.5 295', '291.26', 1],
    ['82 82.25 82.5', '82.125', 0],
    ['26000', '1', 0],
    ['25500 26000 27000', '26500', 1], // uneven steps
  ])('of %s at %s is number %i', (listed, ltp, index) => {
    expect(atTheMoney(strikes(listed), priceOf(ltp))).toBe(index)
  })

  test('there is none without strikes', () => {
    expect(atTheMoney([], priceOf(100))).toBe(-1)
  })

  test('no listed strike is nearer, and no lower one as near', () => {
    const listed = fc.uniqueArray(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(listed, fc.integer({ min: 1, max: 11_000 }), (values, ltp) => {
        const sorted = values.sort((a, b) => a - b).map(price)
        const atm = atTheMoney(sorted, price(ltp))
        const distance = Math.abs((sorted[atm] ?? Number.NaN) - ltp)
        for (const [index, strike] of sorted.entries()) {
          if (index < atm) expect(Math.abs(strike - ltp)).toBeGreaterThan(distance)
          else expect(Math.abs(strike - ltp)).toBeGreaterThanOrEqual(distance)
        }
      }),
    )
  })
})

describe('an option by its offset', () => {
  const series = seriesOf([25800, 25850, 25900, 25950, 26000, 26100, 26200])

  test.each([
    ['ATM', 'CE', 'NIFTY28OCT2525950CE'],
    ['ATM', 'PE', 'NIFTY28OCT2525950PE'],
    ['ITM1', 'CE', 'NIFTY28OCT2525900CE'],
    ['ITM3', 'CE', 'NIFTY28OCT2525800CE'],
    ['OTM1', 'CE', 'NIFTY28OCT2526000CE'],
    ['OTM2', 'CE', 'NIFTY28OCT2526100CE'], // listed strikes, not a fixed step
    ['ITM1', 'PE', 'NIFTY28OCT2526000PE'],
    ['ITM3', 'PE', 'NIFTY28OCT2526200PE'],
    ['OTM3', 'PE', 'NIFTY28OCT2525800PE'],
  ] as const)('%s %s at 25966.4 is %s', (offset, type, symbol) => {
    expect(pick(series, '25966.4', offset, type)).toBe(symbol)
  })

  test('calls and puts are counted by their own strikes', () => {
    const uneven = seriesOf([25900, 26000, 26100], [25950, 26000, 26050])
    expect(pick(uneven, 26000, 'OTM1', 'CE')).toBe('NIFTY28OCT2526100CE')
    expect(pick(uneven, 26000, 'OTM1', 'PE')).toBe('NIFTY28OCT2525950PE')
  })

  test('beyond the last strike it is refused, and the furthest is told', () => {
    const refusal = refusalOf(() => pick(series, '25966.4', 'OTM4', 'CE'))
    expect(refusal.code).toBe('offset_out_of_range')
    expect(refusal.message).toBe(
      'Offset OTM4 is out of range for available strikes. Please use a smaller offset. Of NIFTY 28OCT25 CE, at the money is 25950, and the furthest is OTM3 at 26200.',
    )
    expect(refusalOf(() => pick(series, '25966.4', 'ITM4', 'PE')).message).toContain('the furthest is ITM3 at 26200.')
    expect(refusalOf(() => pick(series, '25966.4', 'OTM4', 'PE')).message).toContain('the furthest is OTM3 at 25800.')
    expect(refusalOf(() => pick(series, 30000, 'OTM1', 'CE')).message).toContain(
      'at the money is 26200, and no OTM strike is listed.',
    )
  })

  test('counting strikes and asking for them again leads back', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 45_000 }),
        fc.constantFrom<OptionType>('CE', 'PE'),
        (steps, ltp, type) => {
          const listed = steps.sort((a, b) => a - b).map((step) => step * 100)
          const own = seriesOf(listed)
          const atm = atTheMoney(own.chain.strikes(type), priceOf(ltp))
          for (const [index, strike] of listed.entries()) {
            const up = index - atm
            const side = up === 0 ? 'ATM' : up > 0 === (type === 'CE') ? 'OTM' : 'ITM'
            const offset = up === 0 ? 'ATM' : `${side}${Math.abs(up)}`
            expect(pick(own, ltp, offset, type)).toBe(`NIFTY28OCT25${strike}${type}`)
          }
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('an option by strike_int', () => {
  const series = seriesOf([25800, 25850, 25900, 25950, 26000, 26050, 26100])

  test.each([
    ['25966.4', 'ATM', 'CE', 50, 'NIFTY28OCT2525950CE'],
    ['25966.4', 'ATM', 'CE', 100, 'NIFTY28OCT2526000CE'],
    ['25975', 'ATM', 'CE', 50, 'NIFTY28OCT2526000CE'], // halfway: the even multiple
    ['25925', 'ATM', 'CE', 50, 'NIFTY28OCT2525900CE'],
    ['25924.99999999', 'ATM', 'PE', 50, 'NIFTY28OCT2525900PE'],
    ['25975.00000001', 'ATM', 'PE', 50, 'NIFTY28OCT2526000PE'],
    ['25966.4', 'OTM1', 'CE', 100, 'NIFTY28OCT2526100CE'],
    ['25966.4', 'ITM1', 'CE', 100, 'NIFTY28OCT2525900CE'],
    ['25966.4', 'OTM2', 'PE', 100, 'NIFTY28OCT2525800PE'],
    ['25966.4', 'ITM1', 'PE', 100, 'NIFTY28OCT2526100PE'],
  ] as const)('at %s, %s %s by %i is %s', (ltp, offset, type, interval, symbol) => {
    expect(pick(series, ltp, offset, type, interval)).toBe(symbol)
  })

  test('rounds exactly, half to even', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_000_000 }), fc.integer({ min: 1, max: 5000 }), (paise, rupees) => {
        const unit = PRICE_ONE / 100
        const at = price(paise * unit)
        const interval = rupees * PRICE_ONE
        const exact = BigInt(nearestMultiple(at, interval))
        const [value, step] = [BigInt(at), BigInt(interval)]
        const [low, rest] = [value / step, value % step]
        const up = rest * 2n > step || (rest * 2n === step && low % 2n === 1n)
        expect(exact).toBe((up ? low + 1n : low) * step)
      }),
    )
  })

  test('a strike that is not listed is refused by its symbol, and those near it are told', () => {
    const refusal = refusalOf(() => pick(series, '25966.4', 'OTM1', 'CE', 30))
    expect(refusal.code).toBe('option_not_found')
    expect(refusal.message).toBe(
      'Option symbol NIFTY28OCT2526010CE not found in NFO. Symbol may not exist or master contract needs update. Strikes listed near it: 25950, 26000, 26050, 26100; without strike_int, offsets count listed strikes.',
    )
  })

  test('below zero it is refused', () => {
    expect(refusalOf(() => pick(series, '25966.4', 'ITM50', 'CE', 10_000)).code).toBe('offset_out_of_range')
    expect(refusalOf(() => pick(series, '25966.4', 'ITM50', 'CE', 100_000)).code).toBe('offset_out_of_range')
    expect(refusalOf(() => pick(series, '25966.4', 'OTM50', 'CE', 100_000)).code).toBe('option_not_found')
  })
})
