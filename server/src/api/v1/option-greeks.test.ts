import { afterAll, describe, expect, test } from 'vitest'
import { Refusal } from '../../kernel/errors.ts'
import { CALL, closeAll, type Market, open } from './test-greeks-market.ts'

afterAll(closeAll)

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
