import type { Venue } from '../../brokers/venue.ts'
import type { VenueEvent } from '../../brokers/venue-event.ts'
import { assert } from '../../kernel/assert.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { minuteOfDay } from '../../kernel/exchange-time.ts'
import type { Quantity } from '../../kernel/fixed.ts'
import type { Exchange, Instrument } from '../../market/instrument.ts'
import type { MarketData } from '../../market/market-data.ts'
import type { OrderRequest } from '../trading.ts'
import { AccountView, type Measured, type Working } from './account-view.ts'
import { check, DENIAL_PREFIX, type Judged, type MarketView, onlyReduces, type Standing } from './check.ts'
import type { Bounds, Effective } from './effective.ts'
import type { Closing, Denial, RiskAsker, RiskChange, RiskGate, RiskRequest, Verdicts } from './gate.ts'
import { type Asked, judgedChange, judgedOrder, onlyShrinks } from './judged.ts'
import type { LimitStore } from './limit-store.ts'
import { seeMarket, type Wanted } from './market-view.ts'
import { isUnprotected, type Needs, needsOf } from './needs.ts'
import { accountSubject, keySubject, RecentOrders, segmentSubject, strategySubject } from './recent-orders.ts'
import { instrumentKeyOf } from './running-book.ts'

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

/** What limits need to know of the market, by what is judged. */
type Market = ReadonlyMap<Asked | RiskChange, MarketView>
const NO_MARKET: Market = new Map()
/** Looks that one judgement may take while what is set changes. */
const ROUNDS_MAX = 5
/** Most verdicts are of one order, and good. */
const ONE_ALLOWED: Verdicts = Object.freeze([undefined])

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
  readonly #changes = new WeakMap<RiskChange, Working>()

  constructor(options: LimitsGateOptions) {
    this.#options = options
    options.store.onChange(() => {
      for (const [account, view] of this.#views) {
        view.doubt()
        this.#forget(account)
      }
    })
  }

  judge(request: RiskRequest): Verdicts | Promise<Verdicts> {
    const { store } = this.#options
    if (request.closing !== undefined) return this.#decide(request, NO_MARKET)
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

  haltOf(account: string, strategy: string): Denial | undefined {
    const { store } = this.#options
    if (store.doubt !== undefined) return this.#unavailable()
    const { state, stateSource } = store.effective(account, '', strategy)
    return state === 'halted' ? halted(stateSource) : undefined
  }

  algoIdOf(account: string, strategy: string): string | undefined {
    return this.#options.store.effective(account, '', strategy).algoId || undefined
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
    return this.#isKnown(account, needs) && !needs.quote && !needs.depth
      ? this.#decideChange(change, undefined)
      : this.#judgeChangeLater(change, needs)
  }

  async #judgeChangeLater(change: RiskChange, needs: Needs): Promise<Denial | undefined> {
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
    const judged = judgedChange(change)
    const denial = this.#verdict(change, effective, judged, existing.strategy, market)
    const view = denial === undefined && judged.added > 0 ? this.#views.get(account) : undefined
    if (view !== undefined) this.#changes.set(change, view.beginChange(existing, judged.added))
    return denial
  }

  settleChange(change: RiskChange): void {
    const working = this.#changes.get(change)
    if (working !== undefined) this.#views.get(change.account)?.settleChange(working)
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

  /** Where nothing is limited any more, nothing is measured. */
  #forget(account: string): void {
    if (!this.#options.store.isLimited(account) && this.onTheirWay(account) === 0) this.#views.delete(account)
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
    this.#forget(account)
    return {
      account: useOf(view.account, accountSubject(account)),
      key: { ordersToday: store.keyUse(keyId, clock.now()), ordersInSecond: ordersInSecond(keySubject(keyId)) },
      strategy: watched ? useOf(view.strategy(strategy), strategySubject(account, strategy)) : undefined,
    }
  }

  #decide(request: RiskRequest, market: Market): Verdicts {
    const { account, keyId, orders, waits = false, closing } = request
    const { store } = this.#options
    const verdicts: (Denial | undefined)[] = []
    const counted: (Working | undefined)[] = []
    for (const asked of orders) {
      const { order, instrument } = asked
      const effective = store.effective(account, keyId, order.strategy)
      const denial =
        closing === undefined
          ? this.#verdict(request, effective, judgedOrder(asked, waits), order.strategy, market.get(asked))
          : this.#closingVerdict(account, order.strategy, closing)
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

  #closingVerdict(account: string, strategy: string, closing: Closing): Denial | undefined {
    return closing === 'despite-halts' ? undefined : this.haltOf(account, strategy)
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

  #needsOf({ account, keyId, waits = false }: RiskRequest, orders: readonly Asked[]): PlanNeeds {
    const market: Wanted<Asked>[] = []
    let needsAccount = this.#views.has(account)
    let prices = false
    for (const asked of orders) {
      const effective = this.#options.store.effective(account, keyId, asked.order.strategy)
      const order = judgedOrder(asked, waits)
      const needs = needsOf(effective, order)
      needsAccount ||= needs.account
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

  async #see(wanted: readonly Wanted<Asked | RiskChange>[]): Promise<Market> {
    return wanted.length === 0 ? NO_MARKET : seeMarket(this.#options.marketData, wanted)
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
        find,
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

/** What has to be known to judge the orders of a plan. */
interface PlanNeeds extends Pick<Needs, 'account' | 'prices'> {
  readonly market: readonly Wanted<Asked>[]
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

const halted = (source: string): Denial => ({
  code: 'risk_halted',
  message: `${DENIAL_PREFIX} ${source} is halted. Nothing is sent until killswitch/release has ended that.`,
})

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
