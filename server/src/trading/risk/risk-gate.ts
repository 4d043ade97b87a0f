import type { Venue } from '../../brokers/venue.ts'
import type { VenueEvent } from '../../brokers/venue-event.ts'
import { assert } from '../../kernel/assert.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { dateAt, minuteOfDay } from '../../kernel/exchange-time.ts'
import type { Quantity } from '../../kernel/fixed.ts'
import type { Exchange, Instrument } from '../../market/instrument.ts'
import type { OrderRequest } from '../trading.ts'
import { AccountView } from './account-view.ts'
import { DENIAL_PREFIX, onlyReduces } from './check.ts'
import type { Bounds } from './effective.ts'
import type { Closing, Denial, RiskAsker, RiskChange, RiskGate, RiskRequest, Verdicts } from './gate.ts'
import { judgedChange, judgedOrder, onlyShrinks } from './judged.ts'
import type { LimitStore } from './limit-store.ts'
import { type Market, NOTHING_SEEN, seeMarket, seeNow, type Views } from './market-view.ts'
import { OnTheirWay } from './on-their-way.ts'
import type { InForce } from './ready-limits.ts'
import { RecentOrders } from './recent-orders.ts'
import { type Uses, useOf } from './use.ts'
import { type Case, caseOf, halted, verdictOf } from './verdict.ts'

export interface LimitsGateOptions {
  readonly store: LimitStore
  readonly marketData: Market
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

/** What is kept of one account. */
interface Desk {
  readonly onTheirWay: OnTheirWay
  /** Of an account that something is limited in by what it has. */
  view: AccountView | undefined
}

/** What is judged, with what is seen of the market for it. */
interface Known {
  readonly cases: readonly Case[]
  readonly views: Views
}

/** Looks that one judgement may take while what is set changes. */
const ROUNDS_MAX = 5
/** Most verdicts are of one order, and good. */
const ONE_ALLOWED: Verdicts = Object.freeze([undefined])

/** The limits and states of the store, before every venue. */
export class LimitsGate implements RiskGate {
  readonly #options: LimitsGateOptions
  readonly #desks = new Map<string, Desk>()
  readonly #recent = new RecentOrders()

  constructor(options: LimitsGateOptions) {
    this.#options = options
    options.store.onChange(() => {
      for (const [account, { view }] of this.#desks) {
        view?.doubt()
        this.#forget(account)
      }
    })
  }

  judge(request: RiskRequest): Verdicts | Promise<Verdicts> {
    const { store } = this.#options
    const { account, keyId, orders, closing } = request
    if (closing !== undefined) return this.#decide(request, { cases: this.#casesOf(request), views: NOTHING_SEEN })
    if (store.doubt !== undefined) return orders.map(() => this.#unavailable())
    let isOpen = true
    for (const { order } of orders) isOpen &&= store.effective(account, keyId, order.strategy).isOpen
    if (isOpen) {
      this.#desk(account).onTheirWay.leave(orders.length)
      return orders.length === 1 ? ONE_ALLOWED : orders.map(() => undefined)
    }
    const cases = this.#casesOf(request)
    const views = this.#seeNow(account, cases)
    return views === undefined ? this.#judgeLater(request) : this.#decide(request, { cases, views })
  }

  async #judgeLater(request: RiskRequest): Promise<Verdicts> {
    const known = await this.#findOut(request.account, () => this.#casesOf(request))
    return 'code' in known ? request.orders.map(() => known) : this.#decide(request, known)
  }

  /** What limits look at of the market; undefined unless they can be judged by at once. */
  #seeNow(account: string, cases: readonly Case[]): Views | undefined {
    return this.#isMeasured(account, cases) ? seeNow(this.#options.marketData, cases) : undefined
  }

