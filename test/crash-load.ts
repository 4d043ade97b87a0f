import { ApiError, type CallOptions, type Client, type InputOf, type OutputOf } from '../client/src/index.ts'
import type { Ledger, Ordering, Promised } from './crash-ledger.ts'
import type { Random } from './random.ts'
import { sleep } from './server-process.ts'

/** Liquid, on two exchanges, with whole lots and prices on the tick. */
const INSTRUMENTS = [
  { symbol: 'SBIN', exchange: 'NSE', unit: 1 },
  { symbol: 'RELIANCE', exchange: 'NSE', unit: 5 },
  { symbol: 'TCS', exchange: 'NSE', unit: 2 },
  { symbol: 'INFY', exchange: 'BSE', unit: 3 },
  { symbol: 'ITC', exchange: 'NSE', unit: 10 },
] as const
const NIFTY_LOT = 65

const PAUSE_MS_MAX = 12
/** So that little margin is blocked and no limit on working orders is met, however long the load goes on. */
const OWN_WORKING_MAX = 15

/** Where and as whom the load asks, and what it may choose from. */
export interface Desk {
  readonly client: Client
  readonly ledger: Ledger
  /** Last prices by symbol. */
  readonly prices: ReadonlyMap<string, number>
  /** Of NIFTY options, as operations take it. */
  readonly expiry: string
}

export async function openDesk(client: Client, ledger: Ledger): Promise<Desk> {
  const prices = new Map<string, number>()
  for (const { symbol, exchange } of INSTRUMENTS)
    prices.set(symbol, (await client.quotes({ symbol, exchange })).data.ltp)
  const { data } = await client.expiry({ symbol: 'NIFTY', exchange: 'NFO', instrumenttype: 'options' })
  // Not the next one: it may be today
  return { client, ledger, prices, expiry: (data[1] ?? '').replaceAll('-', '') }
}

