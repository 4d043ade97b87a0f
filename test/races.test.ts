import { expect, test } from 'vitest'
import { ApiError, type Client, createClient } from '../client/src/index.ts'
import { allOrders, allTrades, checkBooks } from './crash-check.ts'
import { type Random, seededRandom, seedFrom } from './random.ts'
import { ServerProcess, sleep } from './server-process.ts'

/**
 * Many connections that want everything at once of the same few symbols. Nothing is known in advance of what comes of any
 * one of them; afterwards everything must add up. `RACE_SECONDS` and `RACE_SEED` from the environment.
 */
const CONNECTIONS = 64
const SYMBOLS = ['SBIN', 'ITC', 'INFY', 'GAIL'] as const
const SETTLE_MS = 1_500
const { CI = '', RACE_SECONDS = '' } = process.env
const seconds = Number(RACE_SECONDS || (CI === '' ? 5 : 10))

/** What may be answered to somebody who is late, or asks for too much; anything else is a fault. */
const FAIR: ReadonlySet<string> = new Set(['order_rejected', 'order_not_open', 'gtt_not_found', 'gtt_unchangeable'])

interface Counts {
  done: number
  readonly refused: Map<string, number>
  readonly gtts: { readonly id: string; readonly strategy: string }[]
  readonly orderIds: Set<string>
}

test(
  `after ${seconds} s of ${CONNECTIONS} connections that race for the same symbols, everything adds up`,
  async () => {
    const seed = seedFrom('RACE_SEED')
    console.log(`RACE_SEED=${seed} RACE_SECONDS=${seconds}`)
    const server = await ServerProcess.start()
    const counts: Counts = { done: 0, refused: new Map(), gtts: [], orderIds: new Set() }
    try {
      const client = createClient({ host: server.address, apiKey: server.key })
      const until = performance.now() + seconds * 1_000
      const prices = new Map<string, number>()
      for (const symbol of SYMBOLS) prices.set(symbol, (await client.quotes({ symbol, exchange: 'NSE' })).data.ltp)
      const random = seededRandom(seed)
      await Promise.all(
        Array.from({ length: CONNECTIONS }, (_, index) =>
          race(
            client,
            counts,
            seededRandom(random.below(2 ** 32)),
            prices,
            `c${index}`,
            () => performance.now() > until,
          ),
        ),
      )
      await checkOutcome(client, counts)
      const before = await settledBooks(client)
      await server.stop()
      await server.start()
      const again = createClient({ host: server.address, apiKey: server.key })
      expect(await settledBooks(again)).toEqual(before)
      expect(server.output).not.toMatch(/"level":(50|60)/)
      await server.stop()
    } catch (error) {
      throw new Error(`With RACE_SEED=${seed}. The server wrote:\n${server.output.slice(-4_000)}`, { cause: error })
    } finally {
      await server.remove()
    }
    console.log(`${counts.done} requests done, refused: ${JSON.stringify(Object.fromEntries(counts.refused))}`)
    expect(counts.done).toBeGreaterThan(seconds * 100)
    expect(counts.gtts.length).toBeGreaterThan(0)
  },
  seconds * 1_000 + 120_000,
)

async function race(
  client: Client,
  counts: Counts,
  random: Random,
  prices: ReadonlyMap<string, number>,
  name: string,
  isOver: () => boolean,
): Promise<void> {
  const own: string[] = []
  for (let number = 0; !isOver(); number += 1) {
    try {
      await act(client, counts, random, prices, `${name}-${number}`, own)
      counts.done += 1
    } catch (error) {
      if (!(error instanceof ApiError && FAIR.has(error.code))) throw error
      counts.refused.set(error.code, (counts.refused.get(error.code) ?? 0) + 1)
    }
  }
}

