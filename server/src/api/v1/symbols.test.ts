import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { priceOf, quantityOf } from '../../kernel/fixed.ts'
import type { Instrument } from '../../market/instrument.ts'
import { InstrumentStore } from '../../market/instrument-store.ts'
import { call as callOption, share } from '../../market/instruments/test-rows.ts'
import { SymbolSearch } from '../../market/search.ts'
import { call, testApi } from '../test-api.ts'
import { operations } from './index.ts'

const option = (id: number, strike: string, kind: 'CE' | 'PE') =>
  callOption(id, { symbol: `NIFTY28OCT25${strike}${kind}`, kind, strike: priceOf(strike) })
const future = (id: number, code: string, expiry: string) =>
  callOption(id, { symbol: `NIFTY${code}FUT`, kind: 'FUT', expiry, strike: priceOf('0') })

const ROWS: readonly Instrument[] = [
  share('SBIN', 1, { name: 'STATE BANK OF INDIA', freezeQuantity: quantityOf('0') }),
  share('M&M', 2, { name: 'MAHINDRA & MAHINDRA' }),
  share('RELIANCE', 3, { name: 'RELIANCE INDUSTRIES' }),
  share('NIFTYBEES', 4),
  option(10, '26000', 'CE'),
  option(11, '26000', 'PE'),
  option(12, '26050', 'CE'),
  option(13, '9500', 'CE'),
  future(14, '28OCT25', '2025-10-28'),
  future(15, '25NOV25', '2025-11-25'),
]

let app: FastifyInstance
beforeAll(async () => {
  const store = new InstrumentStore(ROWS)
  app = await testApi(operations, { instruments: store, search: new SymbolSearch(store) })
})
afterAll(() => app.close())

describe('symbol', () => {
  it('has the facts of an instrument, with the keys of the reference', async () => {
    const { body } = await call(app, 'symbol', { symbol: 'NIFTY28OCT2526000CE', exchange: 'NFO' })
    expect(body).toEqual({
      data: {
        brexchange: 'NSE',
        brsymbol: 'NIFTY28OCT2526000CE',
        exchange: 'NFO',
        expiry: '28-OCT-25',
        freeze_qty: 1800,
        id: 10,
        instrumenttype: 'CE',
        lotsize: 65,
        name: 'NIFTY',
        strike: 26000,
        symbol: 'NIFTY28OCT2526000CE',
        tick_size: 0.05,
        token: 'T10',
      },
      status: 'success',
    })
  })

  it.each(['sbin', ' SBIN ', '\u00a0sbin', 'Sbin'])('finds "%s": case and blanks are put right', async (symbol) => {
    const { body } = await call(app, 'symbol', { symbol, exchange: 'NSE' })
    expect(body.data).toMatchObject({ symbol: 'SBIN', freeze_qty: 1, expiry: '', strike: 0 })
  })

  it.each(['m&m', ' M&M'])('finds "%s"', async (symbol) => {
    expect((await call(app, 'symbol', { symbol, exchange: 'NSE' })).status).toBe(200)
  })
})

