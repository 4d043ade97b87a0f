import type { Venue } from '../../brokers/venue.ts'
import type { VenueEvent } from '../../brokers/venue-event.ts'
import { assert } from '../../kernel/assert.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { minuteOfDay } from '../../kernel/exchange-time.ts'
import { MULTIPLIER_ONE, type Quantity } from '../../kernel/fixed.ts'
import type { Exchange, Instrument } from '../../market/instrument.ts'
import type { Depth, MarketData, Quote } from '../../market/market-data.ts'
import { CLOSE_STRATEGY } from '../close-position.ts'
import type { OrderRequest } from '../trading.ts'
import { AccountView, type Measured, type Working } from './account-view.ts'
import { check, DENIAL_PREFIX, type Judged, type MarketView, onlyReduces, type Standing } from './check.ts'
import type { Bounds, Effective } from './effective.ts'
import type { Denial, RiskAsker, RiskChange, RiskGate, RiskRequest, Verdicts } from './gate.ts'
import type { LimitStore } from './limit-store.ts'
import type { NumberLimit } from './limits.ts'
import { RecentOrders } from './recent-orders.ts'
import { instrumentKeyOf } from './running-book.ts'
import { worstPrice } from './worst-price.ts'

export interface LimitsGateOptions {
  readonly store: LimitStore
  readonly marketData: MarketData
  readonly venueOf: (account: string) => Venue | undefined
  readonly find: (symbol: string, exchange: Exchange) => Instrument | undefined
  readonly clock: Clock
}

/** What a trigger is about to place. */
export interface FiringOrder {
  readonly symbol: string
  readonly exchange: Exchange
  readonly action: OrderRequest['action']
  readonly product: OrderRequest['product']
  readonly quantity: Quantity
  readonly strategy: string
}

type Asked = RiskRequest['orders'][number]

/** What the limits of some orders need to know of the market. */
type Market = ReadonlyMap<Asked | RiskChange, MarketView>
const NO_MARKET: Market = new Map()
/** Looks that one judgement may take while what is set changes. */
const ROUNDS_MAX = 5
/** Most verdicts are of one order, and good. */
const ONE_ALLOWED: Verdicts = Object.freeze([undefined])

const NEED_ACCOUNT: readonly NumberLimit[] = [
  'open_orders',
  'orders_per_day',
  'position_quantity',
  'gross_exposure',
  'net_exposure',
  'daily_loss',
]
const NEED_PRICES: readonly NumberLimit[] = ['gross_exposure', 'net_exposure', 'daily_loss']

/** The limits and states of the store, before every venue. */
export class LimitsGate implements RiskGate {
  readonly #options: LimitsGateOptions
  readonly #views = new Map<string, AccountView>()
  readonly #recent = new RecentOrders()
  /** Orders of each account that were allowed and that no venue has answered. */
  readonly #onTheirWay = new Map<string, number>()
  readonly #idle = new Map<string, (() => void)[]>()
  /** How each of them is counted in its account's view. */
  readonly #counted = new WeakMap<RiskRequest, (Working | undefined)[]>()