/** One connection's share of the load. Ends when `stopped` says so or the server is gone. */
export async function load(desk: Desk, random: Random, name: string, stopped: () => boolean): Promise<void> {
  const { client, ledger } = desk
  const working: Promised[] = []
  try {
    for (let number = 0; !stopped(); number += 1) {
      ledger.requests += 1
      const tag = `${name}-${number}`
      const dice = random.below(100)
      const order = working.length === 0 ? undefined : working[random.below(working.length)]
      if (order === undefined || (dice < 35 && working.length < OWN_WORKING_MAX)) {
        for (const placed of await place(desk, random, tag)) {
          if (placed.pricetype === 'MARKET') await look(client, placed)
          if (placed.finished === undefined) working.push(placed)
        }
      } else if (dice < 50) await modify(desk, random, order, tag)
      else if (dice < 65) await cancel(desk, random, order, tag)
      else if (dice < 90) {
        const placed = await random.pick([basket, split, smart, trigger, options])(desk, random, tag)
        working.push(...placed.filter(({ pricetype }) => pricetype === 'LIMIT'))
      } else if (dice < 93) await ask(desk, 'closeposition', { strategy: tag }, tag)
      else await look(client, order)
      if (order?.finished !== undefined) working.splice(working.indexOf(order), 1)
      await sleep(random.below(PAUSE_MS_MAX))
    }
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

const isGone = (error: unknown): boolean => error instanceof ApiError && error.code === 'connection_failed'

/** Much at once, so that rows queue up on their way to the disk. Ends when all are answered or the server is gone. */
export async function burst(desk: Desk, random: Random, name: string, size: number): Promise<void> {
  const outcomes = await Promise.allSettled(
    Array.from({ length: size }, (_, number) => {
      const tag = `${name}-${number}`
      return random.below(4) === 0
        ? random.pick([basket, split, smart, trigger])(desk, random, tag, ['MARKET'])
        : place(desk, random, tag, ['MARKET'])
    }),
  )
  desk.ledger.requests += size
  for (const outcome of outcomes) if (outcome.status === 'rejected' && !isGone(outcome.reason)) throw outcome.reason
}

type Call = (operation: Ordering, input: object, options: CallOptions) => Promise<unknown>

/** Asks for something, under a name if there is one, and notes what the answer promises. */
async function ask<Name extends Ordering>(
  { client, ledger }: Desk,
  operation: Name,
  input: InputOf<Name>,
  name: string | undefined,
): Promise<readonly Promised[]> {
  const call = client.call as Call
  const output = await call(operation, input, name === undefined ? {} : { idempotencyKey: name })
  return ledger.follow(operation, input, output as OutputOf<Name>)
}

type PriceTypes = readonly ['MARKET' | 'LIMIT' | 'SL', ...('MARKET' | 'LIMIT' | 'SL')[]]
const MIXED: PriceTypes = ['MARKET', 'MARKET', 'LIMIT', 'LIMIT', 'SL']
const PLAIN: PriceTypes = ['MARKET', 'LIMIT']

/** An order as requests have it. */
function wanted({ prices }: Desk, random: Random, priceTypes: PriceTypes) {
  const { symbol, exchange, unit } = random.pick(INSTRUMENTS)
  const action = random.pick(['BUY', 'SELL'])
  const pricetype = random.pick(priceTypes)
  const quantity = unit * (1 + random.below(4))
  // From far outside the market to inside it: some rest, some trade at once, some when the price comes by.
  const distance = random.pick([0.05, 0.02, 0.001, -0.002])
  const ltp = prices.get(symbol) ?? 0
  const away = pricetype === 'SL' ? 1 + Math.abs(distance) : 1 - distance
  const price = pricetype === 'MARKET' ? 0 : onTick(action === 'BUY' ? ltp * away : ltp * (2 - away))
  const trigger = pricetype === 'SL' ? { trigger_price: price } : {}
  return { unit, order: { symbol, exchange, action, pricetype, quantity, price, product: 'MIS', ...trigger } as const }
}

/** Whole rupees are on every tick. */
const onTick = Math.round

/** Half of them without a name. */
function place(desk: Desk, random: Random, tag: string, priceTypes = MIXED): Promise<readonly Promised[]> {
  const { order } = wanted(desk, random, priceTypes)
  const isNamed = random.below(2) === 0
  if (!isNamed) desk.ledger.loose.add(tag)
  return ask(desk, 'placeorder', { strategy: tag, ...order }, isNamed ? tag : undefined)
}

function basket(desk: Desk, random: Random, tag: string, priceTypes = PLAIN): Promise<readonly Promised[]> {
  const orders = Array.from({ length: 2 }, () => wanted(desk, random, priceTypes).order)
  return ask(desk, 'basketorder', { strategy: tag, orders }, tag)
}

function split(desk: Desk, random: Random, tag: string, priceTypes = PLAIN): Promise<readonly Promised[]> {
  const { unit, order } = wanted(desk, random, priceTypes)
  const quantity = unit * (2 + random.below(2))
  return ask(desk, 'splitorder', { strategy: tag, ...order, quantity, splitsize: unit }, tag)
}

function smart(desk: Desk, random: Random, tag: string): Promise<readonly Promised[]> {
  const { unit, order } = wanted(desk, random, ['MARKET'])
  const position_size = unit * (random.below(11) - 5)
  return ask(desk, 'placesmartorder', { strategy: tag, ...order, quantity: 0, position_size }, tag)
}

/** Some wait for good, some until the price has moved a little. */
function trigger(desk: Desk, random: Random, tag: string): Promise<readonly Promised[]> {
  const { symbol, exchange } = random.pick(INSTRUMENTS)
  const ltp = desk.prices.get(symbol) ?? 0
  const at =
    random.below(3) === 0 ? { triggerprice_tg: Math.ceil(ltp * 1.0002) } : { triggerprice_sl: onTick(ltp * 0.8) }
  const [price = 0] = Object.values(at)
  const order = { exchange, symbol, action: 'BUY', product: 'CNC', quantity: 1, price, ...at } as const
  return ask(desk, 'placegttorder', { strategy: tag, trigger_type: 'SINGLE', ...order }, tag)
}

function options(desk: Desk, random: Random, tag: string): Promise<readonly Promised[]> {
  const common = { option_type: random.pick(['CE', 'PE']), quantity: NIFTY_LOT, product: 'NRML' } as const
  const legs = [
    { offset: 'OTM4', action: 'BUY', ...common },
    { offset: 'OTM2', action: 'SELL', ...common },
  ] as const
  // Placed together, or one by one
  const on_leg_failure = random.pick(['stop', 'continue'])
  const series = { underlying: 'NIFTY', exchange: 'NSE_INDEX', expiry_date: desk.expiry } as const
  return ask(desk, 'optionsmultiorder', { strategy: tag, ...series, legs, on_leg_failure }, tag)
}

const half = (random: Random, tag: string): string | undefined => (random.below(2) === 0 ? tag : undefined)

async function modify(desk: Desk, random: Random, order: Promised, tag: string): Promise<void> {
  const { exchange, unit } = INSTRUMENTS.find(({ symbol }) => symbol === order.symbol) ?? INSTRUMENTS[0]
  const quantity = unit * (1 + random.below(4))
  const price =
    order.pricetype === 'LIMIT' ? onTick(order.price * (order.action === 'BUY' ? 0.999 : 1.001)) : order.price
  const { orderid, symbol, action, pricetype } = order
  order.changeAsked = { quantity, price }
  const change = { orderid, symbol, exchange, action, pricetype, quantity, price, product: 'MIS' } as const
  const changed = await refusedWhenFinished(() =>
    ask(desk, 'modifyorder', { strategy: 'x', ...change }, half(random, tag)),
  )
  if (changed) return
  order.changeAsked = undefined
  await look(desk.client, order)
}

async function cancel(desk: Desk, random: Random, order: Promised, tag: string): Promise<void> {
  const { orderid } = order
  const cancelled = await refusedWhenFinished(() =>
    ask(desk, 'cancelorder', { strategy: 'x', orderid }, half(random, tag)),
  )
  if (!cancelled) await look(desk.client, order)
}

/** What was shown counts as promised too. */
async function look(client: Client, order: Promised): Promise<void> {
  const { data } = await client.orderstatus({ strategy: 'x', orderid: order.orderid })
  order.filledQuantity = data.filled_quantity
  if (data.order_status === 'complete' || data.order_status === 'cancelled') order.finished = data.order_status
}

/** Whether it was done; false when the order had meanwhile traded, or was cancelled with its position. */
async function refusedWhenFinished(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act()
    return true
  } catch (error) {
    if (error instanceof ApiError && error.code === 'order_not_open') return false
    throw error
  }
}
