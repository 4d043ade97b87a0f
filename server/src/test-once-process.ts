import { onlyOnce } from './api/middleware/idempotency.ts'
import type { AnyOperation } from './api/operation.ts'
import { Visit } from './api/visit.ts'
import type { GttReport } from './brokers/gtt.ts'
import type { OrderReport } from './brokers/venue.ts'
import { ManualClock } from './kernel/clock.ts'
import { Refusal } from './kernel/errors.ts'
import { priceOf, quantityOf, toNumber, ZERO_MONEY, ZERO_PRICE, ZERO_QUANTITY } from './kernel/fixed.ts'
import { instrumentOf } from './paper/order.ts'
import type { PaperExchange } from './paper/paper-exchange.ts'
import { QuoteBoard } from './paper/quote-board.ts'
import { RELIANCE, SBIN } from './paper/test-desk.ts'
import { openTestExchange } from './paper/test-exchange.ts'
import type { Databases } from './storage/open.ts'
import type { Mortal } from './storage/test-mortal.ts'
import { Idempotency } from './trading/flow/idempotency.ts'
import { OrderFlow } from './trading/flow/order-flow.ts'
import { type GttRequest, Gtts } from './trading/gtt.ts'
import { type LegOutcome, type Plan, placedReport } from './trading/plan.ts'
import { basketPlan } from './trading/plans/basket.ts'
import { singlePlan } from './trading/plans/single.ts'
import { effectivePosition, smartPlan } from './trading/plans/smart.ts'
import { splitPlan } from './trading/plans/split.ts'
import { OPEN_GATE } from './trading/risk/gate.ts'
import { type OrderRequest, Trading } from './trading/trading.ts'

/** For tests of named requests: a process over the real paper exchange that is asked for orders under names. */

/** What is one commit of the venue: its answer is a part of it. */
export const ONE_COMMIT = ['single', 'basket', 'smart', 'refused', 'gtt', 'cancel'] as const
/** Orders that are sent one by one. What `moving` comes to is different whenever it is planned. */
export const SEVERAL_COMMITS = ['split', 'moving'] as const
export const KINDS = [...ONE_COMMIT, ...SEVERAL_COMMITS] as const
export type Kind = (typeof KINDS)[number]

/** What a client wants, under one name. */
export interface Wish {
  readonly key: string
  readonly kind: Kind
  readonly size: number
  /** That is to be cancelled; empty for others. */
  readonly order: string
}

export const clock = new ManualClock('2026-11-23T05:00:00Z')
export const board = new QuoteBoard(() => clock.now())

/** Every order of a wish carries it, and its place. */
export const orderOf = (wish: Wish, quantity: number, symbol = 'SBIN'): OrderRequest => ({
  symbol,
  exchange: 'NSE',
  action: 'BUY',
  quantity: quantityOf(quantity),
  priceType: wish.kind === 'refused' ? 'LIMIT' : 'MARKET',
  product: 'MIS',
  price: wish.kind === 'refused' ? priceOf(500.01) : ZERO_PRICE,
  triggerPrice: ZERO_PRICE,
  disclosedQuantity: ZERO_QUANTITY,
  strategy: wish.key,
})

/** Orders that a wish comes to (a smart one by what is held), triggers that it places, or orders that it cancels. */
export const partCount = ({ kind, size }: Wish): number =>
  kind === 'split' || kind === 'moving' ? size + 1 : kind === 'basket' ? size : 1

/** Whether a wish leads to orders of its own. */
export const isOrder = ({ kind }: Wish): boolean => kind !== 'gtt' && kind !== 'cancel'

/** Orders that rest until a wish cancels one; all wishes after as many are for something else. */
export const RESTING = 8
export const REST_STRATEGY = 'rest'

export interface Row {
  readonly kind: LegOutcome['kind']
  readonly orderid: string | undefined
}

let plannings = 0

export class Process {
  readonly orders: OrderFlow
  readonly paper: PaperExchange
  readonly #gtts: Gtts
  readonly #trading: Trading
  readonly idempotency: Idempotency
  readonly #account: string
  readonly #once: ReturnType<typeof onlyOnce>

