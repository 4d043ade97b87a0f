import { expect } from 'vitest'
import type { Client, OutputOf } from '../client/src/index.ts'
import type { Ledger, Promised } from './crash-load.ts'

type OrderRow = OutputOf<'orderbook'>['data']['orders'][number]

const CAPITAL_PAISE = 10_000_000_00
const paise = (rupees: number): number => Math.round(rupees * 100)

/** Reads the books and compares them with each other. Returns the orders. */
export async function checkBooks(client: Client): Promise<readonly OrderRow[]> {
  const { orders, trades, positions } = await readBooks(client)
  expect(new Set(orders.map(({ orderid }) => orderid)).size, 'order ids are unique').toBe(orders.length)
  checkTrades(orders, trades, positions)
  await checkFunds(client)
  return orders
}

/** Reads everything back and compares it with what was acknowledged and with itself. Returns the number of orders. */
export async function checkAll(client: Client, ledger: Ledger): Promise<number> {
  const { orders, trades, positions } = await readBooks(client)
  const byId = new Map(orders.map((order) => [order.orderid, order]))
  expect(byId.size, 'order ids are unique').toBe(orders.length)
  expect(new Set(orders.map(({ strategy }) => strategy)).size, 'no order is there twice').toBe(orders.length)
  expect(
    orders.filter(({ strategy }) => !ledger.tagsSent.has(strategy)),
    'orders that nobody sent',
  ).toEqual([])
  let sameSession = true
  for (const promised of ledger.promised.values()) {
    const order = byId.get(promised.orderid)
    sameSession &&= order !== undefined
    // A session that ended meanwhile left the book, and no order is ever forgotten.
    checkPromise(order ?? (await client.orderstatus({ strategy: 'x', orderid: promised.orderid })).data, promised)
  }
  checkTrades(orders, trades, sameSession ? positions : undefined)
  await checkFunds(client)
  return orders.length
}

function checkPromise(order: OrderRow, promised: Promised): void {
  const { tag, symbol, action, pricetype, finished } = promised
  const what = `order ${promised.orderid}, acknowledged as ${JSON.stringify(promised)}`
  expect(order, what).toMatchObject({ strategy: tag, symbol, action, pricetype, rejection_reason: '' })
  expect(order.order_status, what).not.toBe('rejected')
  expect(order.filled_quantity, what).toBeGreaterThanOrEqual(promised.filledQuantity)
  if (finished !== undefined) expect(order.order_status, what).toBe(finished)
  if (finished === 'complete') expect(order.filled_quantity, what).toBe(order.quantity)
  const terms = [promised, ...(promised.changeAsked === undefined ? [] : [promised.changeAsked])]
  expect(
    terms.map(({ quantity, price }) => ({ quantity, price })),
    what,
  ).toContainEqual({ quantity: order.quantity, price: order.price })
  if (order.order_status === 'complete') expect(order.filled_quantity, what).toBe(order.quantity)
  // What is seen now is acknowledged from now on.
  promised.quantity = order.quantity
  promised.price = order.price
  promised.filledQuantity = order.filled_quantity
  promised.changeAsked = undefined
  if (order.order_status === 'complete' || order.order_status === 'cancelled') promised.finished = order.order_status
}

type Trades = OutputOf<'tradebook'>['data']
type Positions = OutputOf<'positionbook'>['data']

/** The three books of one moment: working orders go on trading while they are read, so they are read until none did. */
async function readBooks(
  client: Client,
): Promise<{ orders: readonly OrderRow[]; trades: Trades; positions: Positions }> {
  for (let attempt = 0; attempt < READS_MAX; attempt += 1) {
    const before = (await allTrades(client)).length
    const orders = await allOrders(client)
    const positions = (await client.positionbook()).data
    const trades = await allTrades(client)
    if (trades.length === before) return { orders, trades, positions }
  }
  throw new Error(`orders traded during each of ${READS_MAX} reads of the books`)
}

const READS_MAX = 20
const PAGE_ROWS = 20_000

/** A whole book has its newest 20,000 rows; pages have them all. */
export async function allOrders(client: Client): Promise<OrderRow[]> {
  const rows: OrderRow[] = []
  let cursor: string | null | undefined
  do {
    const page = await client.orderbook({ limit: PAGE_ROWS, ...(typeof cursor === 'string' ? { cursor } : {}) })
    rows.push(...page.data.orders)
    cursor = page.next_cursor
  } while (typeof cursor === 'string')
  return rows
}

export async function allTrades(client: Client): Promise<Trades> {
  const rows: Trades[number][] = []
  let cursor: string | null | undefined
  do {
    const page = await client.tradebook({ limit: PAGE_ROWS, ...(typeof cursor === 'string' ? { cursor } : {}) })
    rows.push(...page.data)
    cursor = page.next_cursor
  } while (typeof cursor === 'string')
  return rows
}

/** `positions` are absent when the session ended meanwhile and squared them off. */
function checkTrades(orders: readonly OrderRow[], trades: Trades, positions: Positions | undefined): void {
  expect(new Set(trades.map(({ tradeid }) => tradeid)).size, 'trade ids are unique').toBe(trades.length)
  const traded = new Map<string, number>()
  const net = new Map<string, number>()
  for (const { orderid, action, symbol, exchange, product, quantity, price, trade_value } of trades) {
    traded.set(orderid, (traded.get(orderid) ?? 0) + quantity)
    const instrument = `${exchange}:${symbol}:${product}`
    net.set(instrument, (net.get(instrument) ?? 0) + (action === 'BUY' ? quantity : -quantity))
    expect(paise(trade_value), `value of a trade of order ${orderid}`).toBe(paise(price * quantity))
  }
  for (const { orderid, filled_quantity } of orders) {
    expect(traded.get(orderid) ?? 0, `sum of the trades of order ${orderid}`).toBe(filled_quantity)
    traded.delete(orderid)
  }
  expect([...traded.keys()], 'orders that traded and are in no book').toEqual([])
  if (positions === undefined) return
  for (const { exchange, symbol, product, quantity } of positions) {
    const instrument = `${exchange}:${symbol}:${product}`
    expect(net.get(instrument) ?? 0, `position of ${instrument}`).toBe(quantity)
    net.delete(instrument)
  }
  expect([...net.entries()].filter(([, quantity]) => quantity !== 0)).toEqual([])
}

async function checkFunds(client: Client): Promise<void> {
  const { availablecash, utiliseddebits, total_realized_pnl } = (await client.funds()).data
  expect(paise(availablecash) + paise(utiliseddebits), 'available + utilised').toBe(
    CAPITAL_PAISE + paise(total_realized_pnl),
  )
  expect(paise(utiliseddebits)).toBeGreaterThanOrEqual(0)
}
