import { afterAll, describe, expect, test } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { multiplierOf, type Price, priceOf, quantityOf, ZERO_PRICE, ZERO_QUANTITY } from '../../kernel/fixed.ts'
import { createCalendar, type Exchange, type Instrument, InstrumentStore, type Quote } from '../../market/index.ts'
import { parseSymbol } from '../../market/symbol.ts'
import { Forwards, OptionGreeks } from '../../options/index.ts'
import { call, READ_KEY, testApi } from '../test-api.ts'
import { GREEKS_SYMBOLS_MAX, multioptiongreeks, optiongreeks } from './option-greeks.ts'

/** 28.5071 days before 15:30 of that day. */
const NOW = Date.parse('2026-08-25T15:30:00+05:30') - 28.5071 * 86_400_000

const calendar = createCalendar({ hours: 'exchange' })

/** What is listed, with its price. */
const LISTED: readonly (readonly [symbol: string, exchange: Exchange, price: string, more?: Partial<Instrument>])[] = [
  ['NIFTY', 'NSE_INDEX', '25910.05'],
  ['NIFTY25AUG26FUT', 'NFO', '25966.05'],
  ['NIFTY29SEP26FUT', 'NFO', '26100'],
  ['NIFTY25AUG2626000CE', 'NFO', '435'],
  ['NIFTY25AUG2626000PE', 'NFO', '468.95'],
  ['NIFTY25AUG2625000CE', 'NFO', '966.05'], // no time value
  ['NIFTY25AUG2628000PE', 'NFO', '2000'], // below intrinsic value
  ['NIFTY25AUG2640000CE', 'NFO', '0'], // never traded
  ['NIFTY25AUG2626050CE', 'NFO', '26000'], // more than the forward
  ['SBIN', 'NFO', '800', { kind: 'EQ' }],
  ['NIFTYNXT50', 'NSE_INDEX', '68000'],
  ['NIFTYNXT5025AUG2668000CE', 'NFO', '1500'],
  ['M&M', 'NSE', '3200'],
  ['M&M25AUG263200CE', 'NFO', '90'],
  ['BAJAJ-AUTO', 'NSE', '9000'],
  ['BAJAJ-AUTO25AUG269000PE', 'NFO', '200'],
  ['360ONE', 'NSE', '1100'],
  ['360ONE25AUG261100CE', 'NFO', '40'],
  ['SENSEX', 'BSE_INDEX', '85000'],
  ['SENSEX25AUG2685000CE', 'BFO', '1300'],
  ['GOLD25AUG26100000CE', 'MCX', '1800'],
  ['GOLD05OCT26FUT', 'MCX', '99000'],
  ['USDINR25AUG26FUT', 'CDS', '95.3275'],
  ['USDINR25AUG2695.25CE', 'CDS', '0.4575', { tickSize: priceOf('0.0025') }],
  ['BTCUSDFUT', 'CRYPTO', '100000', { kind: 'PERPFUT', name: 'BTC' }],
  ['BTC25AUG26100000CE', 'CRYPTO', '4000'],
]

function instrumentOf(id: number, symbol: string, exchange: Exchange, more: Partial<Instrument> = {}): Instrument {
  const parsed = parseSymbol(symbol, exchange)
  const isOption = parsed?.kind === 'option'
  const isIndex = exchange.endsWith('_INDEX')
  return {
    id,
    symbol,
    exchange,
    kind: isOption ? parsed.type : parsed?.kind === 'future' ? 'FUT' : isIndex ? 'INDEX' : 'EQ',
    name: parsed?.base ?? symbol,
    expiry: isOption || parsed?.kind === 'future' ? parsed.expiry : undefined,
    strike: isOption ? parsed.strike : ZERO_PRICE,
    lotSize: quantityOf(1),
    tickSize: priceOf('0.05'),
    freezeQuantity: quantityOf(0),
    multiplier: multiplierOf(1),
    token: String(id),
    sourceSymbol: symbol,
    sourceExchange: exchange,
    ...more,
  }
}

const store = new InstrumentStore(
  LISTED.map(([symbol, exchange, , more], index) => instrumentOf(index + 1, symbol, exchange, more)),
)
const PRICES = new Map(LISTED.map(([symbol, , price]) => [symbol, priceOf(price)]))

interface Market {
  readonly now?: number
  readonly prices?: Readonly<Record<string, string | Refusal>>
  readonly ageMs?: Readonly<Record<string, number>>
}

