import { expect } from 'vitest'
import { ApiError, type Client, createClient, type InputOf } from '../client/src/index.ts'
import { allOrders } from './crash-check.ts'
import type { Random } from './random.ts'
import { type ServerProcess, sleep } from './server-process.ts'

/** What the server has acknowledged of one order. It may have gone further since, never back. */
export interface Promised {
  readonly orderid: string
  readonly tag: string
  readonly symbol: string
  readonly action: 'BUY' | 'SELL'
  readonly pricetype: 'MARKET' | 'LIMIT' | 'SL'
  quantity: number
  price: number
  filledQuantity: number
  /** Set once the order was seen or made so. */
  finished: 'complete' | 'cancelled' | undefined
  /** A change was asked for and not answered: it may have happened or not. */
  changeAsked: { readonly quantity: number; readonly price: number } | undefined
}

/** Everything that was asked and answered, over all rounds. */
export interface Ledger {
  readonly promised: Map<string, Promised>
  /** Tags of orders that were sent; the server may know those, and no others. */
  readonly tagsSent: Set<string>
  requests: number
  /** Orders that were sent and not answered: they may be there or not, and are sent again under their names. */
  readonly unanswered: Map<string, Omit<Promised, 'orderid'> & { readonly input: InputOf<'placeorder'> }>
  /** Called the moment an order, a change or a cancellation is acknowledged. */
  onAcknowledged: () => void
}

/** Liquid, on three exchanges, with whole lots and prices on the tick. */
const INSTRUMENTS = [
  { symbol: 'SBIN', exchange: 'NSE', unit: 1 },
  { symbol: 'RELIANCE', exchange: 'NSE', unit: 5 },
  { symbol: 'TCS', exchange: 'NSE', unit: 2 },
  { symbol: 'INFY', exchange: 'BSE', unit: 3 },
  { symbol: 'ITC', exchange: 'NSE', unit: 10 },
] as const

const PAUSE_MS_MAX = 12
/** So that little margin is blocked and no limit on working orders is met, however long the load goes on. */
const OWN_WORKING_MAX = 15

