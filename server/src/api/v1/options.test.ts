import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { createCalendar, createSimulator, createUniverse, InstrumentStore } from '../../market/index.ts'
import { OptionResolver } from '../../options/index.ts'
import { call, testApi } from '../test-api.ts'
import { expiry, optionsymbol } from './options.ts'
import { optionsmultiorder, optionsorder } from './options-orders.ts'

type Api = Awaited<ReturnType<typeof testApi>>

const store = new InstrumentStore(createUniverse({ date: '2026-11-26', seed: 1 }))
const calendar = createCalendar({ hours: 'exchange' })

function apiAt(at: string): Promise<Api> {
  const clock = new ManualClock(at)
  const marketData = createSimulator({ seed: 1, clock, calendar })
  const options = new OptionResolver({ store: () => store, marketData, calendar, clock })
  return testApi([expiry, optionsymbol], { optionLookups: options })
}

let app: Api
beforeAll(async () => {
  app = await apiAt('2026-11-26T12:00:00+05:30')
})
afterAll(() => app.close())

describe('expiry', () => {
  test.each([
    [
      { symbol: 'NIFTY', exchange: 'NFO', instrumenttype: 'futures' },
      'Found 3 expiry dates for NIFTY futures in NFO',
      ['29-DEC-26', '25-JAN-27', '23-FEB-27'],
    ],
    [
      { symbol: ' sensex ', exchange: 'BFO', instrumenttype: 'options' },
      'Found 8 expiry dates for SENSEX options in BFO',
      ['26-NOV-26', '03-DEC-26', '10-DEC-26', '17-DEC-26', '24-DEC-26', '31-DEC-26', '28-JAN-27', '25-MAR-27'],
    ],
    [
      { symbol: 'GOLD', exchange: 'MCX', instrumenttype: 'options' }, // not those of GOLDM
      'Found 3 expiry dates for GOLD options in MCX',
      ['30-NOV-26', '01-FEB-27', '30-MAR-27'],
    ],
    [
      { symbol: 'COPPER', exchange: 'NCO', instrumenttype: 'options' }, // futures are not mixed in
      'Found 2 expiry dates for COPPER options in NCO',
      ['21-DEC-26', '20-JAN-27'],
    ],
    [
      { symbol: 'BAJAJ-AUTO', exchange: 'NFO', instrumenttype: 'options' },
      'Found 3 expiry dates for BAJAJ-AUTO options in NFO',
      ['29-DEC-26', '25-JAN-27', '23-FEB-27'],
    ],
    [
      { symbol: 'NIFTI', exchange: 'NFO', instrumenttype: 'options' },
      'No expiry dates found for NIFTI options in NFO. Did you mean NIFTY?',
      [],
    ],
    [
      { symbol: 'LEAD', exchange: 'MCX', instrumenttype: 'options' },
      'No expiry dates found for LEAD options in MCX',
      [],
    ],
  ])('of %j: %s', async (input, message, data) => {
    const answer = await call(app, 'expiry', input)
    expect([answer.status, answer.body]).toEqual([200, { data, message, status: 'success' }])
  })

  test('a day is gone once its contracts have closed', async () => {
    for (const [at, first] of [
      ['2026-11-26T15:39:59+05:30', '26-NOV-26'],
      ['2026-11-26T15:40:00+05:30', '03-DEC-26'],
    ] as const) {
      const then = await apiAt(at)
      const { body } = await call(then, 'expiry', { symbol: 'SENSEX', exchange: 'BFO', instrumenttype: 'options' })
      expect((body.data as string[])[0]).toBe(first)
      await then.close()
    }
  })

  test.each([
    [{ symbol: ' ', exchange: 'NFO', instrumenttype: 'options' }, 'symbol'],
    [{ symbol: 'NIFTY', exchange: 'NSE', instrumenttype: 'options' }, 'exchange'],
    [{ symbol: 'NIFTY', exchange: 'NFO', instrumenttype: 'Options' }, 'instrumenttype'],
    [{ symbol: 'NIFTY', exchange: 'NFO' }, 'instrumenttype'],
  ])('%j is refused', async (input, field) => {
    const { status, body } = await call(app, 'expiry', input)
    expect([status, body.code, (body.errors as { field: string }[]).map((error) => error.field)]).toEqual([
      400,
      'validation_failed',
      [field],
    ])
  })
})