type Desk = Awaited<ReturnType<typeof start>>
const desks = new Map<Market | undefined, Desk>()
afterAll(async () => {
  for (const { close } of desks.values()) await close()
})

/** One server for each market; the usual one serves most tests. */
async function open(market?: Market): Promise<Desk> {
  const desk = desks.get(market) ?? (await start(market))
  desks.set(market, desk)
  desk.asked.length = 0
  return desk
}

async function start({ now = NOW, prices = {}, ageMs = {} }: Market = {}) {
  const asked: string[][] = []
  const marketData = {
    quotes(instruments: readonly Instrument[]): (Quote | Refusal)[] {
      asked.push(instruments.map(({ symbol }) => symbol))
      return instruments.map(({ symbol }) => {
        const given = prices[symbol] ?? PRICES.get(symbol) ?? ZERO_PRICE
        if (given instanceof Refusal) return given
        const ltp: Price = typeof given === 'string' ? priceOf(given) : given
        const none = { open: ltp, high: ltp, low: ltp, prevClose: ltp, volume: ZERO_QUANTITY }
        const at = now - (ageMs[symbol] ?? 0)
        return { at, ltp, bid: ZERO_PRICE, ask: ZERO_PRICE, openInterest: ZERO_QUANTITY, ...none }
      })
    },
  }
  const clock = new ManualClock(now)
  const forwards = new Forwards({ store: () => store, marketData, calendar, clock })
  const optionGreeks = new OptionGreeks({ forwards, calendar, clock })
  const instruments = {
    find: (symbol: string, exchange: Exchange) => store.find(symbol, exchange),
    nearest: (symbol: string, exchange: Exchange, count: number) => store.nearest(symbol, exchange, count),
  }
  const app = await testApi([optiongreeks, multioptiongreeks], { instruments, optionGreeks }, { now })
  return {
    asked,
    close: () => app.close(),
    one: (input: object) => call(app, 'optiongreeks', input, READ_KEY),
    many: (input: object) => call(app, 'multioptiongreeks', input, READ_KEY),
  }
}

const CALL = { symbol: 'NIFTY25AUG2626000CE', exchange: 'NFO' }