  constructor(options: LimitsGateOptions) {
    this.#options = options
    options.store.onChange(() => {
      for (const view of this.#views.values()) view.doubt()
    })
  }

  judge(request: RiskRequest): Verdicts | Promise<Verdicts> {
    const { store } = this.#options
    if (store.doubt !== undefined) return request.orders.map(() => this.#unavailable())
    const { account, keyId, orders } = request
    let isOpen = true
    for (const { order } of orders) isOpen &&= store.effective(account, keyId, order.strategy).isOpen
    if (isOpen) {
      this.#sending(account, orders.length)
      return orders.length === 1 ? ONE_ALLOWED : orders.map(() => undefined)
    }
    const needs = this.#needsOf(request, orders)
    return needs.market.length === 0 && this.#isKnown(account, needs)
      ? this.#decide(request, NO_MARKET)
      : this.#judgeLater(request)
  }

  /** What is set may change while it finds out: then there may be more to find out. */
  async #judgeLater(request: RiskRequest): Promise<Verdicts> {
    const { account, orders } = request
    try {
      for (let round = 0; round < ROUNDS_MAX; round += 1) {
        const needs = this.#needsOf(request, orders)
        const view = needs.account ? this.#view(account) : undefined
        const [market] = await Promise.all([this.#see(needs.market), this.#know(view, needs.prices)])
        if (this.#options.store.doubt !== undefined) return orders.map(() => this.#unavailable())
        const now = this.#needsOf(request, orders)
        const isSeen = now.market.every(({ of }) => needs.market.some((seen) => seen.of === of))
        if (isSeen && this.#isKnown(account, now)) return this.#decide(request, market)
      }
      return orders.map(() => this.#unavailable('they change too often'))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return orders.map(() => this.#unavailable(error.message))
    }
  }

  #isKnown(account: string, needs: { readonly account: boolean; readonly prices: boolean }): boolean {
    if (!needs.account) return true
    const view = this.#view(account)
    return view.isReady && (!needs.prices || view.isFresh)
  }

  settle(request: RiskRequest, index: number, orderId: string | undefined): void {
    const { account } = request
    const working = this.#counted.get(request)?.[index]
    if (working !== undefined) this.#views.get(account)?.settle(working, orderId)
    this.#arrived(account)
  }

  judgeClosing(account: string): Denial | undefined {
    const { store } = this.#options
    if (store.doubt !== undefined) return this.#unavailable()
    const { state, stateSource } = store.effective(account, '', CLOSE_STRATEGY)
    if (state === 'halted') return halted(stateSource)
    this.#sending(account, 1)
    return undefined
  }

  closed(account: string): void {
    this.#arrived(account)
  }

  #arrived(account: string): void {
    const left = (this.#onTheirWay.get(account) ?? 0) - 1
    assert(left >= 0, `an order of account ${account} is settled that was never allowed`)
    if (left > 0) {
      this.#onTheirWay.set(account, left)
      return
    }
    this.#onTheirWay.delete(account)
    const waiting = this.#idle.get(account)
    if (waiting === undefined) return
    this.#idle.delete(account)
    for (const resolve of waiting) resolve()
  }

  judgeChange(change: RiskChange): Denial | undefined | Promise<Denial | undefined> {
    const { store } = this.#options
    const { account, keyId, existing } = change
    if (store.doubt !== undefined) return this.#unavailable()
    const effective = store.effective(account, keyId, existing.strategy)
    if (effective.isOpen || onlyShrinks(change)) return undefined
    const needs = needsOf(effective, judgedChange(change))
    const isKnown = this.#isKnown(account, { ...needs, account: needs.account || needs.reduces })
    return isKnown && !needs.quote && !needs.depth
      ? this.#decideChange(change, undefined)
      : this.#judgeChangeLater(change, needs)
  }

  async #judgeChangeLater(change: RiskChange, needs: OrderNeeds): Promise<Denial | undefined> {
    const { instrument, account } = change
    try {
      const asked = { of: change, instrument, order: judgedChange(change), depth: needs.depth }
      const [market] = await Promise.all([
        this.#see(needs.quote || needs.depth ? [asked] : []),
        this.#know(this.#view(account), needs.prices),
      ])
      return this.#options.store.doubt === undefined
        ? this.#decideChange(change, market.get(change))
        : this.#unavailable()
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return this.#unavailable(error.message)
    }
  }

  #decideChange(change: RiskChange, market: MarketView | undefined): Denial | undefined {
    const { account, keyId, existing } = change
    const effective = this.#options.store.effective(account, keyId, existing.strategy)
    return this.#verdict(change, effective, judgedChange(change), existing.strategy, market)
  }

  /** Whether a trigger may place its order now. One that mayn't goes on waiting. */
  mayFire(account: string, firing: FiringOrder): boolean {
    const { store, clock } = this.#options
    if (store.doubt !== undefined) return false
    const { state, account: bounds, strategy } = store.effective(account, '', firing.strategy)
    if (state === 'halted') return false
    const minute = minuteOfDay(clock.now())
    for (const { windows } of [...bounds.windows, ...strategy.windows]) {
      if (!windows.some(({ fromMinute, toMinute }) => fromMinute <= minute && minute < toMinute)) return false
    }
    if (state === 'active') return true
    const view = this.#view(account)
    if (!view.isReady) {
      view.prepare().catch(() => view.doubt()) // it is tried again with the next quote
      return false
    }
    const position = view.account.book.position(instrumentKeyOf(firing), firing.product)
    return onlyReduces({ action: firing.action, added: firing.quantity }, position)
  }

  /** What the venue tells of an account. `events` is asked only where limits are measured. */
  told(account: string, events: () => readonly VenueEvent[]): void {
    this.#views.get(account)?.told(events())
  }

  /** Orders of the account that are allowed and on their way. */
  onTheirWay(account: string): number {
    return this.#onTheirWay.get(account) ?? 0
  }

  /** Resolves when none is on its way. */
  idle(account: string): Promise<void> {
    if (this.onTheirWay(account) === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const waiting = this.#idle.get(account)
      if (waiting === undefined) this.#idle.set(account, [resolve])
      else waiting.push(resolve)
    })
  }

  /** What an account, its key and a strategy have used of their limits. Throws what the venue throws. */
  async use(
    asker: RiskAsker,
    strategy: string | undefined,
  ): Promise<{ account: Use; key: KeyUse; strategy: Use | undefined }> {
    const { store, clock } = this.#options
    const view = this.#view(asker.account)
    await this.#know(view, true)
    const ordersInSecond = (subject: string): number => this.#recent.count(subject, clock.elapsedMs())
    const useOf = ({ book, loss }: Measured, subject: string): Use => ({
      openOrders: book.openOrders,
      ordersToday: book.ordersToday,
      ordersInSecond: ordersInSecond(subject),
      grossExposure: book.grossExposure,
      netExposure: Math.max(book.netHigh, -book.netLow, 0),
      dailyLoss: Math.max(loss, 0),
    })
    const { account, keyId } = asker
    const watched = strategy !== undefined && store.watches(account, strategy)
    return {
      account: useOf(view.account, accountSubject(account)),
      key: { ordersToday: store.keyUse(keyId, clock.now()), ordersInSecond: ordersInSecond(keySubject(keyId)) },
      strategy: watched ? useOf(view.strategy(strategy), strategySubject(account, strategy)) : undefined,
    }
  }

  #decide(request: RiskRequest, market: Market): Verdicts {
    const { account, keyId, orders, waits = false } = request
    const { store } = this.#options
    const verdicts: (Denial | undefined)[] = []
    const counted: (Working | undefined)[] = []
    for (const asked of orders) {
      const { order, instrument } = asked
      const effective = store.effective(account, keyId, order.strategy)
      const judged = judgedOrder(asked, waits)
      const denial = this.#verdict(request, effective, judged, order.strategy, market.get(asked))
      verdicts.push(denial)
      if (denial === undefined) {
        this.#sending(account, 1)
        if (!waits) this.#count(request, order.strategy, instrument, effective)
      }
      const view = denial === undefined && !waits ? this.#views.get(account) : undefined
      counted.push(view?.begin(order, instrument))
    }
    this.#counted.set(request, counted)
    return verdicts
  }

  #verdict(
    { account, keyId }: RiskAsker,
    effective: Effective,
    order: Judged,
    strategy: string,
    market: MarketView | undefined,
  ): Denial | undefined {
    const now = this.#options.clock.now()
    const view = this.#views.get(account)
    const key = instrumentKeyOf(order)
    const { state, stateSource } = effective
    if (state === 'halted') return halted(stateSource)
    if (state === 'reduce_only') {
      const position = view?.account.book.position(key, order.product)
      if (position === undefined || !onlyReduces(order, position)) {
        const message = `${DENIAL_PREFIX} ${stateSource} is in reduce_only, and this order does more than make the position in ${order.symbol} ${order.product} smaller.`
        return { code: 'risk_reduce_only', message }
      }
    }
    if (effective.protectionSource !== undefined && isUnprotected(effective, order)) {
      const message = `${DENIAL_PREFIX} the exchanges' rules (${effective.protectionSource}) take ${order.priceType} orders by API only with protection. Set market_protection_percent, or send a LIMIT order.`
      return { code: 'risk_unprotected', message }
    }
    const judge = (bounds: Bounds, measured: Measured | undefined, subject: string): Denial | undefined =>
      bounds.isEmpty
        ? undefined
        : check({ order, bounds, standing: this.#standing(measured, subject, order, key, bounds), market, now })
    return (
      judge(effective.account, view?.account, accountSubject(account)) ??
      this.#keyVerdict(keyId, effective, order, now) ??
      (effective.strategy.isEmpty
        ? undefined
        : judge(effective.strategy, view?.strategy(strategy), strategySubject(account, strategy)))
    )
  }

  #keyVerdict(keyId: string, { key: bounds }: Effective, order: Judged, now: number): Denial | undefined {
    if (bounds.isEmpty) return undefined
    const counts = this.#standing(undefined, keySubject(keyId), order, '', bounds)
    const standing = { ...counts, ordersToday: this.#options.store.keyUse(keyId, now) }
    return check({ order, bounds, standing, market: undefined, now })
  }

  #standing(
    measured: Measured | undefined,
    subject: string,
    order: Judged,
    instrumentKey: string,
    { numbers }: Bounds,
  ): Standing {
    const elapsedMs = this.#options.clock.elapsedMs()
    const ordersInSecond = numbers.orders_per_second === undefined ? 0 : this.#recent.count(subject, elapsedMs)
    const segmentOrdersInSecond =
      numbers.segment_orders_per_second === undefined
        ? 0
        : this.#recent.count(segmentSubject(subject, order.exchange), elapsedMs)
    if (measured === undefined) return { ...NOTHING, ordersInSecond, segmentOrdersInSecond }
    const { book, loss } = measured
    return {
      openOrders: book.openOrders,
      ordersToday: book.ordersToday,
      ordersInSecond,
      segmentOrdersInSecond,
      position: book.position(instrumentKey, order.product),
      instrument: book.instrument(instrumentKey),
      grossExposure: book.grossExposure,
      netHigh: book.netHigh,
      netLow: book.netLow,
      dailyLoss: loss,
    }
  }

  /** Counts an allowed order wherever a limit of frequency asks for it. */
  #count({ account, keyId }: RiskAsker, strategy: string, { exchange }: Instrument, effective: Effective): void {
    const { store, clock } = this.#options
    const elapsedMs = clock.elapsedMs()
    const add = ({ numbers }: Bounds, subject: string): void => {
      if (numbers.orders_per_second !== undefined) this.#recent.add(subject, elapsedMs)
      if (numbers.segment_orders_per_second !== undefined)
        this.#recent.add(segmentSubject(subject, exchange), elapsedMs)
    }
    add(effective.account, accountSubject(account))
    add(effective.key, keySubject(keyId))
    add(effective.strategy, strategySubject(account, strategy))
    if (effective.key.numbers.orders_per_day !== undefined) store.countKeyUse(keyId, clock.now())
  }

