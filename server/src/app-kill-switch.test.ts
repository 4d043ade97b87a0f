import { describe, expect, it } from 'vitest'
import type { Action } from './brokers/venue.ts'
import { chargesOf } from './charges/index.ts'
import { runKillSwitchCommand } from './command-line/killswitch.ts'
import { OWNER } from './identity/audit.ts'
import { add, moneyOf, toNumber, ZERO_MONEY } from './kernel/fixed.ts'
import { BUY, codesOf, fresh, GTT, LEG, many, newFolder, RESTING, Running, start } from './test-risk-app.ts'

/** The kill switch on the whole platform, over HTTP. */

/** One of each segment, and what its instrument is. */
const HELD = [
  [{ exchange: 'NSE', symbol: 'SBIN', action: 'BUY', quantity: 40, product: 'MIS' }, 'EQ'],
  [{ exchange: 'NSE', symbol: 'IDEA', action: 'SELL', quantity: 900, product: 'MIS' }, 'EQ'],
  [{ exchange: 'BSE', symbol: 'INFY', action: 'BUY', quantity: 7, product: 'CNC' }, 'EQ'],
  [{ exchange: 'NFO', symbol: 'NIFTY29DEC26FUT', action: 'SELL', quantity: 65, product: 'NRML' }, 'FUT'],
  [{ exchange: 'NFO', symbol: 'NIFTY01DEC2625100CE', action: 'BUY', quantity: 130, product: 'NRML' }, 'CE'],
] as const
const BROKERAGE = { perOrder: moneyOf(20), sharePerMillion: 300 }
const paise = (rupees: unknown): number => Math.round(Number(rupees) * 100)
const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0)

interface ChargedRow {
  readonly orderid: string
  readonly symbol: string
  readonly action: Action
  readonly trade_value: number
  readonly charges: number
}

/** In paise, of each order that has traded: what it brought before its costs, its costs as booked, and as the table tells them. */
function costsOf(trades: readonly ChargedRow[]): { brought: number; booked: number; told: number }[] {
  const orders = Map.groupBy(trades, ({ orderid }) => orderid)
  return [...orders.values()].map((parts) => {
    const action = parts[0]?.action ?? 'BUY'
    const [{ exchange, symbol: name, product }, kind] =
      HELD.find(([{ symbol }]) => symbol === parts[0]?.symbol) ?? HELD[0]
    const value = parts.reduce((total, part) => add(total, moneyOf(part.trade_value)), ZERO_MONEY)
    const { total } = chargesOf(
      { instrument: { exchange, kind, name }, action, product, value },
      BROKERAGE,
      '2026-11-25',
    )
    return {
      brought: paise(toNumber.money(value)) * (action === 'SELL' ? 1 : -1),
      booked: sum(parts.map(({ charges }) => paise(charges))),
      told: paise(toNumber.money(total)),
    }
  })
}