describe('search', () => {
  const found = async (input: object) => {
    const { status, body } = await call(app, 'search', input)
    expect([status, body]).toEqual([200, expect.anything()])
    const { data, ...rest } = body as unknown as { data: { symbol: string }[] } & Record<string, unknown>
    return { symbols: data.map(({ symbol }) => symbol), ...rest, data }
  }

  it('gives rows without ids, and says how many', async () => {
    const { data, ...rest } = await found({ query: 'nifty 26000 ce', exchange: 'NFO' })
    expect(rest).toEqual({
      symbols: ['NIFTY28OCT2526000CE'],
      message: 'Found 1 matching symbols',
      similar: false,
      status: 'success',
      total: 1,
    })
    expect(Object.keys(data[0] ?? {})).toEqual([
      'brexchange',
      'brsymbol',
      'exchange',
      'expiry',
      'freeze_qty',
      'instrumenttype',
      'lotsize',
      'name',
      'strike',
      'symbol',
      'tick_size',
      'token',
    ])
  })

  it('without a match is empty', async () => {
    expect(await found({ query: 'ZZZ' })).toMatchObject({ symbols: [], total: 0, message: 'No matching symbols found' })
  })

  it('says when it put typing errors right', async () => {
    expect(await found({ query: 'relaince' })).toMatchObject({
      symbols: ['RELIANCE'],
      similar: true,
      message: 'Nothing matches exactly; found 1 similar symbols',
    })
  })

  it.each<[object, string[]]>([
    [
      { underlying: 'nifty', instrumenttype: 'CE' },
      ['NIFTY28OCT259500CE', 'NIFTY28OCT2526000CE', 'NIFTY28OCT2526050CE'],
    ],
    [{ underlying: ' NIFTY ', instrumenttype: 'fut' }, ['NIFTY28OCT25FUT', 'NIFTY25NOV25FUT']],
    [{ query: 'NIFTY', instrumenttype: 'EQ' }, ['NIFTYBEES']],
    [{ expiry: '25-NOV-25' }, ['NIFTY25NOV25FUT']],
    [{ expiry: '25nov25' }, ['NIFTY25NOV25FUT']],
    [{ expiry: '2025-11-25' }, ['NIFTY25NOV25FUT']],
    [{ strike_min: 26000, strike_max: '26000' }, ['NIFTY28OCT2526000CE', 'NIFTY28OCT2526000PE']],
    [{ strike_min: 26000.5 }, ['NIFTY28OCT2526050CE']],
    [{ query: 'nifty', strike_max: 9500 }, ['NIFTY28OCT259500CE']],
    [{ exchange: 'NFO', limit: 1 }, ['NIFTY28OCT25FUT']],
    [{ exchange: 'MCX' }, []],
    [{ query: 'SBIN', exchange: 'MCX' }, []],
    [{ underlying: 'NIFT' }, []],
  ])('%j finds %j', async (input, symbols) => {
    expect((await found(input)).symbols).toEqual(symbols)
  })

  it('counts all that match, beyond the limit', async () => {
    expect(await found({ exchange: 'NFO', limit: 2 })).toMatchObject({ total: 6, message: 'Found 2 matching symbols' })
  })

  it.each<[object, string]>([
    [{}, 'query: Missing data for required field. Send words, or one of: exchange, instrumenttype, underlying'],
    [{ limit: 5 }, 'query: Missing data for required field.'],
    [{ query: '' }, 'query: Query parameter is required and cannot be empty'],
    [{ query: '  ' }, 'query: Query parameter is required and cannot be empty'],
    [{ query: 'x'.repeat(101) }, 'query: Query parameter is required and cannot be empty, nor longer than 100'],
    [{ query: 5 }, 'query: Not a valid string. Got 5.'],
    [{ query: null }, 'query: Field may not be null'],
    [{ query: ['NIFTY'] }, 'query: Not a valid string.'],
    [{ query: 'A\u0000B' }, 'query: Must not contain control characters'],
    [{ query: 'A', exchange: 'NYSE' }, 'exchange: Must be one of: NSE, NFO,'],
    [{ query: 'A', exchange: 1 }, 'exchange: Must be one of: NSE, NFO,'],
    [{ query: 'A', instrumenttype: 'OPTIDX' }, 'instrumenttype: Must be one of: EQ, INDEX, FUT, CE, PE,'],
    [{ query: 'A', instrumenttype: 5 }, 'instrumenttype: Must be one of: EQ, INDEX, FUT, CE, PE,'],
    [{ query: 'A', underlying: '' }, 'underlying: Length must be between 1 and 50.'],
    [{ query: 'A', underlying: 7 }, 'underlying: Not a valid string.'],
    [{ query: 'A', expiry: '31-FEB-25' }, 'expiry: Not a valid expiry. Got "31-FEB-25"; write it as DD-MMM-YY'],
    [{ query: 'A', expiry: '2025-02-31' }, 'expiry: Not a valid expiry.'],
    [{ query: 'A', expiry: 20251125 }, 'expiry: Not a valid expiry. Got 20251125'],
    [{ query: 'A', expiry: '' }, 'expiry: Not a valid expiry. Got ""'],
    [{ query: 'A', strike_min: -1 }, 'strike_min: Strike must be a non-negative number. Got -1.'],
    [{ query: 'A', strike_max: 'x' }, 'strike_max: Not a valid number. Got "x".'],
    [{ query: 'A', strike_max: true }, 'strike_max: Not a valid number. Got true.'],
    [
      { strike_min: 100.5, strike_max: 100 },
      'strike_min: Must not be above strike_max. Got 100.5, and strike_max is 100',
    ],
    [{ query: 'A', limit: 0 }, 'limit: Must be greater than or equal to 1'],
    [{ query: 'A', limit: 501 }, 'limit: Must be'],
    [{ query: 'A', limit: 'many' }, 'limit: Not a valid integer.'],
    [{ query: 'A', kind: 'CE' }, 'kind: Unknown field.'],
  ])('%j is refused: %s', async (input, message) => {
    const { status, body } = await call(app, 'search', input)
    expect([status, body.code, body.message]).toEqual([400, 'validation_failed', expect.stringContaining(message)])
  })
})
