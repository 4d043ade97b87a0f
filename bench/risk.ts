import pino from 'pino'
import { createApp } from '../server/src/app.ts'
import { loadConfig } from '../server/src/config.ts'
import { OWNER } from '../server/src/identity/audit.ts'
import { systemClock } from '../server/src/kernel/clock.ts'
import { dateAt } from '../server/src/kernel/exchange-time.ts'
import { priceOf, quantityOf, ZERO_PRICE, ZERO_QUANTITY } from '../server/src/kernel/fixed.ts'
import { createCalendar, createSimulator, createUniverse, InstrumentStore } from '../server/src/market/index.ts'
import type { Limits } from '../server/src/trading/risk/limits.ts'
import { LimitsGate } from '../server/src/trading/risk/risk-gate.ts'
import type { OrderRequest } from '../server/src/trading/trading.ts'

const JUDGED = 5_000
/** By nothing it takes so little that the processor's clock needs more of them. */
const JUDGED_BY_NOTHING = 100_000
const ROUNDS = 9
/** Until what the judgements wrote is on disk. */
const REST_MS = 300
const ACCOUNT = 'default'

export interface RiskCost {
  readonly orders: number
  readonly limits: number
  /** Processor time of one order's judgement, median of some rounds. */
  readonly us: number
  /** Bytes allocated for one judgement. */
  readonly bytes: number
}

/** All that can be set, four times over, each wide enough: every one is looked at for every order, none denies. */
const LIMITS: Limits = {
  order_value: 1e13 as NonNullable<Limits['order_value']>,
  order_quantity: quantityOf(100_000),
  open_orders: 1_000_000,
  orders_per_day: 10_000_000,
  position_quantity: quantityOf(1_000_000),
  gross_exposure: 1e14 as NonNullable<Limits['gross_exposure']>,
  net_exposure: 1e14 as NonNullable<Limits['net_exposure']>,
  daily_loss: 1e14 as NonNullable<Limits['daily_loss']>,
  price_distance_percent: 2_000,
  market_protection_percent: 2_000,
  quote_age_ms: 3_600_000,
  symbols: ['SBIN', 'RELIANCE'],
  exchanges: ['NSE', 'BSE', 'NFO'],
  products: ['MIS', 'CNC', 'NRML'],
  trading_windows: [{ fromMinute: 0, toMinute: 1440 }],
}

/**
 * Judgements of an order: by nothing, then by all limits of instance, account, key and strategy, after so many orders of
 * the session. Half of those work.
 */
export async function riskCosts(folder: string, sizes: readonly number[]): Promise<readonly RiskCost[]> {
  const clock = systemClock
  const config = loadConfig({ DATA_DIR: folder, MARKET_HOURS: 'always' }, folder)
  const app = await createApp(config, clock, pino({ level: 'silent' }))
  try {
    const store = new InstrumentStore(createUniverse({ date: dateAt(clock.now()), seed: 1 }))
    const marketData = createSimulator({ seed: 1, clock, calendar: createCalendar({ hours: 'always' }) })
    const newGate = (): LimitsGate =>
      new LimitsGate({
        store: app.limits,
        marketData,
        venueOf: (account) => app.paper.venue(account),
        find: (symbol, exchange) => store.find(symbol, exchange),
        clock,
      })
    const costs: RiskCost[] = [{ orders: 0, limits: 0, ...(await judgements(newGate(), store, JUDGED_BY_NOTHING)) }]
    for (const scope of [
      { kind: 'instance' },
      { kind: 'account', account: ACCOUNT },
      { kind: 'key', keyId: 'key_bench' },
      { kind: 'strategy', account: ACCOUNT, strategy: 'bench' },
    ] as const)
      await app.limits.set(scope, { limits: LIMITS }, { ...OWNER, requestId: '' })
    let placed = 0
    for (const orders of sizes) {
      for (; placed < orders; placed += 1) await place(app.paper.venue(ACCOUNT), store, placed)
      costs.push({ orders, limits: 4 * Object.keys(LIMITS).length, ...(await judgements(newGate(), store, JUDGED)) })
    }
    return costs
  } finally {
    await app.close()
  }
}

const ONE = quantityOf(1)
const PRICE_FAR_AWAY = priceOf(1)

const orderOf = (index: number): OrderRequest => ({
  symbol: 'SBIN',
  exchange: 'NSE',
  action: index % 2 === 0 ? 'BUY' : 'SELL',
  quantity: ONE,
  priceType: 'MARKET',
  product: 'MIS',
  price: ZERO_PRICE,
  triggerPrice: ZERO_PRICE,
  disclosedQuantity: ZERO_QUANTITY,
  strategy: 'bench',
})

async function place(
  venue: ReturnType<Awaited<ReturnType<typeof createApp>>['paper']['venue']>,
  store: InstrumentStore,
  index: number,
): Promise<void> {
  const instrument = store.find('SBIN', 'NSE')
  if (venue === undefined || instrument === undefined) throw new Error('a fresh instance trades SBIN on paper')
  const { symbol: _, exchange: __, ...order } = orderOf(index)
  const rests = { action: 'BUY', priceType: 'LIMIT', price: PRICE_FAR_AWAY } as const
  await venue.place({ ...order, ...(index % 4 < 2 ? rests : {}), instrument })
}

async function judgements(
  gate: LimitsGate,
  store: InstrumentStore,
  count: number,
): Promise<{ us: number; bytes: number }> {
  const instrument = store.find('SBIN', 'NSE')
  if (instrument === undefined) throw new Error('SBIN is listed')
  const times: number[] = []
  const sizes: number[] = []
  for (let round = -2; round < ROUNDS; round += 1) {
    const heapBefore = process.memoryUsage().heapUsed
    let grown = 0
    const before = process.threadCpuUsage()
    for (let index = 0; index < count; index += 1) {
      const request = { account: ACCOUNT, keyId: 'key_bench', orders: [{ order: orderOf(index), instrument }] }
      const judged = gate.judge(request)
      const [denial] = judged instanceof Promise ? await judged : judged
      if (denial !== undefined) throw new Error(denial.message)
      gate.settle(request, 0, undefined)
      if (index === 500) grown = (process.memoryUsage().heapUsed - heapBefore) / 500
    }
    const { user, system } = process.threadCpuUsage(before)
    await new Promise((resolve) => setTimeout(resolve, REST_MS))
    if (round < 0) continue
    times.push((user + system) / count)
    if (grown > 0) sizes.push(grown)
  }
  const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
  return { us: middle(times), bytes: middle(sizes) }
}
