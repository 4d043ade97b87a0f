import type { NewOrder, OrderReport, Venue } from '../../brokers/venue.ts'
import { assert } from '../../kernel/assert.ts'
import { type FieldError, Refusal, type RefusalCode } from '../../kernel/errors.ts'
import { ZERO_QUANTITY } from '../../kernel/fixed.ts'
import type { Steps } from '../../kernel/steps.ts'
import type { Instrument } from '../../market/instrument.ts'
import { type InstrumentLookup, namedInstrument } from '../named-instrument.ts'
import { type Leg, type LegOutcome, PLAN_LEGS_MAX, type Plan } from '../plan.ts'
import type { Denial, RiskGate, RiskRequest, Verdicts } from '../risk/gate.ts'
import type { OrderRequest } from '../trading.ts'
import { inTurnOf } from './position-turns.ts'
import { repeats } from './repeats.ts'

/** A request that may lead to orders, whatever door it came in by. */
export interface FlowRequest<MadePlan extends Plan, Answer> {
  readonly account: string
  /** `keyId` is undefined for a session. */
  readonly caller: { readonly keyId?: string | undefined }
  readonly visit?: { readonly steps: Steps; readonly intent?: Intent | undefined } | undefined
  /** Of the approval that it comes from; its orders carry it. */
  readonly orderTag?: string | undefined
  /** Whose size decides what the request comes to: such requests take turns until their orders are placed. */
  readonly position?: Pick<OrderReport, 'symbol' | 'exchange' | 'product'> | undefined
  /** What the request comes to. Throws Refusal when it comes to nothing. */
  expand(): MadePlan | Promise<MadePlan>
  /** The answer; `outcomes` in the order of the legs' positions. Throws the Refusal that is the answer. */
  answer(plan: MadePlan, outcomes: readonly LegOutcome[]): Answer
}

/** What a client named, so that asking again doesn't do it again. */
export interface Intent {
  /** Carried by all orders that it leads to. */
  readonly tag: string
  /** Whether it was begun before, by a process that then ended: its orders may exist. */
  readonly isResumed: boolean
}

export interface OrderFlowOptions extends InstrumentLookup {
  readonly venueOf: (account: string) => Venue | undefined
  readonly gate: RiskGate
}

interface Ready {
  readonly leg: Leg
  readonly instrument: Instrument
}

/**
 * The one way of every order: plan → instruments → limits → venue → answer. Each operation makes a plan and words the
 * answer; nothing here knows which operation it is.
 * Throws Refusal: symbol_not_found, validation_failed for a plan of several legs of which one can't be, order_rejected,
 * what the limits deny with, venue_unavailable, account_stopped.
 */
export class OrderFlow {
  readonly #options: OrderFlowOptions

  constructor(options: OrderFlowOptions) {
    this.#options = options
  }

  run<MadePlan extends Plan, Answer>(request: FlowRequest<MadePlan, Answer>): Promise<Answer> {
    const { position } = request
    return position === undefined ? this.#run(request) : this.#runInTurn(request, position)
  }