describe('optiongreeks', () => {
  test('answers as clients know it, keys in their order', async () => {
    const { one } = await open()
    const answer = await one({ ...CALL, expiry_time: '15:30' })
    expect(answer.status).toBe(200)
    expect(answer.text).toBe(
      '{"days_to_expiry":28.5071,"exchange":"NFO","expiry_date":"25-Aug-2026","forward_source":"future",' +
        '"greeks":{"delta":0.4967,"gamma":0.000352,"rho":-0.339742,"theta":-7.919,"vega":28.9489},' +
        '"implied_volatility":15.6,"interest_rate":0,"option_price":435,"option_type":"CE","spot_price":25966.05,' +
        '"status":"success","strike":26000,"symbol":"NIFTY25AUG2626000CE","underlying":"NIFTY"}',
    )
  })

  test('without an expiry_time the option ends when its exchange closes', async () => {
    const { one } = await open()
    const { body } = await one(CALL)
    expect(body).toMatchObject({ days_to_expiry: 28.514, implied_volatility: 15.59 })
  })

  test('asks for every price at once', async () => {
    const { one, asked } = await open()
    await one(CALL)
    expect(asked).toEqual([['NIFTY25AUG2626000CE', 'NIFTY', 'NIFTY25AUG26FUT']])
  })

  test.each([
    [{ forward_price: 25966.05 }, 25966.05, 'given'],
    [{ forward_price: '26000.000000000004' }, 26000, 'given'], // sums of floats
    [{ forward_price: 0 }, 25966.05, 'future'],
    [{ underlying_symbol: 'nifty' }, 25966.05, 'future'],
    [{ underlying_symbol: '', underlying_exchange: '' }, 25966.05, 'future'],
    [{ underlying_symbol: ' NIFTY29SEP26FUT' }, 26100, 'named'],
    [{ underlying_symbol: 'NIFTY29SEP26FUT', underlying_exchange: 'NFO' }, 26100, 'named'],
    [{ underlying_symbol: 'NIFTYNXT50' }, 68000, undefined], // the price is below what that implies
    [{ underlying_symbol: 'NIFTY', underlying_exchange: 'NSE_INDEX' }, 25966.05, 'future'],
    [{ forward_price: 25900, underlying_symbol: 'NIFTY29SEP26FUT' }, 25900, 'given'],
  ])('%j makes %d the forward', async (more, forward, source) => {
    const { one } = await open()
    const { status, body } = await one({ ...CALL, ...more })
    expect([status, body]).toMatchObject([200, { spot_price: forward, forward_source: source ?? 'named' }])
  })

  test('a forward that is given needs no underlying', async () => {
    const { one, asked } = await open()
    await one({ ...CALL, forward_price: 25966.05 })
    expect(asked).toEqual([['NIFTY25AUG2626000CE']])
  })

  test.each([
    ['NIFTYNXT5025AUG2668000CE', 'NFO', 'NIFTYNXT50', 68000, 'spot'],
    ['M&M25AUG263200CE', 'NFO', 'M&M', 3200, 'spot'],
    ['BAJAJ-AUTO25AUG269000PE', 'NFO', 'BAJAJ-AUTO', 9000, 'spot'],
    ['360ONE25AUG261100CE', 'NFO', '360ONE', 1100, 'spot'],
    ['SENSEX25AUG2685000CE', 'BFO', 'SENSEX', 85000, 'spot'],
    ['GOLD25AUG26100000CE', 'MCX', 'GOLD', 99000, 'future'],
    ['USDINR25AUG2695.25CE', 'CDS', 'USDINR', 95.3275, 'future'],
    ['BTC25AUG26100000CE', 'CRYPTO', 'BTC', 100000, 'spot'],
  ])('%s on %s is understood', async (symbol, exchange, underlying, forward, source) => {
    const { one } = await open()
    const { status, body } = await one({ symbol, exchange })
    expect([status, body]).toMatchObject([200, { underlying, spot_price: forward, forward_source: source }])
    expect((body as unknown as { implied_volatility: number }).implied_volatility).toBeGreaterThan(1)
  })

  test('interest is for the premium; spot is carried by it', async () => {
    const { one } = await open()
    const { body } = await one({ symbol: 'M&M25AUG263200CE', exchange: 'NFO', interest_rate: '6.5' })
    expect(body).toMatchObject({ interest_rate: 6.5, spot_price: 3216.29 })
  })

  test('without time value what is exercised for certain is told', async () => {
    const { one } = await open()
    const { status, text } = await one({ symbol: 'NIFTY25AUG2625000CE', exchange: 'NFO', expiry_time: '15:30' })
    expect([status, text]).toEqual([
      200,
      '{"bound":"no_time_value","days_to_expiry":28.5071,"exchange":"NFO","expiry_date":"25-Aug-2026","forward_source":"future","greeks":{"delta":1,"gamma":0,"rho":0,"theta":0,"vega":0},"implied_volatility":0,"interest_rate":0,"intrinsic_value":966.05,"note":"Deep ITM option with no time value - theoretical Greeks returned","option_price":966.05,"option_type":"CE","spot_price":25966.05,"status":"success","strike":25000,"symbol":"NIFTY25AUG2625000CE","time_value":0,"underlying":"NIFTY"}',
    ])
  })

  test('a price below the intrinsic value is said to be so', async () => {
    const { one } = await open()
    const { status, body } = await one({ symbol: 'NIFTY25AUG2628000PE', exchange: 'NFO' })
    expect([status, body]).toMatchObject([
      200,
      {
        bound: 'below_intrinsic',
        greeks: { delta: -1, gamma: 0, rho: 0, theta: 0, vega: 0 },
        implied_volatility: 0,
        intrinsic_value: 2033.95,
        time_value: -33.95,
        note: 'Deep ITM option with no time value - theoretical Greeks returned. The price 2000 with interest is below the intrinsic value 2033.95, which no volatility explains.',
      },
    ])
  })

  test('minutes before the end, the time that is left counts', async () => {
    const now = Date.parse('2026-08-25T15:39:00+05:30')
    const { one } = await open({ now, prices: { NIFTY25AUG2626000CE: '1.5' } })
    const { body } = await one(CALL)
    expect(body).toMatchObject({ days_to_expiry: 0.0007, implied_volatility: 77.67 })
  })

  test.each<[string, object, Market, number, string, string]>([
    [
      'never traded',
      { symbol: 'NIFTY25AUG2640000CE' },
      {},
      404,
      'quote_unavailable',
      'Option LTP not available. The source has no last price of NIFTY25AUG2640000CE on NFO.',
    ],
    [
      'stale',
      {},
      { ageMs: { NIFTY25AUG2626000CE: 86_400_000 } },
      404,
      'quote_unavailable',
      'Option LTP not available. The last price of NIFTY25AUG2626000CE on NFO is of 2026-07-27 03:19:46, 44412 s old; at most 10 s count.',
    ],
    [
      'no forward',
      {},
      { prices: { NIFTY: '0', NIFTY25AUG26FUT: '0', NIFTY25AUG2626000PE: '0' } },
      404,
      'quote_unavailable',
      'No forward of NIFTY',
    ],
    [
      'no price of a named underlying',
      { underlying_symbol: 'NIFTY29SEP26FUT' },
      { prices: { NIFTY29SEP26FUT: '0' } },
      404,
      'quote_unavailable',
      'Underlying LTP not available. The source has no last price of NIFTY29SEP26FUT on NFO.',
    ],
    [
      'slow source',
      {},
      { prices: { NIFTY25AUG2626000CE: new Refusal('source_slow', 'It took 5 s.') } },
      504,
      'source_slow',
      'Option LTP not available. It took 5 s.',
    ],
    [
      'more than the forward',
      { symbol: 'NIFTY25AUG2626050CE' },
      {},
      400,
      'price_above_maximum',
      'Failed to calculate Implied Volatility: price exceeds theoretical maximum. The price 26000 of NIFTY25AUG2626050CE with interest must be below the forward 25966.05.',
    ],
    [
      'an expired option',
      { symbol: 'NIFTY28JUL2626000CE' },
      { now: Date.parse('2026-07-29T10:00:00+05:30') },
      400,
      'contract_expired',
      'Option has expired on 28-Jul-2026.',
    ],
    [
      'an option after the close of its last day',
      {},
      { now: Date.parse('2026-08-25T15:40:00+05:30') },
      400,
      'contract_expired',
      'Option has expired on 25-Aug-2026.',
    ],
    [
      'an option after expiry_time',
      { expiry_time: '9:15' },
      { now: Date.parse('2026-08-25T09:15:00+05:30') },
      400,
      'contract_expired',
      'Option has expired on 25-Aug-2026.',
    ],
    [
      'an unknown option',
      { symbol: 'NIFTY25AUG2626000.5CE' },
      {},
      400,
      'symbol_not_found',
      "Symbol 'NIFTY25AUG2626000.5CE' not found for exchange 'NFO'. Please verify the symbol name and ensure master contracts are downloaded. Did you mean NIFTY25AUG2626000CE",
    ],
    [
      'an unknown underlying',
      { underlying_symbol: 'NIFTI' },
      {},
      400,
      'symbol_not_found',
      "Failed to fetch underlying price: Symbol 'NIFTI' not found for exchange 'NFO'.",
    ],
    [
      'an unknown underlying of an exchange',
      { underlying_symbol: 'NIFTI', underlying_exchange: 'NSE_INDEX' },
      {},
      400,
      'symbol_not_found',
      "Symbol 'NIFTI' not found for exchange 'NSE_INDEX'.",
    ],
    [
      'a future',
      { symbol: 'NIFTY25AUG26FUT' },
      {},
      400,
      'validation_failed',
      'Failed to parse option symbol NIFTY25AUG26FUT: Invalid option symbol format: NIFTY25AUG26FUT.',
    ],
    ['a share', { symbol: 'SBIN' }, {}, 400, 'validation_failed', 'Failed to parse option symbol SBIN'],
  ])('refuses %s', async (_what, more, market, status, code, message) => {
    const { one } = await open(Object.keys(market).length === 0 ? undefined : market)
    const answer = await one({ ...CALL, ...more })
    expect([
      answer.status,
      answer.body.code,
      answer.body.message?.startsWith(message) ? message : answer.body.message,
    ]).toEqual([status, code, message])
  })

  test.each([
    [{ symbol: undefined }, 'symbol', 'Missing data for required field.'],
    [{ symbol: 7 }, 'symbol', 'Not a valid string. Got 7.'],
    [{ symbol: null }, 'symbol', 'Field may not be null.'],
    [{ symbol: '' }, 'symbol', 'Symbol must be between 1 and 50 characters. Got "".'],
    [{ exchange: undefined }, 'exchange', 'Missing data for required field.'],
    [{ exchange: 'NSE' }, 'exchange', 'Must be one of: NFO, BFO, MCX, CDS, NCO, BCD, NCDEX, CRYPTO. Got "NSE"'],
    [
      { interest_rate: -1 },
      'interest_rate',
      'Must be greater than or equal to 0 and less than or equal to 100. Got -1.',
    ],
    [
      { interest_rate: 100.01 },
      'interest_rate',
      'Must be greater than or equal to 0 and less than or equal to 100. Got 100.01.',
    ],
    [{ interest_rate: null }, 'interest_rate', 'Field may not be null.'],
    [{ interest_rate: 'six' }, 'interest_rate', 'Not a valid number. Got "six".'],
    [{ interest_rate: true }, 'interest_rate', 'Not a valid number. Got true.'],
    [
      { interest_rate: 'NaN' },
      'interest_rate',
      'Special numeric values (nan or infinity) are not permitted. Got "NaN".',
    ],
    [
      { forward_price: '1e999' },
      'forward_price',
      'Special numeric values (nan or infinity) are not permitted. Got "1e999".',
    ],
    [{ forward_price: -0.05 }, 'forward_price', 'Must be greater than or equal to 0. Got -0.05.'],
    [{ forward_price: 1e9 }, 'forward_price', 'Must be less than or equal to 90000000. Got 1000000000.'],
    [{ forward_price: [] }, 'forward_price', 'Not a valid number. Got a list of 0 items.'],
    [{ underlying_symbol: 5 }, 'underlying_symbol', 'Not a valid string. Got 5.'],
    [{ underlying_exchange: 'NYSE' }, 'underlying_exchange', 'Must be one of: NSE,'],
    [
      { expiry_time: '3:30 PM' },
      'expiry_time',
      `Invalid expiry_time format: "3:30 PM". Use HH:MM format (e.g., '15:30', '19:00')`,
    ],
    [
      { expiry_time: '24:00' },
      'expiry_time',
      'Invalid expiry_time values: "24:00". Hour must be 0-23, minute must be 0-59',
    ],
    [
      { expiry_time: '15:60' },
      'expiry_time',
      'Invalid expiry_time values: "15:60". Hour must be 0-23, minute must be 0-59',
    ],
    [{ expiry_time: 1530 }, 'expiry_time', 'Not a valid string. Got 1530.'],
    [{ strike: 1 }, 'strike', 'Unknown field.'],
  ])('%j is refused by its field', async (more, field, message) => {
    const { one } = await open()
    const { status, body } = await one({ ...CALL, ...more })
    const [error] = body.errors as { field: string; message: string }[]
    expect([status, body.code, error?.field]).toEqual([400, 'validation_failed', field])
    expect(error?.message.slice(0, message.length)).toBe(message)
  })
})