async function act(
  client: Client,
  counts: Counts,
  random: Random,
  prices: ReadonlyMap<string, number>,
  strategy: string,
  own: string[],
): Promise<void> {
  const symbol = random.pick(SYMBOLS)
  const action = random.pick(['BUY', 'SELL'])
  const price = prices.get(symbol) ?? 0
  const order = { strategy, symbol, exchange: 'NSE', product: 'MIS' } as const
  const note = (orderid: string | undefined): void => {
    if (orderid === undefined) return
    if (counts.orderIds.has(orderid)) throw new Error(`order id ${orderid} was given out twice`)
    counts.orderIds.add(orderid)
  }
  const dice = random.below(100)
  if (dice < 25) {
    const position_size = random.below(41) - 20
    note((await client.placesmartorder({ ...order, action, quantity: 1, position_size })).orderid)
  } else if (dice < 45) {
    const limit = Math.round(action === 'BUY' ? price * 0.97 : price * 1.03)
    const { orderid } = await client.placeorder({ ...order, action, quantity: 2, pricetype: 'LIMIT', price: limit })
    note(orderid)
    own.push(orderid)
  } else if (dice < 60) {
    const legs = SYMBOLS.map((one) => ({ symbol: one, exchange: 'NSE', action, quantity: 1, product: 'MIS' }) as const)
    for (const row of (await client.basketorder({ strategy, orders: legs })).results) note(row.orderid)
  } else if (dice < 70) {
    const orderid = own[random.below(own.length || 1)]
    if (orderid === undefined) return
    const { data } = await client.orderstatus({ strategy, orderid })
    const changed = { orderid, symbol: data.symbol, action: data.action as 'BUY', quantity: 1 + random.below(4) }
    await client.modifyorder({ ...order, ...changed, pricetype: 'LIMIT', price: data.price })
  } else if (dice < 85) {
    const orderid = own.splice(random.below(own.length || 1), 1)[0]
    if (orderid !== undefined) await client.cancelorder({ strategy, orderid })
  } else if (dice < 97) {
    // Close enough to fire soon, one side or the other
    const near = Math.max(0.05, Math.round(price * 0.0004 * 20) / 20)
    const round = (value: number): number => Math.round(value * 20) / 20
    const [low, high] = [round(price - near), round(price + near)]
    const { trigger_id } = await client.placegttorder({
      ...order,
      product: 'CNC',
      action: 'BUY',
      quantity: 1,
      trigger_type: 'OCO',
      price: 0,
      triggerprice_sl: low,
      stoploss: low,
      triggerprice_tg: high,
      target: high,
    })
    counts.gtts.push({ id: trigger_id, strategy })
    if (random.below(4) === 0) await client.cancelgttorder({ strategy, trigger_id })
  } else if (dice < 99) await client.cancelallorder({ strategy })
  else await client.closeposition({ strategy })
}

async function checkOutcome(client: Client, counts: Counts): Promise<void> {
  for (const symbol of SYMBOLS) {
    // Two at once and one after: the last one finds what the others left, whatever still worked
    const target = { strategy: 'last', symbol, exchange: 'NSE', product: 'MIS', action: 'BUY', quantity: 0 } as const
    await client.cancelallorder({ strategy: 'last' })
    await Promise.all([7, 7, 7].map((position_size) => client.placesmartorder({ ...target, position_size })))
    await sleep(SETTLE_MS)
    const { quantity } = await client.openposition({ strategy: 'last', symbol, exchange: 'NSE', product: 'MIS' })
    expect(quantity, `position of ${symbol}`).toBe(7)
  }
  await client.cancelallorder({ strategy: 'last' })
  const orders = await checkBooks(client)
  const byStrategy = Map.groupBy(orders, ({ strategy }) => strategy)
  for (const { id, strategy } of counts.gtts) {
    const [gtt] = (await client.gttorderbook({ trigger_id: id })).data
    const fired = (byStrategy.get(strategy) ?? []).map(({ orderid }) => orderid)
    expect(gtt, id).toBeDefined()
    expect(fired, `orders of ${id}, which is ${gtt?.status}`).toEqual(gtt?.orderid === '' ? [] : [gtt?.orderid])
  }
  const { account, netting, strategies } = (await client.strategybook()).data
  const paise = (rupees: number): number => Math.round(rupees * 100)
  const realised = strategies.reduce((sum, one) => sum + paise(one.realized_pnl), paise(netting.realized_pnl))
  expect(realised).toBe(paise(account.realized_pnl))
}

/** Everything that a restart must not change; triggers may fire meanwhile, so they are cancelled first. */
async function settledBooks(client: Client): Promise<object> {
  for (const { trigger_id } of (await client.gttorderbook()).data) {
    try {
      await client.cancelgttorder({ strategy: 'x', trigger_id })
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 'gtt_not_found')) throw error
    }
  }
  await client.cancelallorder({ strategy: 'x' })
  const orders = await allOrders(client)
  const trades = await allTrades(client)
  const positions = (await client.positionbook()).data.map(({ symbol, product, quantity, average_price }) => ({
    symbol,
    product,
    quantity,
    average_price,
  }))
  const { availablecash, utiliseddebits, total_realized_pnl } = (await client.funds()).data
  return { orders, trades, positions, funds: { availablecash, utiliseddebits, total_realized_pnl } }
}
