import { describe, expect, test } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { priceOf } from '../kernel/fixed.ts'
import {
  createCalendar,
  createSimulator,
  createUniverse,
  type Exchange,
  InstrumentStore,
  type Quote,
} from '../market/index.ts'
import { openExpiries } from './expiries.ts'
import { parseOffset } from './offset.ts'
import type { QuoteSource } from './quote-sheet.ts'
import { OptionResolver } from './resolver.ts'

const SEED = 1
const calendar = createCalendar({ hours: 'exchange' })
const stores = new Map<string, InstrumentStore>()
function storeOn(date: string): InstrumentStore {
  const store = stores.get(date) ?? new InstrumentStore(createUniverse({ date, seed: SEED }))
  stores.set(date, store)
  return store
}

/** A resolver over the simulated market at that moment; the prices of `told` symbols are those, and of that age. */
function resolverAt(at: string, told: Record<string, { ltp: string | number; ageMs?: number }> = {}) {
  const clock = new ManualClock(at)
  const store = storeOn(at.slice(0, 10))
  const market = createSimulator({ seed: SEED, clock, calendar })
  const asked: string[] = []
  const marketData: QuoteSource = {
    async quotes(instruments) {
      asked.push(...instruments.map(({ symbol, exchange }) => `${exchange}:${symbol}`))
      const quotes = await market.quotes(instruments)
      return quotes.map((quote, index) => {
        const own = told[instruments[index]?.symbol ?? '']
        if (own === undefined || quote instanceof Error) return quote
        return { ...quote, ltp: priceOf(own.ltp), at: own.ageMs === undefined ? quote.at : clock.now() - own.ageMs }
      })
    },
  }
  const resolver = new OptionResolver({ store: () => store, marketData, calendar, clock })
  return { resolver, clock, store, market, asked }
}

const NOON = '2026-11-25T12:00:00+05:30'

const choice = (offset: string, type: 'CE' | 'PE' = 'CE', strikeInterval?: number) => ({
  offset: parseOffset(offset) ?? { side: 'ATM' as const, steps: 0 },
  type,
  strikeInterval,
})