describe('the kill switch', () => {
  it('cancels all that works and waits, and nothing passes until it is released', async () => {
    const running = await fresh()
    await many(5, () => running.post('placeorder', RESTING))
    await running.post('placeorder', { ...RESTING, pricetype: 'SL', price: 2000, trigger_price: 1990 })
    expect((await running.post('placegttorder', GTT)).status).toBe(200)
    await running.post('placeorder', { ...BUY, pricetype: 'MARKET', quantity: 3 })
    const [order] = await running.orders()
    const killed = await running.post('killswitch', {})
    expect(killed).toMatchObject({ status: 200, body: { message: 'Halted: 6 orders and 1 triggers cancelled' } })
    expect(await running.working()).toBe(0)
    const gtts = await running.post('gttorderbook', {})
    expect(JSON.stringify(gtts.body)).not.toContain('"active"')
    for (const [name, input] of [
      ['placeorder', RESTING],
      ['placesmartorder', { ...RESTING, position_size: 5 }],
      ['placegttorder', GTT],
      ['closeposition', { strategy: 's' }],
    ] as const)
      expect([name, (await running.post(name, input)).body['code']]).toEqual([name, 'risk_halted'])
    for (const [name, input] of [
      ['basketorder', { strategy: 's', orders: [LEG, LEG] }],
      ['splitorder', { ...RESTING, quantity: 5, splitsize: 2 }],
    ] as const)
      expect([name, JSON.stringify((await running.post(name, input)).body)]).toEqual([
        name,
        expect.stringContaining('is halted'),
      ])
    expect(await running.working()).toBe(0)
    expect(order).toBeDefined()
    expect((await running.post('killswitch/release', {})).body['code']).toBe('scope_missing')
    expect((await running.post('killswitch/release', {}, running.admin)).status).toBe(200)
    expect((await running.post('placeorder', RESTING)).status).toBe(200)
  })

  it('squares off when asked', async () => {
    const running = await fresh()
    await running.post('placeorder', { ...BUY, pricetype: 'MARKET', quantity: 3 })
    await running.post('placeorder', { ...BUY, symbol: 'IDEA', action: 'SELL', pricetype: 'MARKET', quantity: 3 })
    const killed = await running.post('killswitch', { square_off: true })
    expect(killed.body['message']).toBe('Halted: 0 orders and 0 triggers cancelled, 2 positions closed')
    const { body } = await running.post('positionbook', {})
    const positions = body['data'] as readonly { quantity: unknown }[]
    expect(positions.map(({ quantity }) => Number(quantity))).toEqual([0, 0])
  })

  it('of a strategy leaves the others alone', async () => {
    const running = await fresh()
    await running.post('placeorder', { ...BUY, pricetype: 'MARKET', quantity: 3 })
    await running.post('placeorder', { ...BUY, strategy: 'other', pricetype: 'MARKET', quantity: 2 })
    await running.post('placeorder', RESTING)
    await running.post('placeorder', { ...RESTING, strategy: 'other' })
    const killed = await running.post('killswitch', { scope: 'strategy', strategy: 's', square_off: true })
    expect(killed.body['message']).toBe('Halted: 1 orders and 0 triggers cancelled, 1 positions closed')
    expect(await running.working()).toBe(1)
    const { body } = await running.post('positionbook', {})
    expect((body['data'] as readonly { quantity: unknown }[]).map(({ quantity }) => Number(quantity))).toEqual([2])
    expect((await running.post('placeorder', RESTING)).body['code']).toBe('risk_halted')
    expect((await running.post('placeorder', { ...RESTING, strategy: 'other' })).status).toBe(200)
  })

  it('and closeposition cost, where trades are charged, what the table says of them, to the paisa', async () => {
    const running = await start({ PAPER_CHARGES: 'on' })
    const data = async (name: string) => (await running.post(name, {})).body['data']
    const doors = [
      ['closeposition', { strategy: 'x' }],
      ['killswitch', { square_off: true }],
      ['killswitch', { scope: 'strategy', strategy: 's', square_off: true }],
    ] as const
    for (const [index, [door, asked]] of doors.entries()) {
      for (const [order] of HELD)
        expect(await running.post('placeorder', { strategy: 's', ...order })).toMatchObject({ status: 200 })
      // What never trades costs nothing
      await running.post('placeorder', { ...RESTING, action: 'SELL', price: 2_000 })
      running.clock.advance(60_000)
      expect((await running.post(door, asked)).status).toBe(200)

      const costs = costsOf((await data('tradebook')) as readonly ChargedRow[])
      expect(costs).toHaveLength(2 * HELD.length * (index + 1))
      expect(costs.map(({ booked }) => booked)).toEqual(costs.map(({ told }) => told))
      expect(Math.min(...costs.map(({ told }) => told))).toBeGreaterThan(0)
      const profit = sum(costs.map(({ brought, told }) => brought - told))
      const funds = (await data('funds')) as Readonly<Record<string, string>>
      const shown = ['total_realized_pnl', 'today_realized_pnl', 'm2mrealized', 'totalpnl', 'utiliseddebits']
      expect(shown.map((name) => paise(funds[name]))).toEqual([profit, profit, profit, profit, 0])
      expect(paise(funds['availablecash'])).toBe(10_000_000_00 + profit)
      const positions = (await data('positionbook')) as readonly Readonly<Record<string, number>>[]
      expect(positions.map(({ quantity }) => Number(quantity))).toEqual(HELD.map(() => 0))
      expect(sum(positions.map((row) => paise(row['today_realized_pnl'])))).toBe(profit)
      const { strategies } = (await data('strategybook')) as { strategies: readonly { realized_pnl: number }[] }
      expect(sum(strategies.map(({ realized_pnl: own }) => paise(own)))).toBe(profit)
      for (const scope of [{}, { scope: 'strategy', strategy: 's' }])
        await running.post('killswitch/release', scope, running.admin)
    }
  })

  it('of a strategy closes what it has once, whoever closes the position at the same time', async () => {
    const running = await fresh()
    await running.post('placeorder', { ...BUY, pricetype: 'MARKET', quantity: 3 })
    const squareOff = { scope: 'strategy', strategy: 's', square_off: true }
    await Promise.all([
      running.post('closeposition', { strategy: 'x' }),
      running.post('killswitch', squareOff),
      running.post('killswitch', squareOff),
    ])
    const { body } = await running.post('positionbook', {})
    expect((body['data'] as readonly { quantity: unknown }[]).map(({ quantity }) => Number(quantity))).toEqual([0])
    expect(await running.orders()).toHaveLength(2)
  })

  it('leaves nothing of what was on its way', async () => {
    const running = await fresh()
    await running.set({ open_orders: 1_000 })
    const sent = many(40, () => running.post('placeorder', RESTING))
    const killed = running.post('killswitch', {})
    const more = many(40, () => running.post('placeorder', RESTING))
    const replies = await Promise.all([sent, more])
    expect((await killed).status).toBe(200)
    expect(await running.working()).toBe(0)
    expect(codesOf(replies.flat())['risk_halted']).toBeGreaterThan(0)
  })

  it('thrown without a server, halts the next start and cancels what worked', async () => {
    const folder = newFolder()
    const running = await Running.start(folder)
    await running.post('placeorder', RESTING)
    await running.close()
    const said: string[] = []
    const output = { print: (text: string) => said.push(text), printError: (text: string) => said.push(text) }
    expect(await runKillSwitchCommand(['on'], { dataDir: folder }, output)).toBe(0)
    expect(said.join('')).toBe('Halted. Sauda is not running: its next start cancels what works.\n')
    const again = await Running.start(folder)
    expect(await again.working()).toBe(1)
    again.app.start()
    await expect.poll(() => again.working()).toBe(0)
    expect((await again.post('placeorder', RESTING)).body['code']).toBe('risk_halted')
    await again.close()
    expect(await runKillSwitchCommand(['off'], { dataDir: folder }, output)).toBe(0)
    expect((await (await Running.start(folder)).post('placeorder', RESTING)).status).toBe(200)
  }, 60_000)

  it('works in semi-automatic mode and when the budget of orders is used up', async () => {
    const running = await start({ ORDER_RATE_LIMIT: '1 per second', API_RATE_LIMIT: '1 per second' })
    await running.post('placeorder', RESTING)
    expect((await running.post('placeorder', RESTING)).body['code']).toBe('rate_limited')
    await running.app.accounts.setOrderMode('default', 'semi_auto', OWNER)
    expect((await running.post('killswitch', {})).status).toBe(200)
  })

  it('is in force within 100 ms, with 500 orders to cancel', async () => {
    const running = await fresh()
    await many(500, () => running.post('placeorder', RESTING))
    const begun = performance.now()
    const killed = running.post('killswitch', {})
    const denied = await running.post('placeorder', RESTING)
    const tookMs = performance.now() - begun
    expect(denied.body['code']).toBe('risk_halted')
    expect((await killed).body['message']).toBe('Halted: 500 orders and 0 triggers cancelled')
    expect(tookMs).toBeLessThan(1_000) // 100 on a machine that has nothing else to do
  })

  it('is for one’s own account; the instance is for the scope admin', async () => {
    const running = await fresh()
    expect((await running.post('killswitch', { scope: 'instance' })).body['code']).toBe('scope_missing')
    expect((await running.post('killswitch', { account: 'acc_other' })).body['code']).toBe('account_not_found')
    expect((await running.post('killswitch', { scope: 'strategy' })).body['code']).toBe('validation_failed')
    expect((await running.post('killswitch', { scope: 'instance' }, running.admin)).status).toBe(200)
    expect((await running.post('placeorder', RESTING)).body['message']).toContain('this instance is halted')
  })
})
