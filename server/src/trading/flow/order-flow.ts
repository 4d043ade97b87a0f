import type { Alongside, NewOrder, OrderReport, Venue } from '../../brokers/venue.ts'
import { assert } from '../../kernel/assert.ts'
import { type FieldError, Refusal, type RefusalCode } from '../../kernel/errors.ts'
import type { Steps } from '../../kernel/steps.ts'
import type { Instrument } from '../../market/instrument.ts'
import type { Statement } from '../../storage/writer.ts'
import { type InstrumentLookup, namedInstrument } from '../named-instrument.ts'
import { type Leg, type LegOutcome, PLAN_LEGS_MAX, type Plan } from '../plan.ts'
import type { RiskGate, RiskRequest, Verdicts } from '../risk/gate.ts'
import { Course } from './course.ts'
import type { Intent } from './intent.ts'
import { abandoned, inPlace, outcomeOf, sentBefore } from './outcomes.ts'
import { inTurnOf } from './position-turns.ts'

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
  /** What the request comes to; changes nothing. Throws Refusal when it comes to nothing. */
  expand(): MadePlan | Promise<MadePlan>
  /** The answer, pure; `outcomes` in the order of the legs' positions. Throws the Refusal that is the answer. */
  answer(plan: MadePlan, outcomes: readonly LegOutcome[]): Answer
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
    const intent = visit?.intent
    // What was begun goes on as it was planned, whatever has changed since
    const expanded = (intent?.work?.plan as MadePlan | undefined) ?? request.expand()
    const plan = expanded instanceof Promise ? await expanded : expanded
    assert(plan.legs.length <= PLAN_LEGS_MAX, () => `a plan of ${plan.legs.length} legs`)
    const keep = intent && keepingOf(intent, request, plan)
    if (intent?.isResumed === true) {
      const known = await venue.ordersByTag(intent.tag)
      if (known.length > 0) return request.answer(plan, await this.#resume(request, intent, plan, known, venue, keep))
    }
    const ready = this.#ready(plan, venue)
    const risk = riskOf(request, plan, ready)
    const judged = ready.length === 0 ? [] : this.#options.gate.judge(risk)
    const verdicts = judged instanceof Promise ? await judged : judged
    const tag = intent?.tag ?? request.orderTag
    const sending = new Sending(venue, this.#options.gate, risk, verdicts, tag, visit?.steps, keep)
    if (intent !== undefined && !isOneCommit(plan, venue)) await sending.begin(intent, plan, ready)
    const [only] = ready
    const isOne = ready.length === 1 && only !== undefined
    return request.answer(plan, isOne ? [await sending.sendOnly(only)] : await sending.send(plan, ready))
  }

  /** Goes on with a plan of which an earlier process had sent `known`: sends what is missing, and nothing again. */
  async #resume(
    request: Pick<FlowRequest<Plan, unknown>, 'account' | 'caller' | 'visit'>,
    intent: Intent,
    plan: Plan,
    known: readonly OrderReport[],
    venue: Venue,
    keep: Keep | undefined,
  ): Promise<readonly LegOutcome[]> {
    const { gate } = this.#options
    const sent = sentBefore(plan, known, intent.work?.denied ?? {}, venue)
    const missing = plan.legs.filter(({ position }) => !sent.some(({ leg }) => leg.position === position))
    if (missing.length === 0) return inPlace(sent)
    const instruments = missing.map(({ order }) => this.#options.find(order.symbol, order.exchange))
    const ready = missing.flatMap((leg, index) => {
      const instrument = instruments[index]
      return instrument === undefined ? [] : [{ leg, instrument }]
    })
    if (ready.length < missing.length) return inPlace([...sent, ...missing.map(abandoned)])
    const risk = riskOf(request, plan, ready)
    const verdicts = await gate.judge(risk)
    const sending = new Sending(venue, gate, risk, verdicts, intent.tag, request.visit?.steps, keep)
    await sending.begin(intent, plan, ready)
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

/** Written out: it is a part of every order. */
function newOrderOf(
  { leg, instrument }: Ready,
  tag: string | undefined,
  root: string | undefined,
  denied: string | undefined,
  algoId?: string | undefined,
): NewOrder {
  const { order } = leg
  return {
    instrument,
    action: order.action,
    quantity: order.quantity,
    priceType: order.priceType,
    product: order.product,
    price: order.price,
    triggerPrice: order.triggerPrice,
    disclosedQuantity: order.disclosedQuantity,
    strategy: order.strategy,
    tag: tag ?? order.tag,
    root: order.root ?? root,
    leg: leg.position,
    origin: order.origin,
    algoId,
    denied,
  }
}

/** Puts the answer that these outcomes of all legs are into the commit of the last of them. */
type Keep = (outcomes: readonly LegOutcome[]) => Statement

// Written apart, so that an order without a name makes no room for what these remember
const keepingOf =
  <MadePlan extends Plan>(intent: Intent, request: FlowRequest<MadePlan, unknown>, plan: MadePlan): Keep =>
  (outcomes) =>
    intent.keep(() => request.answer(plan, outcomes))
const keepingAlone =
  (keep: Keep, leg: Leg, denied: string | undefined, venue: Venue): Alongside<OrderReport> =>
  (report) =>
    keep([outcomeOf(leg, report, denied, venue)])

/** Whether all that a plan leads to is one commit of the venue, which the answer can be a part of. */
const isOneCommit = ({ legs, marginTogether }: Plan, { commitsAlongside, placeTogether }: Venue): boolean =>
  commitsAlongside === true && (legs.length <= 1 || (marginTogether && placeTogether !== undefined))

/** The legs of one plan on their way to the venue. */
class Sending {
  readonly #venue: Venue
  readonly #gate: RiskGate
  readonly #risk: RiskRequest
  readonly #verdicts: Verdicts
  readonly #tag: string | undefined
  readonly #steps: Steps | undefined
  readonly #keep: Keep | undefined

  constructor(
    venue: Venue,
    gate: RiskGate,
    risk: RiskRequest,
    verdicts: Verdicts,
    tag: string | undefined,
    steps: Steps | undefined,
    keep: Keep | undefined,
  ) {
    this.#venue = venue
    this.#gate = gate
    this.#risk = risk
    this.#verdicts = verdicts
    this.#tag = tag
    this.#steps = steps
    this.#keep = keep
  }

  /** Before anything is sent: the plan, and what the limits said of it, on disk. */
  async begin(intent: Intent, plan: Plan, ready: readonly Ready[]): Promise<void> {
    const denied: Record<number, RefusalCode> = { ...intent.work?.denied }
    for (const [index, { leg }] of ready.entries()) {
      const denial = this.#verdicts[index]
      if (denial !== undefined) denied[leg.position] = denial.code as RefusalCode
    }
    try {
      await intent.begin({ plan, denied })
    } catch (error) {
      this.#settleUnsent(0, ready.length)
      throw error
    }
  }

  /** Of orders that won't be sent. */
  #settleUnsent(from: number, to: number): void {
    for (let index = from; index < to; index += 1)
      if (this.#verdicts[index] === undefined) this.#gate.settle(this.#risk, index, undefined)
  }

  /** The usual request is one order. */
  sendOnly(one: Ready): Promise<LegOutcome> {
    return this.#place(one, 0, undefined, this.#keep)
  }

  async send(plan: Plan, ready: readonly Ready[]): Promise<readonly LegOutcome[]> {
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
    const outcomesOf = (reports: readonly OrderReport[]): LegOutcome[] =>
      ready.map(({ leg }, index) => {
        const report = reports[index]
        assert(report !== undefined, 'a venue reports every order of those placed together')
        return outcomeOf(leg, report, this.#verdicts[index]?.code, this.#venue)
      })
    const keep = this.#keep
    const alongside = keep && ((reports: readonly OrderReport[]) => keep(inPlace(outcomesOf(reports))))
    let reports: readonly OrderReport[] = []
    try {
      reports = await placeTogether.call(this.#venue, orders, plan.onRefusal !== 'continue', this.#steps, alongside)
    } finally {
      for (let index = 0; index < orders.length; index += 1)
        if (this.#verdicts[index] === undefined) this.#gate.settle(this.#risk, index, reports[index]?.id)
    }
    return outcomesOf(reports)
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
        const isLast = index === ready.length - 1
        const keep = isLast ? this.#keepAfter(sent, outcomes) : undefined
        const outcome = await this.#place(one, index, course.root, keep)
        course.follow(outcome)
        outcomes.push(outcome)
      }
    } finally {
      // A venue that fails leaves those that come after it
      this.#settleUnsent(reached, ready.length)
    }
    return outcomes
  }

  #keepAfter(sent: readonly LegOutcome[], outcomes: readonly LegOutcome[]): Keep | undefined {
    const keep = this.#keep
    return keep && ((last) => keep(inPlace([...sent, ...outcomes, ...last])))
  }

  #algoIdOf({ leg }: Ready): string | undefined {
    return this.#gate.algoIdOf(this.#risk.account, leg.order.strategy)
  }

  /** `keep` is told when the order is the last one that the answer waits for. */
  async #place(one: Ready, index: number, root: string | undefined, keep: Keep | undefined): Promise<LegOutcome> {
    const denial = this.#verdicts[index]
    let report: OrderReport | undefined
    try {
      report = await this.#venue.place(
        newOrderOf(one, this.#tag, root, denial?.message, this.#algoIdOf(one)),
        this.#steps,
        keep && keepingAlone(keep, one.leg, denial?.code, this.#venue),
      )
      return outcomeOf(one.leg, report, denial?.code, this.#venue)
    } finally {
      if (denial === undefined) this.#gate.settle(this.#risk, index, report?.id)
    }
  }
}

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
