import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import pino from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type App, createApp } from './app.ts'
import { loadConfig } from './config.ts'
import { OWNER } from './identity/audit.ts'
import { ManualClock } from './kernel/clock.ts'
import { moneyOf, toNumber } from './kernel/fixed.ts'

/** Margin and charges on the whole platform, as programs meet them. */

const UNLIMITED = '1000000 per second'
const LIMITS = { ADDRESS_RATE_LIMIT: UNLIMITED, ORDER_RATE_LIMIT: UNLIMITED, API_RATE_LIMIT: UNLIMITED }
type Body = Readonly<Record<string, unknown>>

const NIFTY_FUT = { exchange: 'NFO', symbol: 'NIFTY29DEC26FUT', product: 'NRML', quantity: 65 }
const CALL = { ...NIFTY_FUT, symbol: 'NIFTY01DEC2625100CE' }
const OTHER_CALL = { ...NIFTY_FUT, symbol: 'NIFTY01DEC2625150CE' }
const PUT = { ...NIFTY_FUT, symbol: 'NIFTY29DEC2625000PE' }
const SBIN = { exchange: 'NSE', symbol: 'SBIN', product: 'MIS', quantity: 10 }
const GOLD = { exchange: 'MCX', symbol: 'GOLD05FEB27FUT', product: 'NRML', quantity: 100 }
const DOLLAR = { exchange: 'CDS', symbol: 'USDINR27AUG27FUT', product: 'NRML', quantity: 1000 }
const COIN = { exchange: 'CRYPTO', symbol: 'BTCUSDFUT', product: 'NRML', quantity: 3 }
const ALL = [NIFTY_FUT, CALL, OTHER_CALL, PUT, SBIN, { ...SBIN, product: 'CNC' }, GOLD, DOLLAR, COIN]

