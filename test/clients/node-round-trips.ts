import assert from 'node:assert/strict'
import OpenAlgo from 'openalgo'
import { createClient } from '../../client/src/index.ts'
import type { Checks } from '../checks.ts'
import { seededRandom, seedFrom } from '../random.ts'

const ROUNDS = 200
const SYMBOLS = ['SBIN', 'RELIANCE', 'TCS', 'INFY'] as const

interface Resting {
  readonly symbol: string
  quantity: number
  price: number
}

/** Each order method of the official Node client so many times, in mixed order, against a model of what must be held. */
export async function checkNodeRoundTrips(checks: Checks, host: string, apiKey: string): Promise<void> {
  const seed = seedFrom('SAUDA_SEED')
  const random = seededRandom(seed)
  const client = new OpenAlgo(apiKey, host)
  const reader = createClient({ host, apiKey })
  const held = new Map<string, number>(SYMBOLS.map((symbol) => [symbol, 0]))
  const working = new Map<string, Resting>()

  const heldOf = (symbol: string): number => held.get(symbol) ?? 0
  const signed = (action: string, quantity: number): number => (action === 'BUY' ? quantity : 0 - quantity)
  const anyAction = () => random.pick(['BUY', 'SELL'])
  const statusOf = async (orderid: string) => (await reader.orderstatus({ strategy: 'x', orderid })).data
  const assertHeld = async (symbol: string): Promise<void> => {
    const { quantity } = await reader.openposition({ strategy: 'x', symbol, exchange: 'NSE', product: 'MIS' })
    assert.equal(quantity, heldOf(symbol), symbol)
  }
  const rest = async (): Promise<string> => {
    const symbol = random.pick(SYMBOLS)
    const quantity = 1 + random.below(20)
    const price = Math.round((await reader.quotes({ symbol, exchange: 'NSE' })).data.ltp * 0.9)
    const { orderid } = await client.placeOrder({
      symbol,
      action: 'BUY',
      exchange: 'NSE',
      priceType: 'LIMIT',
      quantity,
      price,
    })
    working.set(orderid, { symbol, quantity, price })
    return orderid
  }
  const anyWorking = async (): Promise<string> => {
    const ids = [...working.keys()]
    return ids[random.below(ids.length || 1)] ?? rest()
  }

  const trips: Readonly<Record<string, () => Promise<void>>> = {
    async placeOrder() {
      const [symbol, action, quantity] = [random.pick(SYMBOLS), anyAction(), 1 + random.below(9)]
      const placed = await client.placeOrder({ symbol, action, exchange: 'NSE', quantity })
      assert.match(placed.orderid, /^\d{14}$/)
      held.set(symbol, heldOf(symbol) + signed(action, quantity))
      await assertHeld(symbol)
    },
    async placeSmartOrder() {
      const [symbol, action, quantity] = [random.pick(SYMBOLS), anyAction(), random.below(6)]
      const positionSize = random.below(21) - 10
      const before = heldOf(symbol)
      const placed = await client.placeSmartOrder({ symbol, action, exchange: 'NSE', quantity, positionSize })
      assert.equal(placed.status, 'success')
      held.set(symbol, positionSize === 0 && before === 0 ? signed(action, quantity) : positionSize)
      assert.equal(placed.orderid !== undefined, heldOf(symbol) !== before, JSON.stringify(placed))
      await assertHeld(symbol)
    },
    async modifyOrder() {
      const orderId = await anyWorking()
      const order = working.get(orderId)
      assert.ok(order)
      order.quantity = 1 + random.below(20)
      order.price -= random.below(2)
      const { symbol, quantity, price } = order
      const changed = { symbol, action: 'BUY', exchange: 'NSE', priceType: 'LIMIT', product: 'MIS', quantity, price }
      assert.equal((await client.modifyOrder({ ...changed, orderId })).orderid, orderId)
      const found = await statusOf(orderId)
      assert.deepEqual([found.quantity, found.price, found.order_status], [quantity, price, 'open'])
    },
    async cancelOrder() {
      const orderId = await anyWorking()
      assert.equal((await client.cancelOrder({ orderId })).orderid, orderId)
      assert.equal((await statusOf(orderId)).order_status, 'cancelled')
      working.delete(orderId)
    },
    async cancelAllOrder() {
      await rest()
      const { canceled_orders: cancelled = [] } = await client.cancelAllOrder({})
      assert.deepEqual([...cancelled].sort(), [...working.keys()].sort())
      working.clear()
    },
    async closePosition() {
      const open = SYMBOLS.filter((symbol) => heldOf(symbol) !== 0)
      assert.equal((await client.closePosition({})).closed_positions ?? 0, open.length)
      for (const symbol of open) {
        held.set(symbol, 0)
        await assertHeld(symbol)
        for (const [orderId, order] of working) if (order.symbol === symbol) working.delete(orderId)
      }
    },
  }

  const failures = new Map<string, unknown>()
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, trip] of Object.entries(trips)) {
      if (failures.has(name)) continue
      try {
        await trip()
      } catch (error) {
        failures.set(name, error)
      }
    }
  }
  for (const name of Object.keys(trips)) {
    await checks.check(`${ROUNDS} round trips of ${name} (SAUDA_SEED=${seed})`, async () => {
      if (failures.has(name)) throw failures.get(name)
    })
  }
}