  #needsOf({ account, keyId, waits = false }: RiskRequest, orders: readonly Asked[]): Needs {
    const market: Wanted[] = []
    let needsAccount = this.#views.has(account)
    let prices = false
    for (const asked of orders) {
      const effective = this.#options.store.effective(account, keyId, asked.order.strategy)
      const order = judgedOrder(asked, waits)
      const needs = needsOf(effective, order)
      needsAccount ||= needs.account || needs.reduces
      prices ||= needs.prices
      if (needs.quote || needs.depth) {
        market.push({ of: asked, instrument: asked.instrument, order, depth: needs.depth })
      }
    }
    return { account: needsAccount, prices, market }
  }

  async #know(view: AccountView | undefined, prices: boolean): Promise<void> {
    if (view === undefined) return
    await view.prepare()
    if (prices && !view.isFresh) await view.look()
    await view.prepare()
  }

  async #see(wanted: readonly Wanted[]): Promise<Market> {
    if (wanted.length === 0) return NO_MARKET
    const { marketData } = this.#options
    const seen = new Map<Asked | RiskChange, MarketView>()
    const plain = wanted.filter(({ depth }) => !depth)
    const [quotes] = await Promise.all([
      plain.length === 0 ? [] : marketData.quotes(plain.map(({ instrument }) => instrument)),
      ...wanted.filter(({ depth }) => depth).map((one) => this.#seeDepth(one, seen)),
    ])
    for (const [index, { of }] of plain.entries()) {
      const quote = quotes[index]
      if (quote !== undefined && !(quote instanceof Error)) seen.set(of, viewOf(quote, undefined))
    }
    return seen
  }

  async #seeDepth({ of, instrument, order }: Wanted, seen: Map<Asked | RiskChange, MarketView>): Promise<void> {
    let depth: Depth
    try {
      depth = await this.#options.marketData.depth(instrument)
    } catch (error) {
      if (error instanceof Refusal && error.code === 'quote_unavailable') return // the limit says that there is none
      throw error
    }
    seen.set(of, viewOf(depth, worstPrice(depth, order.action, order.quantity)))
  }

  #view(account: string): AccountView {
    let view = this.#views.get(account)
    if (view === undefined) {
      const { store, marketData, venueOf, find, clock } = this.#options
      view = new AccountView({
        venue: () => {
          const venue = venueOf(account)
          if (venue === undefined) throw new Refusal('venue_unavailable', `Account ${account} has no venue to trade at`)
          return venue
        },
        marketData,
        multiplierOf: (symbol, exchange) => find(symbol, exchange)?.multiplier ?? MULTIPLIER_ONE,
        watches: (strategy) => store.watches(account, strategy),
        clock,
      })
      this.#views.set(account, view)
    }
    return view
  }

  #sending(account: string, orders: number): void {
    this.#onTheirWay.set(account, (this.#onTheirWay.get(account) ?? 0) + orders)
  }

  #unavailable(why: string = this.#options.store.doubt ?? ''): Denial {
    const message = `${DENIAL_PREFIX} the limits can't be checked: ${why}. Nothing is sent before they can.`
    return { code: 'risk_unavailable', message }
  }
}

