import type { Child } from './child.ts'
import { load } from './load.ts'

/** What the operations built on orders cost, each beside as many plain orders. */

export interface OrderRates {
  readonly plainPerSecond: number
  readonly smartPerSecond: number
  /** Legs, not baskets. */
  readonly basketLegsPerSecond: number
  readonly replaysPerSecond: number
  /** Plain orders with limits of every kind set for the instance, the account and the strategy. */
  readonly limitedPerSecond: number
  readonly failed: number
}

const SECONDS = 6
const WARM_UP_SECONDS = 6
const CONNECTIONS = 64
export const BASKET_LEGS = 10

export async function orderRates(sauda: Child, apikey: string, symbols: readonly string[]): Promise<OrderRates> {
  const url = (operation: string): string => `${sauda.address}/api/v1/${operation}`
  const order = { apikey, strategy: 'bench', exchange: 'NSE', quantity: 1, pricetype: 'MARKET', product: 'MIS' }
  const both = ['BUY', 'SELL'] as const
  const plain = symbols.flatMap((symbol) => both.map((action) => ({ ...order, symbol, action })))
  const smart = symbols.flatMap((symbol) =>
    [1, -1].map((position_size) => ({ ...order, symbol, action: 'BUY', position_size })),
  )
  const { apikey: _, strategy, ...leg } = order
  const basket = both.map((action) => ({
    apikey,
    strategy,
    orders: symbols.slice(0, BASKET_LEGS).map((symbol) => ({ ...leg, symbol, action })),
  }))
  const replay = [{ ...order, symbol: symbols[0], action: 'BUY', client_order_id: 'bench-replay' }]
  const measure = async (operation: string, bodies: readonly object[], connections: number) => {
    await load(url(operation), bodies, connections, WARM_UP_SECONDS)
    return load(url(operation), bodies, connections, SECONDS)
  }
  const plainLoad = await measure('placeorder', plain, CONNECTIONS)
  const smartLoad = await measure('placesmartorder', smart, CONNECTIONS)
  const basketLoad = await measure('basketorder', basket, CONNECTIONS)
  await load(url('placeorder'), replay, 1, 1) // the first answer is there before it is asked for again
  const replayLoad = await measure('placeorder', replay, CONNECTIONS)
  for (const scope of ['instance', 'account', 'strategy'] as const) {
    const of = scope === 'strategy' ? { strategy: 'bench' } : {}
    await post(url('risk/set'), { apikey, scope, ...of, limits: LIMITS })
  }
  const limitedLoad = await measure('placeorder', plain, CONNECTIONS)
  return {
    limitedPerSecond: limitedLoad.perSecond,
    plainPerSecond: plainLoad.perSecond,
    smartPerSecond: smartLoad.perSecond,
    basketLegsPerSecond: basketLoad.perSecond * BASKET_LEGS,
    replaysPerSecond: replayLoad.perSecond,
    failed: plainLoad.failed + smartLoad.failed + basketLoad.failed + replayLoad.failed + limitedLoad.failed,
  }
}

/** Wide enough for what is measured: each is looked at for every order, none denies. */
const LIMITS = {
  order_value: 1_000_000_000,
  order_quantity: 1_000_000,
  open_orders: 1_000_000,
  orders_per_day: 10_000_000,
  position_quantity: 1_000_000_000,
  gross_exposure: 1_000_000_000_000,
  net_exposure: 1_000_000_000_000,
  daily_loss: 1_000_000_000_000,
  exchanges: ['NSE', 'BSE', 'NFO'],
  products: ['MIS', 'CNC', 'NRML'],
}

async function post(url: string, body: object): Promise<void> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`)
}