interface Item {
  readonly symbol: string
  readonly status: string
  readonly message?: string
  readonly code?: string
}

describe('multioptiongreeks', () => {
  const named = (...symbols: string[]) => symbols.map((symbol) => ({ symbol, exchange: 'NFO' }))

  test('each answers as alone, in the order of the request, with one question to the source', async () => {
    const { many, one, asked } = await open()
    const symbols = [
      ...named('M&M25AUG263200CE', 'NIFTY25AUG2626000CE', 'NIFTY25AUG2625000CE', 'NIFTY25AUG2626000CE'),
      { symbol: 'USDINR25AUG2695.25CE', exchange: 'CDS' },
      { symbol: 'NIFTY25AUG2626000PE', exchange: 'NFO', underlying_symbol: 'NIFTY29SEP26FUT' },
    ]
    const { status, body } = await many({ symbols, interest_rate: 6.5 })
    expect(asked).toHaveLength(1)
    expect([status, body]).toMatchObject([200, { status: 'success', summary: { failed: 0, success: 6, total: 6 } }])
    expect(body).not.toHaveProperty('message')
    const alone = await Promise.all(symbols.map(async (each) => (await one({ ...each, interest_rate: 6.5 })).body))
    expect(body.data).toEqual(alone)
  })

  test('what fails is said for each, and the rest is there', async () => {
    const { many } = await open()
    const symbols = named(
      'NIFTY25AUG2626000CE',
      'NIFTY25AUG2640000CE',
      'SBIN',
      'NIFTY25AUG2626050CE',
      'NIFTY28JUL2626000CE',
      'NIFTY25AUG269CE',
    )
    const { status, body } = await many({ symbols })
    expect([status, body]).toMatchObject([200, { status: 'partial', summary: { failed: 5, success: 1, total: 6 } }])
    const items = body.data as Item[]
    expect(items.map((item) => [item.symbol, item.status, item.code, item.message?.slice(0, 40)])).toEqual([
      ['NIFTY25AUG2626000CE', 'success', undefined, undefined],
      ['NIFTY25AUG2640000CE', 'error', 'quote_unavailable', 'Option LTP not available. The source has'],
      ['SBIN', 'error', 'validation_failed', 'Failed to parse option symbol SBIN: Inva'],
      ['NIFTY25AUG2626050CE', 'error', 'price_above_maximum', 'Failed to calculate Implied Volatility: '],
      ['NIFTY28JUL2626000CE', 'error', 'symbol_not_found', "Symbol 'NIFTY28JUL2626000CE' not found f"],
      ['NIFTY25AUG269CE', 'error', 'symbol_not_found', "Symbol 'NIFTY25AUG269CE' not found for e"],
    ])
    const [, never, share, above] = items
    expect(body.message).toBe(
      `5 option Greeks calculation(s) failed: ${never?.message}; ${share?.message}; ${above?.message}`,
    )
  })

  test('when everything fails, each still says why', async () => {
    const { many } = await open()
    const { status, body } = await many({ symbols: named('NIFTY25AUG2640000CE') })
    expect([status, body]).toMatchObject([
      200,
      {
        message:
          'All option Greeks calculations failed: Option LTP not available. The source has no last price of NIFTY25AUG2640000CE on NFO.',
        data: [{ status: 'error', code: 'quote_unavailable' }],
        status: 'partial',
        summary: { failed: 1, success: 0, total: 1 },
      },
    ])
  })

  test('options that have expired count as successes, with zeros', async () => {
    const now = Date.parse('2026-08-25T15:45:00+05:30')
    const { many } = await open({ now, prices: { NIFTY25AUG2625000CE: '966' } })
    const { body } = await many({ symbols: named('NIFTY25AUG2625000CE') })
    expect(body).toMatchObject({
      data: [
        {
          bound: 'expired',
          days_to_expiry: 0,
          greeks: { delta: 0, gamma: 0, rho: 0, theta: 0, vega: 0 },
          implied_volatility: 0,
          intrinsic_value: 966.05,
          note: 'Option has expired - Greeks are no longer applicable',
          time_value: -0.05,
        },
      ],
      status: 'success',
    })
  })

  test.each([
    [{ symbols: undefined }, 'symbols', 'Missing data for required field.'],
    [{ symbols: 'NIFTY' }, 'symbols', 'Not a valid list. Got "NIFTY".'],
    [{ symbols: [] }, 'symbols', `Must contain 1 to ${GREEKS_SYMBOLS_MAX} items. Got 0.`],
    [
      { symbols: Array(GREEKS_SYMBOLS_MAX + 1).fill(CALL) },
      'symbols',
      `Must contain 1 to ${GREEKS_SYMBOLS_MAX} items. Got 51.`,
    ],
    [{ symbols: ['NIFTY'] }, 'symbols[0]', 'Not a valid mapping type. Got "NIFTY".'],
    [{ symbols: [CALL, { symbol: 'X' }] }, 'symbols[1].exchange', 'Missing data for required field.'],
    [{ symbols: [{ ...CALL, forward_price: 1 }] }, 'symbols[0].forward_price', 'Unknown field.'],
    [{ symbols: [{ ...CALL, underlying_exchange: 'X' }] }, 'symbols[0].underlying_exchange', 'Must be one of:'],
    [{ symbols: [CALL], interest_rate: 101 }, 'interest_rate', 'Must be greater than or equal to 0 and'],
    [{ symbols: [CALL], expiry_time: 'noon' }, 'expiry_time', 'Invalid expiry_time format: "noon".'],
    [{ symbols: [CALL], forward_price: 5 }, 'forward_price', 'Unknown field.'],
  ])('%j is refused by its field', async (input, field, message) => {
    const { many } = await open()
    const { status, body } = await many(input)
    const [error] = body.errors as { field: string; message: string }[]
    expect([status, body.code, error?.field]).toEqual([400, 'validation_failed', field])
    expect(error?.message.slice(0, message.length)).toBe(message)
  })

  test('few unknown symbols are looked for under other names', async () => {
    const { many } = await open()
    const { body } = await many({ symbols: Array(GREEKS_SYMBOLS_MAX).fill({ ...CALL, symbol: 'NIFTY25AUG2626001CE' }) })
    const hinted = (body.data as Item[]).filter(({ message }) => message?.includes('Did you mean'))
    expect(hinted).toHaveLength(5)
  })

  test('a full request is within the limit', async () => {
    const { many } = await open()
    const { body } = await many({ symbols: Array(GREEKS_SYMBOLS_MAX).fill(CALL) })
    expect(body).toMatchObject({ summary: { success: GREEKS_SYMBOLS_MAX } })
  })
})