/** One connection's share of the load. Ends when `stopped` says so or the server is gone. */
export async function load(
  client: Client,
  ledger: Ledger,
  random: Random,
  name: string,
  stopped: () => boolean,
): Promise<void> {
  const working: Promised[] = []
  const prices = new Map<string, number>()
  try {
    for (const { symbol, exchange } of INSTRUMENTS) {
      prices.set(symbol, (await client.quotes({ symbol, exchange })).data.ltp)
    }
    for (let number = 0; !stopped(); number += 1) {
      ledger.requests += 1
      const dice = random.below(100)
      const order = working.length === 0 ? undefined : working[random.below(working.length)]
      if (order === undefined || (dice < 55 && working.length < OWN_WORKING_MAX)) {
        const placed = await place(client, ledger, random, `${name}-${number}`, prices)
        if (placed.pricetype === 'MARKET') await look(client, placed)
        if (placed.finished === undefined) working.push(placed)
      } else if (dice < 75) await modify(client, ledger, random, order)
      else if (dice < 92) await cancel(client, ledger, order)
      else await look(client, order)
      if (order?.finished !== undefined) working.splice(working.indexOf(order), 1)
      await sleep(random.below(PAUSE_MS_MAX))
    }
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

const isGone = (error: unknown): boolean => error instanceof ApiError && error.code === 'connection_failed'

/** Many orders at once, so that rows queue up on their way to the disk. Ends when all are answered or the server is gone. */
export async function burst(client: Client, ledger: Ledger, random: Random, name: string, size: number): Promise<void> {
  const noPrices = new Map<string, number>()
  const outcomes = await Promise.allSettled(
    Array.from({ length: size }, (_, number) =>
      place(client, ledger, random, `${name}-${number}`, noPrices, ['MARKET']),
    ),
  )
  ledger.requests += size
  for (const outcome of outcomes) if (outcome.status === 'rejected' && !isGone(outcome.reason)) throw outcome.reason
}

const MIXED = ['MARKET', 'MARKET', 'LIMIT', 'LIMIT', 'SL'] as const

async function place(
  client: Client,
  ledger: Ledger,
  random: Random,
  tag: string,
  prices: ReadonlyMap<string, number>,
  priceTypes: readonly [Promised['pricetype'], ...Promised['pricetype'][]] = MIXED,
): Promise<Promised> {
  const { symbol, exchange, unit } = random.pick(INSTRUMENTS)
  const action = random.pick(['BUY', 'SELL'])
  const pricetype = random.pick(priceTypes)
  const quantity = unit * (1 + random.below(4))
  // From far outside the market to inside it: some rest, some trade at once, some when the price comes by.
  const distance = random.pick([0.05, 0.02, 0.001, -0.002])
  const ltp = prices.get(symbol) ?? 0
  const away = pricetype === 'SL' ? 1 + Math.abs(distance) : 1 - distance
  const price = pricetype === 'MARKET' ? 0 : onTick(action === 'BUY' ? ltp * away : ltp * (2 - away))
  ledger.tagsSent.add(tag)
  const trigger = pricetype === 'SL' ? { trigger_price: price } : {}
  const input = {
    strategy: tag,
    symbol,
    exchange,
    action,
    pricetype,
    quantity,
    price,
    product: 'MIS',
    ...trigger,
  } as const
  const asked = {
    tag,
    symbol,
    action,
    pricetype,
    quantity,
    price,
    filledQuantity: 0,
    finished: undefined,
    changeAsked: undefined,
  }
  // Half of them are named, so that they can be sent again
  const name = random.below(2) === 0 ? { idempotencyKey: tag } : {}
  if ('idempotencyKey' in name) ledger.unanswered.set(tag, { ...asked, input })
  const { orderid } = await client.placeorder(input, name)
  ledger.unanswered.delete(tag)
  return acknowledged(ledger, { orderid, ...asked })
}

/**
 * Sends again, under the same names, what was never answered. An order and its answer are on disk together or not at all:
 * so what is there is answered as the first time, and what isn't is placed now. Returns how many were there.
 */
export async function sendAgain(server: ServerProcess, ledger: Ledger): Promise<number> {
  let isReplayed = false
  const client = createClient({
    host: server.address,
    apiKey: server.key,
    fetch: async (...request) => {
      const answer = await fetch(...request)
      isReplayed = answer.headers.get('idempotent-replayed') === 'true'
      return answer
    },
  })
  const there = new Map((await allOrders(client)).map(({ strategy, orderid }) => [strategy, orderid]))
  let replays = 0
  for (const [tag, { input, ...asked }] of [...ledger.unanswered]) {
    const { orderid } = await client.placeorder(input, { idempotencyKey: tag })
    if (isReplayed) replays += 1
    const known = there.get(tag)
    if (known !== undefined) expect([orderid, isReplayed], `order of ${tag}, replayed`).toEqual([known, true])
    // Of a session that has ended meanwhile
    else if (isReplayed) await client.orderstatus({ strategy: 'x', orderid })
    ledger.unanswered.delete(tag)
    acknowledged(ledger, { orderid, ...asked })
  }
  return replays
}

function acknowledged(ledger: Ledger, promised: Promised): Promised {
  const { orderid } = promised
  if (ledger.promised.has(orderid)) throw new Error(`Order id ${orderid} was given out twice.`)
  ledger.promised.set(orderid, promised)
  ledger.onAcknowledged()
  return promised
}

/** Whole rupees are on every tick. */
const onTick = Math.round

async function modify(client: Client, ledger: Ledger, random: Random, order: Promised): Promise<void> {
  const { exchange, unit } = INSTRUMENTS.find(({ symbol }) => symbol === order.symbol) ?? INSTRUMENTS[0]
  const quantity = unit * (1 + random.below(4))
  const price =
    order.pricetype === 'LIMIT' ? onTick(order.price * (order.action === 'BUY' ? 0.999 : 1.001)) : order.price
  const { orderid, symbol, action, pricetype } = order
  order.changeAsked = { quantity, price }
  const changed = await refusedWhenFinished(() =>
    client.modifyorder({
      strategy: 'x',
      orderid,
      symbol,
      exchange,
      action,
      pricetype,
      quantity,
      price,
      product: 'MIS',
    }),
  )
  order.changeAsked = undefined
  if (!changed) return await look(client, order)
  Object.assign(order, { quantity, price })
  ledger.onAcknowledged()
}

async function cancel(client: Client, ledger: Ledger, order: Promised): Promise<void> {
  const cancelled = await refusedWhenFinished(() => client.cancelorder({ strategy: 'x', orderid: order.orderid }))
  if (!cancelled) return await look(client, order)
  order.finished = 'cancelled'
  ledger.onAcknowledged()
}

/** What was shown counts as promised too. */
async function look(client: Client, order: Promised): Promise<void> {
  const { data } = await client.orderstatus({ strategy: 'x', orderid: order.orderid })
  order.filledQuantity = data.filled_quantity
  if (data.order_status === 'complete' || data.order_status === 'cancelled') order.finished = data.order_status
}

/** Whether it was done; false when the order had meanwhile traded. */
async function refusedWhenFinished(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act()
    return true
  } catch (error) {
    if (error instanceof ApiError && error.code === 'order_not_open') return false
    throw error
  }
}
