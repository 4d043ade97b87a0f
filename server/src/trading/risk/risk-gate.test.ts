import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { OrderReport, Venue } from '../../brokers/venue.ts'
import { assert } from '../../kernel/assert.ts'
import { ManualClock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { dateAt } from '../../kernel/exchange-time.ts'
import { moneyOf, type Price, quantityOf, tradeValue, ZERO_PRICE, ZERO_QUANTITY } from '../../kernel/fixed.ts'
import {
  createCalendar,
  createSimulator,
  createUniverse,
  type Instrument,
  InstrumentStore,
} from '../../market/index.ts'
import { type PaperExchange, venueEventsOf } from '../../paper/index.ts'
import { openTestExchange } from '../../paper/test-exchange.ts'
import { type Databases, openDatabases } from '../../storage/open.ts'
import { LOOK_AGE_MS_MAX } from './account-view.ts'
import { check, type Holding, type Judged, type MarketView, onlyReduces, type Standing } from './check.ts'
import { effectiveOf } from './effective.ts'
import type { Denial, RiskRequest } from './gate.ts'
import { type Asked, judgedChange, judgedOrder, onlyShrinks } from './judged.ts'
import { LimitStore } from './limit-store.ts'
import { LIMIT_NAMES, type Limits } from './limits.ts'
import type { Market } from './market-view.ts'
import { LimitsGate } from './risk-gate.ts'
import type { RiskScope } from './scope.ts'
import { RULES, type Rules, STEP, type State, type Step, VALUED } from './test-drawn-rules.ts'
import { NO_RULES } from './test-rules.ts'
import { worstPrice } from './worst-price.ts'
import { worth } from './worth.ts'

const ACCOUNT = 'default'
const KEY = 'key_test'
const ASKER = { account: ACCOUNT, keyId: KEY }
const ACTOR = { name: 'owner', address: '', requestId: '' }
const clock = new ManualClock('2026-11-25T11:00:00+05:30')
const calendar = createCalendar({ hours: 'always' })
const simulator = createSimulator({ seed: 1, clock, calendar })
const listed = new InstrumentStore(createUniverse({ date: dateAt(clock.now()), seed: 1 }))
/** The same prices from a source that can't be asked without waiting. */
const slow: Market = {
  intervals: simulator.intervals,
  quotes: (instruments) => simulator.quotes(instruments),
  depth: (instrument) => simulator.depth(instrument),
  candles: (...range) => simulator.candles(...range),
}

let folder: string
let databases: Databases
let store: LimitStore
let paper: PaperExchange
let gate: LimitsGate
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-gate-'))
  databases = await openDatabases(folder, clock)
  store = await LimitStore.open({
    money: databases.money,
    clock,
    audit: () => undefined,
    exchangeRules: () => false,
    isBound: () => true,
    onError: () => undefined,
  })
  paper = await openTestExchange({
    databases,
    accounts: [ACCOUNT],
    marketData: simulator,
    rules: { calendar, squareOffMinutes: () => undefined, sessionBoundaryMinutes: 0 },
    clock,
    publish: (committed) => gate.told(committed.account, () => venueEventsOf(committed)),
  })
})
afterAll(async () => {
  await paper.close()
  await databases.close()
  rmSync(folder, { recursive: true })
})

const find = (symbol: string): Instrument | undefined => listed.find(symbol, 'NSE')
const listedAs = (symbol: string): Instrument => {
  const instrument = find(symbol)
  assert(instrument !== undefined, `${symbol} is listed`)
  return instrument
}

const seen = { allowed: 0, denied: 0 }

/** One account, its orders, and what its limits come to when nothing is kept and everything is added up anew. */
class Desk {
  readonly venue: Venue
  readonly #rules: Rules
  readonly #state: State
  readonly #isQuick: boolean
  readonly #isValued: boolean
  readonly #keyOrdersBefore: number
  readonly #onTheirWay: RiskRequest[] = []
  readonly #allowed: { readonly at: number; readonly strategy: string }[] = []