export interface Use {
  readonly openOrders: number
  readonly ordersToday: number
  readonly ordersInSecond: number
  /** Paise; likewise the others. */
  readonly grossExposure: number
  readonly netExposure: number
  readonly dailyLoss: number
}

export type KeyUse = Pick<Use, 'ordersToday' | 'ordersInSecond'>

interface Wanted {
  readonly of: Asked | RiskChange
  readonly instrument: Instrument
  readonly order: Judged
  /** The book, not only the last price. */
  readonly depth: boolean
}

interface Needs {
  readonly account: boolean
  readonly prices: boolean
  readonly market: readonly Wanted[]
}

interface OrderNeeds {
  readonly account: boolean
  /** Whether it reduces a position matters. */
  readonly reduces: boolean
  readonly prices: boolean
  readonly quote: boolean
  readonly depth: boolean
}

/** What has to be known to judge an order. */
function needsOf(effective: Effective, order: Judged): OrderNeeds {
  const { account, strategy, state } = effective
  const has = (names: readonly NumberLimit[]): boolean =>
    names.some((name) => account.numbers[name] !== undefined || strategy.numbers[name] !== undefined)
  const isMarket = order.priceType === 'MARKET' || order.priceType === 'SL-M'
  const prices = has(NEED_PRICES)
  const hasPrice = order.price > 0 || order.triggerPrice > 0
  return {
    account: has(NEED_ACCOUNT),
    reduces: state === 'reduce_only',
    prices,
    depth: isMarket && !order.waits && has(['market_protection_percent']),
    quote:
      (!order.waits && has(['quote_age_ms'])) ||
      (order.priceType === 'LIMIT' && has(['price_distance_percent'])) ||
      (!hasPrice && (prices || has(['order_value']))),
  }
}