describe('optionsymbol', () => {
  const input = {
    underlying: 'NIFTY',
    exchange: 'NSE_INDEX',
    expiry_date: '01DEC26',
    offset: 'ATM',
    option_type: 'CE',
  }
  const symbolOf = async (more: object) => (await call(app, 'optionsymbol', { ...input, ...more })).body

  test('tells the option and what its orders depend on', async () => {
    const { status, text } = await call(app, 'optionsymbol', input)
    const answer = JSON.parse(text)
    expect([status, answer]).toEqual([
      200,
      {
        exchange: 'NFO',
        freeze_qty: 1800,
        lotsize: 65,
        status: 'success',
        symbol: expect.stringMatching(/^NIFTY01DEC26\d+CE$/),
        tick_size: 0.05,
        underlying_ltp: expect.any(Number),
      },
    ])
    expect(Object.keys(answer)).toEqual([
      'status',
      'symbol',
      'exchange',
      'lotsize',
      'tick_size',
      'freeze_qty',
      'underlying_ltp',
    ])
    const strike = Number(answer.symbol.slice('NIFTY01DEC26'.length, -2))
    expect(Math.abs(strike - answer.underlying_ltp)).toBeLessThanOrEqual(25)
  })

  test('what clients write in other ways is understood', async () => {
    const answer = await symbolOf({})
    for (const more of [
      { underlying: ' nifty ' },
      { expiry_date: '01dec26' },
      { expiry_date: '01-DEC-26' }, // as the expiry operation lists it
      { underlying: 'NIFTY01DEC26FUT', expiry_date: '' },
      { offset: 'atm', option_type: 'ce' },
      { strike_int: null },
      { strike_int: '50' },
      { exchange: 'NFO' },
    ])
      expect(await symbolOf(more)).toEqual(answer)
  })

  test('a strategy is taken, and said to be without effect', async () => {
    expect(await symbolOf({ strategy: null })).toMatchObject({
      status: 'success',
      warnings: [{ field: 'strategy', message: 'has no effect on a look-up' }],
    })
  })

  test('an exchange without a freeze quantity tells 1', async () => {
    const answer = await symbolOf({ underlying: 'CRUDEOIL', exchange: 'MCX', expiry_date: '16DEC26' })
    expect(answer).toMatchObject({ exchange: 'MCX', freeze_qty: 1, lotsize: 100, status: 'success' })
  })

  test.each([
    [{ offset: 'OTM51' }, 400, 'validation_failed', 'Offset must be ATM, ITM1-ITM50, or OTM1-OTM50. Got "OTM51".'],
    [{ offset: 3 }, 400, 'validation_failed', 'Offset must be ATM, ITM1-ITM50, or OTM1-OTM50. Got 3.'],
    [{ expiry_date: '31FEB26' }, 400, 'validation_failed', 'Not a valid expiry. Got "31FEB26"; write it as DDMMMYY'],
    [{ expiry_date: null }, 400, 'validation_failed', 'Field may not be null.'],
    [{ strike_int: 0 }, 400, 'validation_failed', 'strike_int'],
    [{ expiry_date: '' }, 400, 'expiry_missing', 'Expiry date required.'],
    [{ underlying: 'NIFTI' }, 400, 'symbol_not_found', 'Failed to fetch LTP for NIFTI.'],
    [{ expiry_date: '02DEC26' }, 404, 'option_not_found', 'No strikes found for NIFTY expiring 02DEC26.'],
    [{ strike_int: 777 }, 404, 'option_not_found', 'not found in NFO. Symbol may not exist'],
    [
      { underlying: 'RELIANCE', exchange: 'NSE', expiry_date: '29DEC26', offset: 'OTM50' },
      400,
      'offset_out_of_range',
      'Offset OTM50 is out of range for available strikes. Please use a smaller offset.',
    ],
  ])('%j is refused with %i %s', async (more, status, code, message) => {
    const answer = await call(app, 'optionsymbol', { ...input, ...more })
    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect(answer.body.message).toContain(message)
  })
})

test.each([optionsymbol, optionsorder, optionsmultiorder])(
  '$name says that a feed may be without the price that decides on the strike',
  ({ refusals }) => {
    const ofFeeds = ['quote_unavailable', 'source_slow', 'source_down', 'not_subscribed', 'overloaded']
    expect(refusals).toEqual(expect.arrayContaining(ofFeeds))
  },
)