  private constructor(venue: Venue, rules: Rules, state: State, isQuick: boolean) {
    this.venue = venue
    this.#state = state
    this.#isQuick = isQuick
    this.#keyOrdersBefore = store.keyUse.ordersOn(KEY, dateAt(clock.now()))
    const { orders_per_day: perDay } = rules.key
    const key = perDay === undefined ? rules.key : { ...rules.key, orders_per_day: perDay + this.#keyOrdersBefore }
    this.#rules = { ...rules, key }
    this.#isValued = this.#scopes().some(([, limits]) => VALUED.some((name) => limits[name] !== undefined))
  }

  static async open(rules: Rules, state: State, isQuick: boolean): Promise<Desk> {
    const venue = paper.venue(ACCOUNT)
    assert(venue !== undefined, 'the account is open')
    gate = new LimitsGate({ store, marketData: isQuick ? simulator : slow, venueOf: () => venue, find, clock })
    await venue.reset(moneyOf(10_000_000))
    clock.advance(2_000)
    const desk = new Desk(venue, rules, state, isQuick)
    const none = Object.fromEntries(LIMIT_NAMES.map((name) => [name, null]))
    for (const [scope, limits] of desk.#scopes()) await store.set(scope, { limits: { ...none, ...limits } }, ACTOR)
    await store.set({ kind: 'account', account: ACCOUNT }, { state }, ACTOR)
    return desk
  }

  #scopes(): readonly (readonly [RiskScope, Limits])[] {
    return [
      [{ kind: 'instance' }, this.#rules.instance],
      [{ kind: 'account', account: ACCOUNT }, this.#rules.account],
      [{ kind: 'key', keyId: KEY }, this.#rules.key],
      [{ kind: 'strategy', account: ACCOUNT, strategy: 's' }, this.#rules.strategy],
    ]
  }

  async take(step: Step): Promise<void> {
    // What came since the last look is valued as it was ordered: compared is what is looked at
    clock.advance(step.afterMs + (this.#isValued ? LOOK_AGE_MS_MAX + 1 : 0))
    if (step.kind === 'send' || step.kind === 'leave') {
      const request = await this.#judge(step)
      if (request !== undefined && step.kind === 'send') await this.#arrive(request)
      else if (request !== undefined) this.#onTheirWay.push(request)
    } else if (step.kind === 'arrive' || step.kind === 'lose') {
      const request = this.#onTheirWay.shift()
      if (request === undefined) return
      if (step.kind === 'lose') gate.settle(request, 0, undefined)
      else await this.#arrive(request)
    } else if (step.kind === 'tick') {
      await paper.tick()
    } else {
      const working = (await this.venue.orders()).find(isWorking)
      if (working === undefined) return
      if (step.kind === 'cancel') await this.venue.cancel(working.id)
      else await this.#change(working, step)
    }
  }

  /** Undefined when it is denied. */
  async #judge({ afterMs, symbol, action, product, strategy, quantity, away }: Step): Promise<RiskRequest | undefined> {
    const instrument = listedAs(symbol)
    const order = {
      symbol,
      exchange: instrument.exchange,
      action,
      quantity: quantityOf(quantity),
      priceType: away === null ? ('MARKET' as const) : ('LIMIT' as const),
      product,
      price: away === null ? ZERO_PRICE : near(instrument, away),
      triggerPrice: ZERO_PRICE,
      disclosedQuantity: ZERO_QUANTITY,
      strategy,
    }
    const request = { ...ASKER, orders: [{ order, instrument }] }
    const [asked] = request.orders
    assert(asked !== undefined, 'there is one')
    const isLookedAt = afterMs <= LOOK_AGE_MS_MAX
    if (isLookedAt) await gate.use(ASKER, 's')
    const expected = await this.#denials(judgedOrder(asked, false), instrument, strategy)
    const pending = gate.judge(request)
    if (this.#isQuick && isLookedAt) expect(pending).not.toBeInstanceOf(Promise)
    const [denial] = await pending
    expectOneOf(expected, denial)
    seen[denial === undefined ? 'allowed' : 'denied'] += 1
    if (denial === undefined) this.#allowed.push({ at: clock.now(), strategy })
    else await this.venue.place({ ...order, instrument, denied: denial.message })
    return denial === undefined ? request : undefined
  }

  async #arrive(request: RiskRequest): Promise<void> {
    const [asked] = request.orders
    assert(asked !== undefined, 'there is one')
    const { id } = await this.venue.place({ ...asked.order, instrument: asked.instrument })
    gate.settle(request, 0, id)
  }

  async #change(existing: OrderReport, { quantity, away }: Step): Promise<void> {
    const instrument = listedAs(existing.symbol)
    const { symbol, exchange, action, priceType, product } = existing
    const change = {
      orderId: existing.id,
      symbol,
      exchange,
      action,
      priceType,
      product,
      quantity: quantityOf(quantity),
      disclosedQuantity: ZERO_QUANTITY,
      price: near(instrument, away ?? 0),
      triggerPrice: ZERO_PRICE,
    }
    const asked = { ...ASKER, existing, change, instrument }
    await gate.use(ASKER, 's')
    const expected = onlyShrinks(asked) ? [] : await this.#denials(judgedChange(asked), instrument, existing.strategy)
    const denial = await gate.judgeChange(asked)
    expectOneOf(expected, denial)
    if (denial !== undefined) return
    try {
      await this.venue.modify(existing.id, change)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error // the venue may think otherwise
    }
    gate.settleChange(asked)
  }

  /** Why an order is denied by each rule by itself. */
  async #denials(order: Judged, instrument: Instrument, strategy: string): Promise<Denial[]> {
    const account = await this.#standing(order, undefined)
    const own = await this.#standing(order, strategy)
    const key = { ...NOTHING, ...this.#counts(undefined), ordersToday: this.#keyOrdersToday }
    const market = marketFor(order, instrument)
    const denials: (Denial | undefined)[] = this.#scopes().map(([scope, limits]) => {
      if (scope.kind === 'strategy' && scope.strategy !== strategy) return undefined
      const rule = { scope, limits, state: 'active' as const, algoId: '', algoRegistration: '' }
      const bounds = effectiveOf({ ...NO_RULES, [scope.kind]: rule })
      const at = (standing: Standing) => ({ order, standing, market, now: clock.now() })
      return (
        check({ ...at(account), bounds: bounds.account }) ??
        check({ ...at(key), bounds: bounds.key }) ??
        check({ ...at(own), bounds: bounds.strategy })
      )
    })
    if (this.#state === 'reduce_only' && !onlyReduces(order, account.position))
      denials.push({
        code: 'risk_reduce_only',
        message: `Risk: account ${ACCOUNT} is in reduce_only, and this order does more than make the position in ${order.symbol} ${order.product} smaller.`,
      })
    return denials.filter((denial) => denial !== undefined)
  }

  /** Counted only while the key has such a limit. */
  get #keyOrdersToday(): number {
    return this.#keyOrdersBefore + this.#allowed.length
  }

  #counts(strategy: string | undefined): Pick<Standing, 'ordersInSecond' | 'segmentOrdersInSecond'> {
    const recent = this.#allowed.filter(
      (sent) => sent.at > clock.now() - 1_000 && (strategy ?? sent.strategy) === sent.strategy,
    ).length
    return { ordersInSecond: recent, segmentOrdersInSecond: recent }
  }

  async #standing(order: Judged, strategy: string | undefined): Promise<Standing> {
    const isOf = (row: { readonly strategy: string }): boolean => strategy === undefined || row.strategy === strategy
    const books = await this.venue.books()
    const orders = (await this.venue.orders()).filter(isOf)
    const coming = this.#onTheirWay.flatMap((request) => request.orders).filter((asked) => isOf(asked.order))
    const held = strategy === undefined ? books.positions : books.strategyPositions.filter(isOf)
    const realised =
      strategy === undefined ? books.funds.realisedToday : (books.strategies.find(isOf)?.realisedToday ?? 0)
    const working = [
      ...orders.filter(isWorking).map((row) => ({ ...row, open: row.quantity - row.filledQuantity })),
      ...coming.map((asked: Asked) => ({ ...asked.order, open: asked.order.quantity })),
    ]
    const of = (isIt: (row: Row) => boolean): Holding => ({
      quantity: sum(held.filter(isIt).map(({ quantity }) => quantity)),
      buying: sum(working.filter((row) => isIt(row) && row.action === 'BUY').map(({ open }) => open)),
      selling: sum(working.filter((row) => isIt(row) && row.action === 'SELL').map(({ open }) => open)),
    })
    const ends = SYMBOLS.flatMap((symbol) =>
      PRODUCTS.map((product) => {
        const { quantity, buying, selling } = of((row) => row.symbol === symbol && row.product === product)
        return { high: value(symbol, quantity + buying), low: value(symbol, quantity - selling) }
      }),
    )
    const open = held
      .filter(({ quantity }) => quantity !== 0)
      .map((row) => tradeValue(lastPrice(listedAs(row.symbol)), row.quantity, row.multiplier, 'down') - row.cost)
    return {
      ...this.#counts(strategy),
      openOrders: working.length,
      ordersToday: orders.filter(({ reason }) => !reason.startsWith('Risk:')).length + coming.length,
      position: of((row) => row.symbol === order.symbol && row.product === order.product),
      instrument: of((row) => row.symbol === order.symbol),
      grossExposure: sum(ends.map(({ high, low }) => Math.max(Math.abs(high), Math.abs(low)))),
      netHigh: sum(ends.map(({ high }) => high)),
      netLow: sum(ends.map(({ low }) => low)),
      dailyLoss: -(realised + sum(open)),
    }
  }
}