describe.each(['simple', 'portfolio'])('with PAPER_MARGIN=%s', (setting) => {
  let folder: string
  let app: App
  let apikey: string
  let clock: ManualClock

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sauda-margin-'))
    const config = loadConfig({ DATA_DIR: folder, PAPER_MARGIN: setting, ...LIMITS }, folder)
    clock = new ManualClock('2026-11-25T11:00:00+05:30')
    app = await createApp(config, clock, pino({ level: 'silent' }))
    apikey = (await app.keys.createFirstKey(OWNER))?.text ?? ''
  })
  beforeEach(() => app.paper.venue('default')?.reset(moneyOf(1_000_000_000)))
  afterAll(async () => {
    await app.close()
    rmSync(folder, { recursive: true })
  })

  async function send(operation: string, input: object): Promise<{ status: number; body: Body }> {
    const payload = { apikey, ...input }
    const answer = await app.http.inject({ method: 'POST', url: `/api/v1/${operation}`, payload })
    return { status: answer.statusCode, body: answer.json() }
  }
  const reserved = async (): Promise<number> => (await app.paper.venue('default')?.funds())?.reserved ?? Number.NaN
  const margin = async (positions: readonly object[]): Promise<Readonly<Record<string, number>>> => {
    const { status, body } = await send('margin', { positions })
    expect([status, body['mode']]).toEqual([200, 'analyze'])
    return body['data'] as Record<string, number>
  }
  const asText = (position: object) => ({
    pricetype: 'MARKET',
    price: '0',
    trigger_price: '0',
    ...position,
    quantity: String((position as { quantity: number }).quantity),
  })

  it('tells to the paisa what placing the basket blocks', async () => {
    const order = fc.record({
      of: fc.nat({ max: ALL.length - 1 }),
      action: fc.constantFrom('BUY', 'SELL'),
      times: fc.integer({ min: 1, max: 3 }),
    })
    const orders = fc.array(order, { minLength: 1, maxLength: 6 })
    const basketOf = (rows: readonly { of: number; action: string; times: number }[]) =>
      rows
        .map(({ of, action, times }) => {
          const base = ALL[of] ?? SBIN
          return { ...base, quantity: base.quantity * times, action: base.product === 'CNC' ? 'BUY' : action }
        })
        .map((row) => ({ pricetype: 'MARKET', ...row }))
    await fc.assert(
      fc.asyncProperty(orders, orders, async (held, wanted) => {
        await app.paper.venue('default')?.reset(moneyOf(1_000_000_000))
        await send('basketorder', { strategy: 's', orders: basketOf(held) })
        const before = await reserved()
        const told = await margin(basketOf(wanted).map(asText))
        expect(await reserved()).toBe(before)
        const { body } = await send('basketorder', { strategy: 's', orders: basketOf(wanted) })
        expect((body['results'] as Body[]).map(({ status }) => status)).toEqual(wanted.map(() => 'success'))
        const blocked = ((await reserved()) - before) / 100
        expect(told['margin_change']).toBe(blocked)
        expect(told['total_margin_required']).toBe(Math.max(0, blocked))
      }),
      { numRuns: 25 },
    )
  })

  it('adds up: scenarios and the rest are the whole, and each position alone is told', async () => {
    const spread = [
      { ...CALL, action: 'SELL' },
      { ...OTHER_CALL, action: 'BUY' },
    ]
    const data = await margin(spread.map(asText))
    const paise = (name: string): number => Math.round((data[name] ?? Number.NaN) * 100)
    expect(paise('span_margin') + paise('exposure_margin')).toBe(paise('total_margin_required'))
    const alone = (data as unknown as { positions: { margin: number; symbol: string }[] }).positions
    expect(alone.map(({ symbol }) => symbol)).toEqual([CALL.symbol, OTHER_CALL.symbol])
    const apart = alone.reduce((sum, one) => sum + Math.round(one.margin * 100), 0)
    expect(apart - paise('total_margin_required')).toBe(paise('margin_benefit'))
    if (setting === 'portfolio') {
      expect(data['total_margin_required']).toBeLessThanOrEqual(65 * 50)
      expect(data['margin_benefit']).toBeGreaterThan(100_000)
    } else {
      expect([data['span_margin'], data['margin_benefit']]).toEqual([0, 0])
    }
  })

  it('counts what is held: closing it frees, and needs nothing', async () => {
    await send('placeorder', { strategy: 's', ...NIFTY_FUT, action: 'SELL', pricetype: 'MARKET' })
    const data = await margin([asText({ ...NIFTY_FUT, action: 'BUY' })])
    const held = toNumber.money((await reserved()) as ReturnType<typeof moneyOf>)
    expect([data['total_margin_required'], data['margin_change'], data['blocked_now']]).toEqual([0, -held, held])
  })

  it('margins the order of a trigger like any other', async () => {
    const needed = (await margin([asText({ ...NIFTY_FUT, action: 'SELL' })]))['total_margin_required']
    const gtt = { ...NIFTY_FUT, action: 'SELL', trigger_type: 'SINGLE', pricetype: 'MARKET', price: 0 }
    const placed = await send('placegttorder', { strategy: 's', ...gtt, triggerprice_tg: 1000 })
    expect(placed.status).toBe(200)
    clock.advance(1_000)
    await app.paper.tick()
    const { body } = await send('openposition', { strategy: 's', ...NIFTY_FUT, quantity: undefined })
    expect(Number(body['quantity'])).toBe(-65)
    expect((await reserved()) / 100 / (needed ?? 0)).toBeCloseTo(1, 2)
  })

  it('refuses what could not be placed, with the number of the position', async () => {
    const { status, body } = await send('margin', {
      positions: [asText({ ...SBIN, action: 'BUY' }), asText({ ...CALL, quantity: 7, action: 'BUY' })],
    })
    expect([status, body['code']]).toEqual([400, 'order_rejected'])
    expect(body['message']).toMatch(/^Position 2: Quantity must be in multiples of lot size 65/)
  })

  it.each([
    ['no positions', [], 'Positions must contain 1 to 50 items. Got 0.'],
    [
      'too many',
      new Array(51).fill(asText({ ...SBIN, action: 'BUY' })),
      'Positions must contain 1 to 50 items. Got 51.',
    ],
    [
      'no quantity',
      [{ ...asText({ ...SBIN, action: 'BUY' }), quantity: '0' }],
      'Quantity must be a positive number. Got "0".',
    ],
  ])('refuses %s', async (_what, positions, message) => {
    for (const operation of ['margin', 'charges']) {
      const { status, body } = await send(operation, { positions })
      expect([status, JSON.stringify(body).includes(JSON.stringify(message).slice(1, -1))]).toEqual([400, true])
    }
  })

  it('charges legs and all of them together', async () => {
    const legs = [
      { ...SBIN, product: 'CNC', action: 'BUY', pricetype: 'LIMIT', price: '500', quantity: '200' },
      { ...NIFTY_FUT, action: 'SELL', pricetype: 'LIMIT', price: '25000' },
    ]
    const { status, body } = await send('charges', { positions: legs })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      mode: 'analyze',
      data: {
        date: '2026-11-25',
        brokerage: 20,
        transaction_tax: 912.5,
        stamp_duty: 15,
        positions: [
          { segment: 'equity delivery', brokerage: 0, transaction_tax: 100, price: 500, quantity: 200 },
          { segment: 'equity futures', brokerage: 20, transaction_tax: 812.5 },
        ],
      },
    })
    const data = body['data'] as { total_charges: number; positions: { total_charges: number }[] }
    const sum = data.positions.reduce((total, leg) => total + Math.round(leg.total_charges * 100), 0)
    expect(Math.round(data.total_charges * 100)).toBe(sum)
  })
})