  /** What is set may change while it finds out: then there may be more to find out. A denial when it can't. */
  async #findOut(account: string, casesNow: () => readonly Case[]): Promise<Known | Denial> {
    const { store, marketData } = this.#options
    try {
      for (let round = 0; round < ROUNDS_MAX; round += 1) {
        const cases = casesNow()
        const [views] = await Promise.all([seeMarket(marketData, cases), this.#measure(account, cases)])
        if (store.doubt !== undefined) return this.#unavailable()
        const now = casesNow()
        const isSeen = now.every(({ sight }, index) => sight <= (cases[index]?.sight ?? sight))
        if (isSeen && this.#isMeasured(account, now)) return { cases: now, views }
      }
      return this.#unavailable('they change too often')
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return this.#unavailable(error.message)
    }
  }

  #isMeasured(account: string, cases: readonly Case[]): boolean {
    const view = this.#viewFor(account, cases)
    return view === undefined || (view.isReady && (!needsPrices(cases) || view.isFresh))
  }

  async #measure(account: string, cases: readonly Case[]): Promise<void> {
    const view = this.#viewFor(account, cases)
    if (view !== undefined) await this.#know(view, needsPrices(cases))
  }

  async #know(view: AccountView, prices: boolean): Promise<void> {
    await view.prepare()
    if (prices && !view.isFresh) await view.look()
    await view.prepare()
  }

  /** Once there is one, every order counts in it. */
  #viewFor(account: string, cases: readonly Case[]): AccountView | undefined {
    return cases.some(({ inForce }) => inForce.needs.account) ? this.#view(account) : this.#desks.get(account)?.view
  }

  settle(request: RiskRequest, index: number, orderId: string | undefined): void {
    const { onTheirWay, view } = this.#desk(request.account)
    const asked = request.orders[index]
    assert(asked !== undefined, 'what is settled was judged')
    view?.settle(asked, orderId)
    onTheirWay.arrive()
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

  judgeChange(change: RiskChange): Denial | undefined | Promise<Denial | undefined> {
    const { store } = this.#options
    if (store.doubt !== undefined) return this.#unavailable()
    if (this.#inForce(change).isOpen || onlyShrinks(change)) return undefined
    const cases = this.#casesOfChange(change)
    const views = this.#seeNow(change.account, cases)
    return views === undefined ? this.#judgeChangeLater(change) : this.#decideChange(change, { cases, views })
  }

  async #judgeChangeLater(change: RiskChange): Promise<Denial | undefined> {
    const known = await this.#findOut(change.account, () => this.#casesOfChange(change))
    return 'code' in known ? known : this.#decideChange(change, known)
  }

  #decideChange(change: RiskChange, { cases, views }: Known): Denial | undefined {
    const [judged] = cases
    assert(judged !== undefined, 'a change is one case')
    const denial = this.#verdict(change, judged, views[0])
    const { added } = judged.order
    if (denial === undefined && added > 0) this.#desk(change.account).view?.beginChange(change, added)
    return denial
  }

  settleChange(change: RiskChange): void {
    this.#desks.get(change.account)?.view?.settleChange(change)
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
    const position = view.account.book.position(firing, firing.product)
    return onlyReduces({ action: firing.action, added: firing.quantity }, position)
  }

  /** What the venue tells of an account. `events` is asked only where limits are measured. */
  told(account: string, events: () => readonly VenueEvent[]): void {
    this.#desks.get(account)?.view?.told(events())
  }

  /** Where nothing is limited any more, nothing is measured. */
  #forget(account: string): void {
    const desk = this.#desk(account)
    if (desk.onTheirWay.orders === 0 && !this.#options.store.isLimited(account)) desk.view = undefined
  }

  /** Orders of the account that are allowed and on their way. */
  onTheirWay(account: string): number {
    return this.#desk(account).onTheirWay.orders
  }

  /** Resolves when none is on its way. */
  idle(account: string): Promise<void> {
    return this.#desk(account).onTheirWay.idle()
  }

  /** What an account, its key and a strategy have used of their limits. Throws what the venue throws. */
  async use({ account, keyId }: RiskAsker, strategy: string | undefined): Promise<Uses> {
    const { store, clock } = this.#options
    const view = this.#view(account)
    await this.#know(view, true)
    const now = clock.now()
    view.newDay(now)
    this.#forget(account)
    const { subjects } = store.effective(account, keyId, strategy ?? '')
    const ordersInSecond = (subject: string): number => this.#recent.count(subject, clock.elapsedMs())
    const own = strategy === undefined ? undefined : view.strategy(strategy)
    return {
      account: useOf(view.account, ordersInSecond(subjects.account)),
      key: { ordersToday: store.keyUse.ordersOn(keyId, dateAt(now)), ordersInSecond: ordersInSecond(subjects.key) },
      strategy: own === undefined ? undefined : useOf(own, ordersInSecond(subjects.strategy)),
    }
  }

  #decide(request: RiskRequest, { cases, views }: Known): Verdicts {
    const { account, orders, waits = false, closing } = request
    const { onTheirWay, view } = this.#desk(account)
    return orders.map((asked, index) => {
      const judged = cases[index]
      assert(judged !== undefined, 'every order is a case')
      const denial =
        closing === undefined
          ? this.#verdict(request, judged, views[index])
          : this.#closingVerdict(account, judged.strategy, closing)
      if (denial !== undefined) return denial
      onTheirWay.leave(1)
      if (!waits) {
        this.#count(request, judged)
        view?.begin(asked)
      }
      return undefined
    })
  }

  #closingVerdict(account: string, strategy: string, closing: Closing): Denial | undefined {
    return closing === 'despite-halts' ? undefined : this.haltOf(account, strategy)
  }

  #verdict({ account, keyId }: RiskAsker, judged: Case, market: Views[number]): Denial | undefined {
    const { store, clock } = this.#options
    const { view } = this.#desk(account)
    const now = clock.now()
    view?.newDay(now)
    return verdictOf(judged, {
      view,
      recent: this.#recent,
      keyOrdersToday: judged.inForce.key.isEmpty ? 0 : store.keyUse.ordersOn(keyId, dateAt(now)),
      market,
      now,
      elapsedMs: clock.elapsedMs(),
    })
  }

  /** Counts an allowed order wherever a limit of frequency asks for it. */
  #count({ keyId }: RiskAsker, { order, inForce: { subjects, account, key, strategy } }: Case): void {
    const { store, clock } = this.#options
    const add = ({ numbers }: Bounds, subject: string): void => {
      if (numbers.orders_per_second !== undefined) this.#recent.add(subject, clock.elapsedMs())
      if (numbers.segment_orders_per_second !== undefined) this.#recent.add(subject, clock.elapsedMs(), order.exchange)
    }
    add(account, subjects.account)
    add(key, subjects.key)
    add(strategy, subjects.strategy)
    if (key.numbers.orders_per_day !== undefined) store.keyUse.count(keyId, clock.now())
  }

  #casesOf({ account, keyId, orders, waits = false }: RiskRequest): readonly Case[] {
    const { store } = this.#options
    return orders.map((asked) => {
      const { strategy } = asked.order
      return caseOf(judgedOrder(asked, waits), asked.instrument, strategy, store.effective(account, keyId, strategy))
    })
  }

  #casesOfChange(change: RiskChange): readonly Case[] {
    const { existing, instrument } = change
    return [caseOf(judgedChange(change), instrument, existing.strategy, this.#inForce(change))]
  }

  #inForce({ account, keyId, existing }: RiskChange): InForce {
    return this.#options.store.effective(account, keyId, existing.strategy)
  }

  #desk(account: string): Desk {
    let desk = this.#desks.get(account)
    if (desk === undefined) {
      desk = { onTheirWay: new OnTheirWay(), view: undefined }
      this.#desks.set(account, desk)
    }
    return desk
  }

  #view(account: string): AccountView {
    const { store, marketData, venueOf, find, clock } = this.#options
    const desk = this.#desk(account)
    desk.view ??= new AccountView({
      venue: () => {
        const venue = venueOf(account)
        if (venue === undefined) throw new Refusal('venue_unavailable', `Account ${account} has no venue to trade at`)
        return venue
      },
      marketData,
      find,
      strategies: () => store.strategies(account),
      clock,
    })
    return desk.view
  }

  #unavailable(why: string = this.#options.store.doubt ?? ''): Denial {
    const message = `${DENIAL_PREFIX} the limits can't be checked: ${why}. Nothing is sent before they can.`
    return { code: 'risk_unavailable', message }
  }
}

const needsPrices = (cases: readonly Case[]): boolean => cases.some(({ inForce }) => inForce.needs.prices)