type Row = Pick<OrderReport, 'symbol' | 'product'>
const SYMBOLS = ['SBIN', 'IDEA']
const PRODUCTS = ['MIS', 'CNC']
const NOTHING: Standing = {
  openOrders: 0,
  ordersToday: 0,
  ordersInSecond: 0,
  segmentOrdersInSecond: 0,
  position: { quantity: 0, buying: 0, selling: 0 },
  instrument: { quantity: 0, buying: 0, selling: 0 },
  grossExposure: 0,
  netHigh: 0,
  netLow: 0,
  dailyLoss: 0,
}

const isWorking = ({ status }: OrderReport): boolean => status === 'open' || status === 'trigger pending'
const sum = (amounts: readonly number[]): number => amounts.reduce((all, one) => all + one, 0)
const lastPrice = (instrument: Instrument): Price => simulator.quoteNow(instrument).ltp
const value = (symbol: string, quantity: number): number => {
  const instrument = listedAs(symbol)
  return Math.sign(quantity) * worth(lastPrice(instrument), Math.abs(quantity), instrument.multiplier)
}

function near(instrument: Instrument, percent: number): Price {
  const price = lastPrice(instrument) * (1 + percent / 100)
  return (Math.round(price / instrument.tickSize) * instrument.tickSize) as Price
}

function marketFor({ action, quantity }: Judged, instrument: Instrument): MarketView {
  const depth = simulator.depthNow(instrument)
  return { lastPrice: depth.ltp, at: depth.at, worst: worstPrice(depth, action, quantity) }
}

/** It is denied exactly when some rule denies it, and in the words of one that does. */
function expectOneOf(expected: readonly Denial[], denial: Denial | undefined): void {
  if (expected.length === 0) expect(denial).toBeUndefined()
  else expect(expected).toContainEqual(denial)
}

test('every order gets the verdict that each rule by itself gives on the books as they are', async () => {
  await fc.assert(
    fc.asyncProperty(
      RULES,
      fc.constantFrom<State>('active', 'active', 'active', 'active', 'active', 'reduce_only'),
      fc.boolean(),
      fc.array(STEP, { minLength: 25, maxLength: 40 }),
      async (rules, state, isQuick, steps) => {
        const desk = await Desk.open(rules, state, isQuick)
        for (const step of steps) await desk.take(step)
      },
    ),
    { numRuns: 25 },
  )
  expect(Math.min(seen.allowed, seen.denied)).toBeGreaterThan(40)
}, 30_000)
