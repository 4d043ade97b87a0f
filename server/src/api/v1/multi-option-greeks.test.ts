import { afterAll, describe, expect, test } from 'vitest'
import { GREEKS_SYMBOLS_MAX } from './option-greeks.ts'
import { CALL, closeAll, open } from './test-greeks-market.ts'

afterAll(closeAll)

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