  constructor(account: string, paper: PaperExchange, databases: Databases) {
    this.#account = account
    this.paper = paper
    const instruments = [SBIN, RELIANCE].map(instrumentOf)
    const common = {
      find: (symbol: string) => instruments.find((each) => each.symbol === symbol),
      nearest: () => [],
      venueOf: (of: string) => paper.venue(of),
      gate: OPEN_GATE,
    }
    this.orders = new OrderFlow(common)
    this.#gtts = new Gtts(common)
    this.#trading = new Trading({
      ...common,
      marketData: board,
      brokerage: { perOrder: ZERO_MONEY, sharePerMillion: 0 },
    })
    this.idempotency = new Idempotency({
      money: databases.money,
      clock,
      onError: (error) => {
        throw error
      },
    })
    this.#once = onlyOnce(this.idempotency)
  }

  static async start(account: string, { databases }: Mortal): Promise<Process> {
    const paper = await openTestExchange({ databases, accounts: [account], marketData: board, clock })
    return new Process(account, paper, databases)
  }

  /** As an operation does it. Answers the rows of its orders; a refusal as its code and order. */
  async ask(wish: Wish): Promise<{ answer: unknown; replayed: boolean }> {
    const { key, ...fields } = wish
    const visit = new Visit({
      id: 'r',
      at: clock.now(),
      elapsedMs: () => 0,
      method: 'POST',
      url: '/api/v1/placeorder',
      headers: { 'idempotency-key': key },
      address: '',
    })
    visit.caller = { ...visit.caller, account: this.#account }
    const operation = { name: wish.kind, access: 'trade' } as unknown as AnyOperation
    const replayed = (): boolean => visit.answerHeaders['idempotent-replayed'] === 'true'
    try {
      const answer = await this.#once(visit, operation, fields, () => this.#run(wish, visit))
      return { answer, replayed: replayed() }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return { answer: { code: error.code, orderid: error.extra['orderid'] }, replayed: replayed() }
    }
  }

  async #run(wish: Wish, visit: Visit): Promise<object> {
    const account = this.#account
    const named = ({ id: orderid }: { readonly id: string }) => ({ orderid })
    if (wish.kind === 'cancel') return await this.#trading.cancelOrder({ account, visit }, wish.order, named)
    if (wish.kind === 'gtt') return await this.#gtts.place({ account, keyId: '', visit }, gttOf(wish), named)
    return await this.orders.run({
      account: this.#account,
      caller: {},
      visit,
      position: wish.kind === 'smart' ? { symbol: 'SBIN', exchange: 'NSE', product: 'MIS' } : undefined,
      expand: () => this.#plan(wish),
      answer: (_plan, outcomes) => {
        const [only] = outcomes
        if (wish.kind === 'refused' && only?.kind === 'refused') throw only.refusal
        return { rows: outcomes.map(rowOf) }
      },
    })
  }

  async #plan(wish: Wish): Promise<Plan> {
    if (wish.kind === 'split') return splitPlan(orderOf(wish, wish.size + 1), quantityOf(1))
    if (wish.kind === 'moving') {
      plannings += 1
      return splitPlan(orderOf(wish, wish.size + 1, plannings % 2 === 0 ? 'SBIN' : 'RELIANCE'), quantityOf(1))
    }
    if (wish.kind === 'basket')
      return basketPlan(
        Array.from({ length: wish.size }, (_, index) =>
          orderOf(wish, 1 + index, index % 2 === 0 ? 'SBIN' : 'RELIANCE'),
        ),
      )
    if (wish.kind !== 'smart') return singlePlan(orderOf(wish, wish.size))
    const order = orderOf(wish, 1)
    const venue = this.paper.venue(this.#account)
    if (venue === undefined) throw new Error('the account is open')
    const held = effectivePosition(await venue.standing(order))
    return smartPlan(order, held, quantityOf(toNumber.quantity(held) + wish.size))
  }

  async book(): Promise<readonly OrderReport[]> {
    return (await this.paper.venue(this.#account)?.orders()) ?? []
  }

  triggers(): Promise<readonly GttReport[]> {
    return this.#gtts.all(this.#account)
  }

  /** An order that waits to be cancelled. */
  async rest(): Promise<string> {
    const far: OrderRequest = {
      ...orderOf({ key: REST_STRATEGY, kind: 'single', size: 1, order: '' }, 1),
      ...{ priceType: 'LIMIT', price: priceOf(400) },
    }
    const answer = (_plan: Plan, [outcome]: readonly LegOutcome[]): string => placedReport(outcome).id
    return await this.orders.run({ account: this.#account, caller: {}, expand: () => singlePlan(far), answer })
  }
}

export const gttOf = ({ key, size }: Wish): GttRequest => ({
  symbol: 'SBIN',
  exchange: 'NSE',
  action: 'BUY',
  product: 'CNC',
  quantity: quantityOf(size),
  priceType: 'LIMIT',
  legs: [{ direction: 'below', triggerPrice: priceOf(400), price: priceOf(400) }],
  strategy: key,
  expiresAt: undefined,
})

export const rowOf = (outcome: LegOutcome): Row => ({
  kind: outcome.kind,
  orderid: outcome.kind === 'placed' ? outcome.report.id : outcome.kind === 'refused' ? outcome.orderId : undefined,
})
