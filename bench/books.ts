import { fileURLToPath } from 'node:url'
import { type Child, startChild } from './child.ts'
import { load } from './load.ts'
import { sequential } from './sequential.ts'

/** Books that grow with the session: what a read of them costs, and whether orders notice. */

export interface BookCost {
  readonly orders: number
  readonly megabytes: number
  readonly perSecond: number
  /** Of a server that answers the same bytes from memory. */
  readonly echoPerSecond: number
}

const SECONDS = 5
const WARM_UP_SECONDS = 3
const CONNECTIONS = 4
const FILL_CONNECTIONS = 64
const ORDERS_TIMED = 1_000

/** Reads the order book at each of these numbers of orders, ascending. */
export async function bookCosts(sauda: Child, apikey: string, sizes: readonly number[]): Promise<readonly BookCost[]> {
  const costs: BookCost[] = []
  let placed = await countOrders(sauda, apikey)
  for (const size of sizes) {
    await fill(sauda, apikey, size - placed)
    placed = await countOrders(sauda, apikey)
    costs.push(await bookCost(sauda, apikey, placed))
  }
  return costs
}

async function bookCost(sauda: Child, apikey: string, orders: number): Promise<BookCost> {
  const url = `${sauda.address}/api/v1/orderbook`
  const { length } = await read(url, apikey)
  const echo = await startChild(fileURLToPath(new URL('./bytes-server.ts', import.meta.url)), [String(length)], {})
  try {
    for (const address of [url, echo.address]) await load(address, [{ apikey }], CONNECTIONS, WARM_UP_SECONDS)
    const { perSecond } = await load(url, [{ apikey }], CONNECTIONS, SECONDS)
    const bare = await load(echo.address, [{ apikey }], CONNECTIONS, SECONDS)
    return { orders, megabytes: length / 1e6, perSecond, echoPerSecond: bare.perSecond }
  } finally {
    await echo.stop()
  }
}

export interface LatencyAtSize {
  readonly orders: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** How long an order takes by itself when the session has had so many before it. */
export async function orderLatencies(
  sauda: Child,
  apikey: string,
  sizes: readonly number[],
): Promise<readonly LatencyAtSize[]> {
  const found: LatencyAtSize[] = []
  let placed = await countOrders(sauda, apikey)
  for (const size of sizes) {
    await fill(sauda, apikey, size - placed)
    const { p50Ms, p99Ms } = await sequential(`${sauda.address}/api/v1/placeorder`, [orderOf(apikey)], ORDERS_TIMED)
    placed = size + ORDERS_TIMED // the order book shows the newest of so many
    found.push({ orders: placed, p50Ms, p99Ms })
  }
  return found
}

const orderOf = (apikey: string, action: 'BUY' | 'SELL' = 'BUY'): object => ({
  apikey,
  strategy: 'bench',
  exchange: 'NSE',
  symbol: 'SBIN',
  action,
  quantity: 1,
})

/** Places so many orders, both ways in turn, over many connections. */
async function fill(sauda: Child, apikey: string, count: number): Promise<void> {
  const url = `${sauda.address}/api/v1/placeorder`
  const bodies = (['BUY', 'SELL'] as const).map((action) => JSON.stringify(orderOf(apikey, action)))
  let left = count
  await Promise.all(
    Array.from({ length: FILL_CONNECTIONS }, async () => {
      while (left > 0) {
        left -= 1
        const answer = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: bodies[left % 2] ?? '',
        })
        if (!answer.ok) throw new Error(`placeorder answered ${answer.status}: ${await answer.text()}`)
        await answer.arrayBuffer()
      }
    }),
  )
}

async function countOrders(sauda: Child, apikey: string): Promise<number> {
  const { text } = await read(`${sauda.address}/api/v1/orderbook`, apikey)
  return (JSON.parse(text) as { data: { orders: readonly unknown[] } }).data.orders.length
}

async function read(url: string, apikey: string): Promise<{ text: string; length: number }> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ apikey }),
  })
  const text = await answer.text()
  return { text, length: Buffer.byteLength(text) }
}
