import { expect } from 'vitest'
import type { Client, OutputOf } from '../client/src/index.ts'
import type { Ledger, Promised } from './crash-ledger.ts'

export type OrderRow = OutputOf<'orderbook'>['data']['orders'][number]
type TriggerRow = OutputOf<'gttorderbook'>['data'][number]

/** Strategy of orders that close positions. */
export const CLOSE_STRATEGY = 'AUTO_SQUARE_OFF'

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
  let sameSession = true
  for (const promised of ledger.promised.values()) {
    const order = byId.get(promised.orderid)
    sameSession &&= order !== undefined
    // A session that ended meanwhile left the book, and no order is ever forgotten.
    checkPromise(order ?? (await client.orderstatus({ strategy: 'x', orderid: promised.orderid })).data, promised)
  }
  for (const id of ledger.closing) {
    const order = byId.get(id)
    sameSession &&= order !== undefined
    const { strategy } = order ?? (await client.orderstatus({ strategy: 'x', orderid: id })).data
    expect(strategy, `closing order ${id}`).toBe(CLOSE_STRATEGY)
  }
  const fired = await checkTriggers(client, ledger, byId)
  checkNothingElse(orders, ledger, fired)
  checkTrades(orders, trades, sameSession ? positions : undefined)
  await checkFunds(client)
  return orders.length
}

/** Compares triggers with those that were acknowledged. Returns which of them led to which order. */
async function checkTriggers(
  client: Client,
  { triggers }: Ledger,
  orders: ReadonlyMap<string, OrderRow>,
): Promise<ReadonlyMap<string, TriggerRow>> {
  const rows = (await client.gttorderbook({ status: 'all' })).data
  expect(
    rows.filter(({ trigger_id: id, strategy }) => triggers.get(id) !== strategy),
    'triggers that nobody has placed',
  ).toEqual([])
  const there = new Set(rows.map(({ trigger_id }) => trigger_id))
  for (const [id, strategy] of triggers) {
    if (there.has(id)) continue
    const [ended] = (await client.gttorderbook({ trigger_id: id })).data
    expect(ended, `trigger ${id}, ended in an earlier session`).toMatchObject({ strategy })
  }
  const fired = rows.filter(({ orderid }) => orderid !== '')
  for (const { trigger_id: id, orderid, strategy } of fired) {
    const order = orders.get(orderid) ?? (await client.orderstatus({ strategy: 'x', orderid })).data
    expect(order.strategy, `order ${orderid} of trigger ${id}`).toBe(strategy)
  }
  const byOrder = new Map(fired.map((row) => [row.orderid, row]))
  expect(byOrder.size, 'each trigger fires once').toBe(fired.length)
  return byOrder
}

/** Every order in the book is one that was promised, or may be there because it was sent without a name and not answered. */
function checkNothingElse(
  orders: readonly OrderRow[],
  { promised, closing, loose }: Ledger,
  fired: ReadonlyMap<string, TriggerRow>,
): void {
  const others = orders.filter(({ orderid: id }) => !promised.has(id) && !closing.has(id) && !fired.has(id))
  expect(
    others.filter(({ strategy }) => !loose.has(strategy)),
    'orders that nobody sent, or that are there twice',
  ).toEqual([])
  expect(new Set(others.map(({ strategy }) => strategy)).size, 'no order is there twice').toBe(others.length)
}

// Plain comparisons here and below: there are many orders, and the books are checked after every round.
function checkPromise(order: OrderRow, promised: Promised): void {
  const { finished, changeAsked } = promised
  const terms = changeAsked === undefined ? [promised] : [promised, changeAsked]
  const isKept =
    order.strategy === promised.tag &&
    order.symbol === promised.symbol &&
    order.action === promised.action &&
    order.pricetype === promised.pricetype &&
    order.order_status !== 'rejected' &&
    order.rejection_reason === '' &&
    order.filled_quantity >= promised.filledQuantity &&
    (finished === undefined || order.order_status === finished) &&
    (order.order_status !== 'complete' || order.filled_quantity === order.quantity) &&
    terms.some(({ quantity, price }) => order.quantity === quantity && order.price === price)
  if (!isKept) throw new Error(`Acknowledged was ${JSON.stringify(promised)}, there is ${JSON.stringify(order)}`)
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
    if (paise(trade_value) !== paise(price * quantity))
      throw new Error(`A trade of order ${orderid} is worth ${trade_value}, and not ${quantity} times ${price}`)
  }
  for (const { orderid, filled_quantity } of orders) {
    const sum = traded.get(orderid) ?? 0
    if (sum !== filled_quantity) throw new Error(`Order ${orderid} has filled ${filled_quantity}, its trades ${sum}`)
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