const halted = (source: string): Denial => ({
  code: 'risk_halted',
  message: `${DENIAL_PREFIX} ${source} is halted. Nothing is sent until killswitch/release has ended that.`,
})

const isUnprotected = ({ account, strategy }: Effective, { priceType }: Judged): boolean =>
  (priceType === 'MARKET' || priceType === 'SL-M') &&
  account.numbers.market_protection_percent === undefined &&
  strategy.numbers.market_protection_percent === undefined

const viewOf = ({ ltp, at }: Quote, worst: MarketView['worst']): MarketView => ({ lastPrice: ltp, at, worst })

const accountSubject = (account: string): string => `a:${account}`
const keySubject = (keyId: string): string => `k:${keyId}`
const strategySubject = (account: string, strategy: string): string => `s:${account}:${strategy}`
const segmentSubject = (subject: string, exchange: Exchange): string => `${exchange}|${subject}`

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

const judgedOrder = ({ order, instrument }: Asked, waits: boolean): Judged => ({
  symbol: instrument.symbol,
  exchange: instrument.exchange,
  action: order.action,
  product: order.product,
  priceType: order.priceType,
  quantity: order.quantity,
  added: order.quantity,
  price: order.price,
  triggerPrice: order.triggerPrice,
  multiplier: instrument.multiplier,
  isNew: true,
  waits,
})

/** A change of 0 leaves a price as it is. */
const judgedChange = ({ existing, change, instrument }: RiskChange): Judged => ({
  symbol: instrument.symbol,
  exchange: instrument.exchange,
  action: existing.action,
  product: existing.product,
  priceType: existing.priceType,
  quantity: change.quantity,
  added: Math.max(0, change.quantity - existing.quantity) as Quantity,
  price: change.price > 0 ? change.price : existing.price,
  triggerPrice: change.triggerPrice > 0 ? change.triggerPrice : existing.triggerPrice,
  multiplier: instrument.multiplier,
  isNew: false,
  waits: false,
})

/** It makes the order smaller, or leaves its size, and no price is another one. */
const onlyShrinks = ({ existing, change }: RiskChange): boolean =>
  change.quantity <= existing.quantity &&
  (change.price === 0 || change.price === existing.price) &&
  (change.triggerPrice === 0 || change.triggerPrice === existing.triggerPrice)