const refusal = async (run: () => Promise<unknown> | unknown): Promise<Refusal> => {
  try {
    await run()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  throw new Error('was not refused')
}

describe('whose price counts, and where the options trade', () => {
  test.each<[string, Exchange, string | undefined, string, string]>([
    ['NIFTY', 'NSE_INDEX', '2026-12-01', 'NSE_INDEX:NIFTY', 'NIFTY01DEC26'],
    ['NIFTY01DEC26FUT', 'NSE_INDEX', undefined, 'NSE_INDEX:NIFTY', 'NIFTY01DEC26'],
    ['NIFTY08DEC26', 'NFO', '2026-12-01', 'NSE_INDEX:NIFTY', 'NIFTY01DEC26'], // the field wins
    ['NIFTYNXT50', 'NSE_INDEX', '2026-12-29', 'NSE_INDEX:NIFTYNXT50', 'NIFTYNXT5029DEC26'],
    ['NIFTYNXT5029DEC26', 'NFO', undefined, 'NSE_INDEX:NIFTYNXT50', 'NIFTYNXT5029DEC26'],
    ['RELIANCE', 'NSE', '2026-12-29', 'NSE:RELIANCE', 'RELIANCE29DEC26'],
    ['RELIANCE', 'NFO', '2026-12-29', 'NSE:RELIANCE', 'RELIANCE29DEC26'],
    ['M&M29DEC26FUT', 'NFO', undefined, 'NSE:M&M', 'M&M29DEC26'],
    ['BAJAJ-AUTO29DEC26', 'NSE', undefined, 'NSE:BAJAJ-AUTO', 'BAJAJ-AUTO29DEC26'],
    ['360ONE29DEC26FUT', 'NFO', undefined, 'NSE:360ONE', '360ONE29DEC26'],
    ['SENSEX', 'BSE_INDEX', '2026-11-26', 'BSE_INDEX:SENSEX', 'SENSEX26NOV26'],
    ['SENSEX26NOV26', 'BFO', undefined, 'BSE_INDEX:SENSEX', 'SENSEX26NOV26'],
    ['SENSEX50', 'BFO', '2026-12-31', 'BSE_INDEX:SENSEX50', 'SENSEX5031DEC26'],
    // Options on futures: the future of the expiry, or the next one
    ['CRUDEOIL', 'MCX', '2026-12-16', 'MCX:CRUDEOIL18DEC26FUT', 'CRUDEOIL16DEC26'],
    ['CRUDEOIL16DEC26', 'MCX', undefined, 'MCX:CRUDEOIL18DEC26FUT', 'CRUDEOIL16DEC26'],
    ['CRUDEOIL19JAN27FUT', 'MCX', '2026-12-16', 'MCX:CRUDEOIL19JAN27FUT', 'CRUDEOIL16DEC26'], // as it is named
    ['GOLD', 'MCX', '2026-11-30', 'MCX:GOLD04DEC26FUT', 'GOLD30NOV26'],
    ['COPPER', 'NCO', '2026-12-21', 'NCO:COPPER24DEC26FUT', 'COPPER21DEC26'],
    ['USDINR', 'CDS', '2026-12-29', 'CDS:USDINR29DEC26FUT', 'USDINR29DEC26'],
    ['USDINR', 'CDS', '2026-11-27', 'CDS:USDINR29DEC26FUT', 'USDINR27NOV26'],
    ['BTC', 'CRYPTO', '2026-12-25', 'CRYPTO:BTCUSDFUT', 'BTC25DEC26'],
  ])('%s on %s for %s: %s, %s', async (underlying, exchange, expiry, reference, prefix) => {
    const { resolver, asked } = resolverAt(NOON)
    const { option } = await resolver.resolve({ underlying, exchange, expiry }, choice('ATM'))
    expect(asked).toEqual([reference])
    const series = resolver.series({ underlying, exchange, expiry })
    expect(`${series.reference.exchange}:${series.reference.symbol}`).toBe(reference)
    expect(option.symbol.startsWith(prefix)).toBe(true)
    expect(option.kind).toBe('CE')
    expect(option.exchange).toBe(series.exchange)
  })

  test('the strike at the money is that of the price which is answered', async () => {
    const { resolver } = resolverAt(NOON, { NIFTY: { ltp: '26025' } })
    const wanted = { underlying: 'NIFTY', exchange: 'NSE_INDEX' as const, expiry: '2026-12-01' }
    const atm = await resolver.resolve(wanted, choice('ATM'))
    expect(atm.option.symbol).toBe('NIFTY01DEC2626000CE') // as near as 26050: the lower
    expect(atm.underlyingPrice).toBe(priceOf('26025'))
    expect((await resolver.resolve(wanted, choice('OTM2', 'PE'))).option.symbol).toBe('NIFTY01DEC2625900PE')
    expect((await resolver.resolve(wanted, choice('ITM1', 'CE', 100))).option.symbol).toBe('NIFTY01DEC2625900CE')
  })

  test('fractional strikes keep their decimals', async () => {
    const { resolver } = resolverAt(NOON, { USDINR29DEC26FUT: { ltp: '89.6' } })
    const wanted = { underlying: 'USDINR', exchange: 'CDS' as const, expiry: '2026-12-29' }
    expect((await resolver.resolve(wanted, choice('ATM'))).option.symbol).toBe('USDINR29DEC2689.5CE')
    expect((await resolver.resolve(wanted, choice('OTM1'))).option.symbol).toBe('USDINR29DEC2689.75CE')
  })
})

describe('what is refused', () => {
  test.each<[string, Exchange, string | undefined, string, string]>([
    [
      'NIFTY',
      'NSE_INDEX',
      undefined,
      'expiry_missing',
      'Expiry date required. Provide via expiry_date parameter or embed in underlying (e.g., NIFTY28OCT25FUT). Options of NIFTY on NFO expire on 01DEC26, 08DEC26, 15DEC26 and 7 more.',
    ],
    [
      'BANKNIFTY', // has no weekly options
      'NSE_INDEX',
      '2026-12-01',
      'option_not_found',
      'No strikes found for BANKNIFTY expiring 01DEC26. Please check expiry date or update master contract. Options of BANKNIFTY on NFO expire on 29DEC26, 25JAN27, 23FEB27 and 2 more.',
    ],
    [
      'CRUDEOIL18DEC26FUT', // the options end before their future
      'MCX',
      undefined,
      'option_not_found',
      'No strikes found for CRUDEOIL expiring 18DEC26. Please check expiry date or update master contract. Options of CRUDEOIL on MCX expire on 16DEC26, 15JAN27, 17FEB27 and 3 more.',
    ],
    [
      'NIFTY',
      'NSE',
      '2026-12-01',
      'symbol_not_found',
      "Failed to fetch LTP for NIFTY. Symbol 'NIFTY' not found for exchange 'NSE'. NIFTY is listed on NSE_INDEX; send that exchange.",
    ],
    [
      'NIFTI',
      'NSE_INDEX',
      '2026-12-01',
      'symbol_not_found',
      "Failed to fetch LTP for NIFTI. Symbol 'NIFTI' not found for exchange 'NSE_INDEX'. Did you mean NIFTY",
    ],
    [
      'CRUDOIL',
      'MCX',
      '2026-12-16',
      'symbol_not_found',
      "Failed to fetch LTP for CRUDOIL. Symbol 'CRUDOIL' not found for exchange 'MCX'. Did you mean CRUDEOIL",
    ],
    [
      'CRUDEOIL17DEC26FUT',
      'MCX',
      '2026-12-16',
      'symbol_not_found',
      "Failed to fetch LTP for CRUDEOIL17DEC26FUT. Symbol 'CRUDEOIL17DEC26FUT' not found for exchange 'MCX'. Futures of CRUDEOIL are CRUDEOIL18DEC26FUT, CRUDEOIL19JAN27FUT, CRUDEOIL19FEB27FUT.",
    ],
    [
      'GOLD',
      'MCX',
      '2029-12-04',
      'option_not_found',
      'No strikes found for GOLD expiring 04DEC29: its last future on MCX is GOLD05APR27FUT.',
    ],
    [
      'BTX',
      'CRYPTO',
      '2026-12-25',
      'option_not_found',
      'No perpetual futures found for BTX on CRYPTO. Did you mean BTC?',
    ],
    [
      'TATATECHX',
      'NFO',
      '2026-12-29',
      'symbol_not_found',
      "Failed to fetch LTP for TATATECHX. Symbol 'TATATECHX' not found for exchange 'NSE'.",
    ],
    [
      'INDIAVIX',
      'NSE_INDEX',
      '2026-12-29',
      'option_not_found',
      'No strikes found for INDIAVIX expiring 29DEC26. Please check expiry date or update master contract. No options of INDIAVIX are listed on NFO.',
    ],
  ])('%s on %s for %s: %s', async (underlying, exchange, expiry, code, message) => {
    const { resolver, asked } = resolverAt(NOON)
    const refused = await refusal(() => resolver.resolve({ underlying, exchange, expiry }, choice('ATM')))
    expect([refused.code, refused.message.slice(0, message.length)]).toEqual([code, message])
    expect(asked).toEqual([])
  })

  test('a contract that has closed on its last day, though it is listed until midnight', async () => {
    const wanted = { underlying: 'SENSEX', exchange: 'BFO' as const, expiry: '2026-11-26' }
    const before = resolverAt('2026-11-26T15:39:59+05:30')
    expect((await before.resolver.resolve(wanted, choice('ATM'))).option.expiry).toBe('2026-11-26')
    expect(openExpiries(before.resolver.listed(), 'SENSEX', 'BFO')[0]).toBe('2026-11-26')

    const after = resolverAt('2026-11-26T15:40:00+05:30')
    const refused = await refusal(() => after.resolver.resolve(wanted, choice('ATM')))
    expect([refused.code, refused.message]).toEqual([
      'contract_expired',
      'Options of SENSEX expiring 26NOV26 ended at 2026-11-26 15:40:00. Options of SENSEX on BFO expire on 03DEC26, 10DEC26, 17DEC26 and 4 more.',
    ])
    expect(openExpiries(after.resolver.listed(), 'SENSEX', 'BFO')[0]).toBe('2026-12-03')
  })

  test('a price of the underlying that is too old, while its exchange is open', async () => {
    const wanted = { underlying: 'NIFTY', exchange: 'NSE_INDEX' as const, expiry: '2026-12-01' }
    const fresh = resolverAt(NOON, { NIFTY: { ltp: 26000, ageMs: 10_000 } })
    expect((await fresh.resolver.resolve(wanted, choice('ATM'))).option.symbol).toBe('NIFTY01DEC2626000CE')

    const stale = resolverAt(NOON, { NIFTY: { ltp: 26000, ageMs: 35_000 } })
    const refused = await refusal(() => stale.resolver.resolve(wanted, choice('ATM')))
    expect([refused.code, refused.message]).toEqual([
      'quote_unavailable',
      'Failed to fetch LTP for NIFTY. Its last price is of 2026-11-25 11:59:25, 35 s old; strikes are chosen by one of the last 10 s. Try again when prices arrive.',
    ])
  })

  test('no price at all', async () => {
    const { resolver } = resolverAt(NOON, { NIFTY: { ltp: 0 } })
    const wanted = { underlying: 'NIFTY', exchange: 'NSE_INDEX' as const, expiry: '2026-12-01' }
    const refused = await refusal(() => resolver.resolve(wanted, choice('ATM')))
    expect([refused.code, refused.message]).toEqual([
      'quote_unavailable',
      'Could not determine LTP for NIFTY. The source has no last price of it.',
    ])
  })

  test("a source's own refusal is passed on, a bug isn't taken for one", async () => {
    const { store, clock } = resolverAt(NOON)
    const wanted = { underlying: 'NIFTY', exchange: 'NSE_INDEX' as const, expiry: '2026-12-01' }
    const answering = (answer: Quote | Error) =>
      new OptionResolver({
        store: () => store,
        calendar,
        clock,
        marketData: { quotes: async () => [answer] },
      })
    const down = answering(new Refusal('quote_unavailable', 'The feed is down'))
    const refused = await refusal(() => down.resolve(wanted, choice('ATM')))
    expect([refused.code, refused.message]).toEqual([
      'quote_unavailable',
      'Failed to fetch LTP for NIFTY. The feed is down',
    ])
    const broken = answering(new TypeError('a bug'))
    await expect(broken.resolve(wanted, choice('ATM'))).rejects.toThrow(TypeError)
  })
})

describe('several options at once', () => {
  test('each price is asked for once, and what one lacks is no matter of the others', async () => {
    const { resolver, asked } = resolverAt(NOON, { CRUDEOIL19JAN27FUT: { ltp: 0 } })
    const crude = (expiry: string) => ({ underlying: 'CRUDEOIL', exchange: 'MCX' as const, expiry })
    const found = await resolver.resolveAll([
      { series: crude('2026-12-16'), choice: choice('ATM') },
      { series: crude('2026-12-16'), choice: choice('OTM1', 'PE', 7) },
      { series: crude('2027-01-15'), choice: choice('ATM') },
      { series: crude('2026-12-17'), choice: choice('ATM') },
      { series: crude('2026-12-16'), choice: choice('OTM1', 'PE') },
    ])
    expect(asked).toEqual(['MCX:CRUDEOIL18DEC26FUT', 'MCX:CRUDEOIL19JAN27FUT'])
    expect(found.map((each) => ('refusal' in each ? each.refusal.code : each.option.kind))).toEqual([
      'CE',
      'option_not_found',
      'quote_unavailable',
      'option_not_found',
      'PE',
    ])
    expect(found.map(({ underlyingPrice }) => underlyingPrice !== undefined)).toEqual([true, true, false, false, true])
  })
})

describe('outside of trading hours', () => {
  const wanted = { underlying: 'NIFTY', exchange: 'NSE_INDEX' as const, expiry: '2026-12-01' }

  test.each([
    ['in the minutes that options trade longer than their index', '2026-11-25T15:35:00+05:30'],
    ['in the evening', '2026-11-25T20:00:00+05:30'],
    ['on a Sunday', '2026-11-29T12:00:00+05:30'],
  ])('%s the last price of the session counts', async (_, at) => {
    const { resolver, market, store } = resolverAt(at)
    const { underlyingPrice } = await resolver.resolve(wanted, choice('ATM'))
    const index = store.find('NIFTY', 'NSE_INDEX')
    if (index === undefined) throw new Error('no index')
    expect(underlyingPrice).toBe(market.quoteNow(index).ltp)
  })

  test('one that is older than the session is not its last price', async () => {
    const { resolver } = resolverAt('2026-11-25T15:35:00+05:30', { NIFTY: { ltp: 26000, ageMs: 6 * 60_000 } })
    expect((await refusal(() => resolver.resolve(wanted, choice('ATM')))).code).toBe('quote_unavailable')
  })
})

test('options on a future that is not listed say so', async () => {
  const options = new InstrumentStore(
    [...storeOn('2026-11-25')].filter(({ name, kind }) => name === 'CRUDEOIL' && kind !== 'FUT'),
  )
  const clock = new ManualClock(NOON)
  const resolver = new OptionResolver({ store: () => options, marketData: { quotes: async () => [] }, calendar, clock })
  const refused = await refusal(() =>
    resolver.series({ underlying: 'CRUDEOIL', exchange: 'MCX', expiry: '2026-12-16' }),
  )
  expect([refused.code, refused.message]).toEqual([
    'option_not_found',
    'No unexpired futures found for CRUDEOIL on MCX. MCX options are priced against the future behind them, which this product does not currently have.',
  ])
})