  async #runInTurn<MadePlan extends Plan, Answer>(
    request: FlowRequest<MadePlan, Answer>,
    position: NonNullable<typeof request.position>,
  ): Promise<Answer> {
    return await inTurnOf(this.#venue(request.account), position, () => this.#run(request))
  }

  async #run<MadePlan extends Plan, Answer>(request: FlowRequest<MadePlan, Answer>): Promise<Answer> {
    const { account, visit } = request
    const venue = this.#venue(account)
    const expanded = request.expand()
    const plan = expanded instanceof Promise ? await expanded : expanded
    assert(plan.legs.length <= PLAN_LEGS_MAX, `a plan of ${plan.legs.length} legs`)
    const intent = visit?.intent
    if (intent?.isResumed === true) {
      const known = await venue.ordersByTag(intent.tag)
      if (known.length > 0) return request.answer(plan, await this.#resume(request, plan, known, venue))
    }
    const ready = this.#ready(plan, venue)
    const risk = riskOf(request, plan, ready)
    const judged = ready.length === 0 ? [] : this.#options.gate.judge(risk)
    const verdicts = judged instanceof Promise ? await judged : judged
    const tag = intent?.tag ?? request.orderTag
    const sending = new Sending(venue, this.#options.gate, risk, verdicts, tag, visit?.steps)
    const outcomes = await sending.send(plan, ready)
    return request.answer(plan, outcomes)
  }

  /** Goes on with a plan of which an earlier process had sent `known`: sends what is missing, and nothing again. */
  async #resume(
    request: Pick<FlowRequest<Plan, unknown>, 'account' | 'caller' | 'visit'>,
    plan: Plan,
    known: readonly OrderReport[],
    venue: Venue,
  ): Promise<readonly LegOutcome[]> {
    const { gate } = this.#options
    const sent = sentBefore(plan, known, venue)
    const missing = plan.legs.filter(({ position }) => !sent.some(({ leg }) => leg.position === position))
    const instruments = missing.map(({ order }) => this.#options.find(order.symbol, order.exchange))
    const ready = missing.flatMap((leg, index) => {
      const instrument = instruments[index]
      return instrument === undefined ? [] : [{ leg, instrument }]
    })
    // Prices may have moved since: what would be planned now then isn't what was begun
    if (!isPartOf(plan, known) || ready.length < missing.length) return inPlace([...sent, ...missing.map(abandoned)])
    const risk = riskOf(request, plan, ready)
    const verdicts = ready.length === 0 ? [] : await gate.judge(risk)
    const sending = new Sending(venue, gate, risk, verdicts, request.visit?.intent?.tag, request.visit?.steps)
    return inPlace([...sent, ...(await sending.sendRest(plan, ready, sent))])
  }

  #venue(account: string): Venue {
    const venue = this.#options.venueOf(account)
    if (venue === undefined) throw new Refusal('venue_unavailable', `Account ${account} has no venue to trade at`)
    return venue
  }

  /** Every leg with its instrument. Of several legs none leaves when one of them can't be an order at all; closings do. */
  #ready(plan: Plan, venue: Venue): readonly Ready[] {
    if (plan.closing !== undefined) return plan.legs.map((leg) => this.#readyLeg(leg))
    const [only] = plan.legs
    if (plan.legs.length === 1 && only !== undefined) return [this.#readyLeg(only)]
    const ready: Ready[] = []
    const errors: FieldError[] = []
    for (const leg of plan.legs) {
      try {
        const one = this.#readyLeg(leg)
        const refusal = venue.refusalOf(newOrderOf(one, undefined, undefined, undefined))
        if (refusal === undefined) ready.push(one)
        else errors.push({ field: fieldOf(plan, leg), message: refusal })
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        errors.push({ field: `${fieldOf(plan, leg)}.symbol`, message: error.message })
      }
    }
    if (errors.length === 0) return ready
    const message = errors.map((error) => `${error.field}: ${error.message}`).join(' ')
    throw new Refusal('validation_failed', `Nothing was sent. ${message}`, { errors })
  }

  #readyLeg(leg: Leg): Ready {
    const { symbol, exchange } = leg.order
    return { leg, instrument: leg.instrument ?? namedInstrument(this.#options, symbol, exchange) }
  }
}

/** How an error names a leg: as its place in the request's list. */
const fieldOf = (plan: Plan, leg: Leg): string => `${plan.listName ?? 'orders'}[${leg.position}]`

function newOrderOf(
  { leg, instrument }: Ready,
  tag: string | undefined,
  root: string | undefined,
  denied: string | undefined,
  algoId?: string | undefined,
): NewOrder {
  const { symbol: _, exchange: __, ...order } = leg.order
  return { ...order, instrument, tag: tag ?? order.tag, root: order.root ?? root, denied, algoId, leg: leg.position }
}

/** The legs of one plan on their way to the venue. */
class Sending {
  readonly #venue: Venue
  readonly #gate: RiskGate
  readonly #risk: RiskRequest
  readonly #verdicts: Verdicts
  readonly #tag: string | undefined
  readonly #steps: Steps | undefined

  constructor(
    venue: Venue,
    gate: RiskGate,
    risk: RiskRequest,
    verdicts: Verdicts,
    tag: string | undefined,
    steps: Steps | undefined,
  ) {
    this.#venue = venue
    this.#gate = gate
    this.#risk = risk
    this.#verdicts = verdicts
    this.#tag = tag
    this.#steps = steps
  }

  async send(plan: Plan, ready: readonly Ready[]): Promise<readonly LegOutcome[]> {
    const [only] = ready
    if (ready.length === 1 && only !== undefined) return [await this.#place(only, 0, undefined)]
    return inPlace(
      plan.marginTogether && this.#venue.placeTogether !== undefined
        ? await this.#together(plan, ready)
        : await this.sendRest(plan, ready, []),
    )
  }

  async #together(plan: Plan, ready: readonly Ready[]): Promise<LegOutcome[]> {
    const { placeTogether } = this.#venue
    assert(placeTogether !== undefined, 'asked before')
    const orders = ready.map((one, index) =>
      newOrderOf(one, this.#tag, undefined, this.#verdicts[index]?.message, this.#algoIdOf(one)),
    )
    let reports: readonly OrderReport[] = []
    try {
      reports = await placeTogether.call(this.#venue, orders, plan.onRefusal !== 'continue', this.#steps)
    } finally {
      for (let index = 0; index < orders.length; index += 1)
        if (this.#verdicts[index] === undefined) this.#gate.settle(this.#risk, index, reports[index]?.id)
    }
    return ready.map(({ leg }, index) => {
      const report = reports[index]
      assert(report !== undefined, 'a venue reports every order of those placed together')
      return outcomeOf(leg, report, this.#verdicts[index], this.#venue)
    })
  }

  /** One by one, after those that were `sent`. After the first order the others belong to its story. */
  async sendRest(plan: Plan, ready: readonly Ready[], sent: readonly LegOutcome[]): Promise<LegOutcome[]> {
    const outcomes: LegOutcome[] = []
    const course = new Course(plan)
    for (const outcome of sent) course.follow(outcome)
    let reached = 0
    try {
      for (const [index, one] of ready.entries()) {
        reached = index + 1
        const unsent = course.unsentBecause(one.leg)
        if (unsent !== undefined) {
          if (this.#verdicts[index] === undefined) this.#gate.settle(this.#risk, index, undefined)
          outcomes.push({ kind: 'not-sent', leg: one.leg, reason: unsent })
          continue
        }
        const outcome = await this.#place(one, index, course.root)
        course.follow(outcome)
        outcomes.push(outcome)
      }
    } finally {
      // A venue that fails leaves those that come after it
      for (let index = reached; index < ready.length; index += 1)
        if (this.#verdicts[index] === undefined) this.#gate.settle(this.#risk, index, undefined)
    }
    return outcomes
  }

  #algoIdOf({ leg }: Ready): string | undefined {
    return this.#gate.algoIdOf(this.#risk.account, leg.order.strategy)
  }

  async #place(one: Ready, index: number, root: string | undefined): Promise<LegOutcome> {
    const denial = this.#verdicts[index]
    let report: OrderReport | undefined
    try {
      report = await this.#venue.place(
        newOrderOf(one, this.#tag, root, denial?.message, this.#algoIdOf(one)),
        this.#steps,
      )
      return outcomeOf(one.leg, report, denial, this.#venue)
    } finally {
      if (denial === undefined) this.#gate.settle(this.#risk, index, report?.id)
    }
  }
}

function outcomeOf(leg: Leg, report: OrderReport, denial: Denial | undefined, venue: Venue): LegOutcome {
  if (report.status !== 'rejected') return { kind: 'placed', leg, report }
  const code: RefusalCode = denial === undefined ? 'order_rejected' : (denial.code as RefusalCode)
  const refusal = new Refusal(code, report.reason, { extra: { mode: venue.mode, orderid: report.id } })
  return { kind: 'refused', leg, refusal, orderId: report.id }
}

/** What orders of one plan that were sent mean for those that follow. */
class Course {
  /** Of the story that they share: the first order's id. */
  root: string | undefined
  readonly #plan: Plan
  readonly #accepted = new Set<number>()
  #stopped: string | undefined

  constructor(plan: Plan) {
    this.#plan = plan
  }

  follow(outcome: LegOutcome): void {
    if (outcome.kind === 'placed') {
      this.#accepted.add(outcome.leg.position)
      this.root ??= outcome.report.root
    } else if (outcome.kind === 'refused') {
      this.root ??= outcome.orderId
      const { onRefusal } = this.#plan
      if (onRefusal === 'stop' || (onRefusal === 'stop-if-it-repeats' && repeats(outcome.refusal)))
        this.#stopped ??= `Not sent, because an order before it was refused: ${outcome.refusal.message}`
    }
  }

  /** Undefined when the leg is to be sent. */
  unsentBecause({ needs = [] }: Leg): string | undefined {
    if (this.#stopped !== undefined) return this.#stopped
    const missing = needs.filter((position) => !this.#accepted.has(position))
    if (missing.length === 0) return undefined
    const numbers = missing.map((position) => position + 1).join(', ')
    return `Not sent, because order ${numbers}, which it relies on, was not accepted.`
  }
}

const inPlace = (outcomes: readonly LegOutcome[]): readonly LegOutcome[] =>
  outcomes.toSorted((one, other) => one.leg.position - other.leg.position)

const riskOf = (
  { account, caller }: Pick<FlowRequest<Plan, unknown>, 'account' | 'caller'>,
  { closing }: Plan,
  ready: readonly Ready[],
): RiskRequest => ({
  account,
  keyId: caller.keyId ?? '',
  closing,
  orders: ready.map(({ leg, instrument }) => ({ order: leg.order, instrument })),
})

/** Orders that an earlier process had sent, oldest first: they are what they are, whatever the plan would be now. */
function sentBefore(plan: Plan, known: readonly OrderReport[], venue: Venue): readonly LegOutcome[] {
  return known
    .toSorted((one, other) => (one.id < other.id ? -1 : 1))
    .map((report) => {
      const position = report.leg ?? 0
      const planned = plan.legs.find((leg) => leg.position === position)
      return outcomeOf({ ...planned, position, order: requestOf(report) }, report, undefined, venue)
    })
}

/** Whether each order stands where the plan has one like it. */
const isPartOf = (plan: Plan, known: readonly OrderReport[]): boolean =>
  known.every((report) => {
    const planned = plan.legs.find(({ position }) => position === (report.leg ?? 0))?.order
    return (
      planned?.symbol === report.symbol &&
      planned.exchange === report.exchange &&
      planned.action === report.action &&
      planned.product === report.product
    )
  })

const abandoned = (leg: Leg): LegOutcome => ({
  kind: 'not-sent',
  leg,
  reason: 'Not sent, because the server stopped before, and prices have moved since. Send what is missing anew.',
})

const requestOf = (report: OrderReport): OrderRequest => ({
  symbol: report.symbol,
  exchange: report.exchange,
  action: report.action,
  quantity: report.quantity,
  priceType: report.priceType,
  product: report.product,
  price: report.price,
  triggerPrice: report.triggerPrice,
  disclosedQuantity: ZERO_QUANTITY,
  strategy: report.strategy,
  tag: report.tag,
})
