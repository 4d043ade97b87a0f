import type { OrderReport, PositionReport, Venue } from '../brokers/venue.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Quantity } from '../kernel/fixed.ts'
import type { Exchange, Instrument } from '../market/instrument.ts'
import type { FlowRequest, OrderFlow } from './flow/order-flow.ts'
import { inTurnOf } from './flow/position-turns.ts'
import type { LegOutcome, Plan } from './plan.ts'
import { CLOSE_STRATEGY, CLOSING_ORDERS_MAX, type ClosingPlan, closingPlan, type Held } from './plans/closing.ts'
import { type Closing, deniedBy, type RiskGate } from './risk/gate.ts'

/** Positions closed by one request; far above what an account holds, so that it stays bounded. */
export const CLOSED_POSITIONS_MAX = 1_000

export interface CloseOutcome extends Pick<PositionReport, 'symbol' | 'exchange' | 'product'> {
  /** Of an earlier try of the same request, too. */
  readonly orderIds: readonly string[]
  /** Why the position isn't closed; undefined when every closing order was accepted. */
  readonly failure: string | undefined
}

export interface ClosingsOptions {
  readonly orders: OrderFlow
  readonly gate: RiskGate
  readonly venueOf: (account: string) => Venue | undefined
  /** Today's facts of an instrument, as long as it is listed. */
  readonly find: (symbol: string, exchange: Exchange) => Instrument | undefined
}

export type ClosingRequest = Pick<FlowRequest<Plan, unknown>, 'account' | 'caller' | 'visit'>

/**
 * Closes what is held, at market. Each position takes its turn, and is one request of its own on the way of every order: what
 * is held is read there, so that it is never brought to the other side.
 * Throws Refusal: venue_unavailable, account_stopped.
 */
export class Closings {
  readonly #options: ClosingsOptions

  constructor(options: ClosingsOptions) {
    this.#options = options
  }

  /**
   * Closes every open position of an account, after cancelling what works in it: an exit left behind would open it the
   * other way. Sent again after a crash it goes on with what is still held. `rows` counts positions, those that were
   * closed today too. Throws risk_halted and risk_unavailable, unless it is `despite-halts`.
   */
  async closeAll(
    request: ClosingRequest,
    closing: Closing = 'unless-halted',
  ): Promise<{ readonly rows: number; readonly outcomes: readonly CloseOutcome[] }> {
    const { gate } = this.#options
    const { account, visit } = request
    const venue = this.#venue(account)
    const intent = visit?.intent
    const outcomes = sentBefore(intent?.isResumed === true ? await venue.ordersByTag(intent.tag) : [])
    const positions = await venue.positions()
    const open = owedFirst(positions)
    for (const position of closing === 'despite-halts' ? open : open.slice(0, CLOSED_POSITIONS_MAX)) {
      const { orderIds, failure } = await inTurnOf(venue, position, async () => {
        // Before exits are cancelled that would then be missing
        const halt = closing === 'despite-halts' ? undefined : gate.haltOf(account, CLOSE_STRATEGY)
        if (halt !== undefined) throw deniedBy(halt, venue)
        await cancelWorking(venue, position)
        const heldNow = async (): Promise<Quantity> => (await venue.standing(position)).quantity
        return this.#close(request, position, CLOSE_STRATEGY, closing, heldNow)
      })
      addTo(outcomes, position, orderIds, failure)
    }
    return { rows: positions.length, outcomes: [...outcomes.values()] }
  }

  /** Closes what one strategy of an account holds, whatever the others do. No halt holds that up. */
  async closeStrategy(account: string, strategy: string): Promise<CloseOutcome[]> {
    const venue = this.#venue(account)
    const held = async () => (await venue.books()).strategyPositions.filter((own) => own.strategy === strategy)
    const outcomes: CloseOutcome[] = []
    for (const position of owedFirst(await held())) {
      const heldNow = async (): Promise<Quantity> => {
        const own = (await held()).find((other) => keyOf(other) === keyOf(position))
        return own?.quantity ?? (0 as Quantity)
      }
      const close = () => this.#close({ account, caller: {} }, position, strategy, 'despite-halts', heldNow)
      outcomes.push(await inTurnOf(venue, position, close))
    }
    return outcomes
  }

  /** In the position's turn. */
  #close(
    { account, caller, visit }: ClosingRequest,
    position: Omit<Held, 'quantity'>,
    strategy: string,
    closing: Closing,
    heldNow: () => Promise<Quantity>,
  ): Promise<CloseOutcome> {
    const { symbol, exchange, product } = position
    return this.#options.orders.run({
      account,
      caller,
      // The intent is that of all positions together: of one, nothing but its tag
      visit: visit === undefined ? undefined : { steps: visit.steps },
      orderTag: visit?.intent?.tag,
      expand: async () => {
        const quantity = await heldNow()
        const instrument = this.#options.find(symbol, exchange) ?? position.instrument
        return closingPlan({ symbol, exchange, product, instrument, quantity }, strategy, closing)
      },
      answer: (plan, outcomes) => ({
        symbol,
        exchange,
        product,
        orderIds: outcomes.flatMap(orderIdOf),
        failure: failureOf(plan, outcomes),
      }),
    })
  }

  #venue(account: string): Venue {
    const venue = this.#options.venueOf(account)
    if (venue === undefined) throw new Refusal('venue_unavailable', `Account ${account} has no venue to trade at`)
    return venue
  }
}

/**
 * What is open, and of it what is owed before what is held, which may be the hedge that keeps the margin of the other low:
 * sold first, it could be refused for want of money.
 */
const owedFirst = <Position extends Pick<PositionReport, 'quantity'>>(positions: readonly Position[]): Position[] =>
  positions
    .filter(({ quantity }) => quantity !== 0)
    .sort((one, other) => Number(one.quantity > 0) - Number(other.quantity > 0))

const keyOf = ({ exchange, symbol, product }: Pick<PositionReport, 'exchange' | 'symbol' | 'product'>): string =>
  `${exchange}:${symbol}:${product}`

/** By position, of orders that an earlier try had sent: what it left open is closed now. */
function sentBefore(known: readonly OrderReport[]): Map<string, CloseOutcome> {
  const outcomes = new Map<string, CloseOutcome>()
  for (const order of known.toSorted((one, other) => (one.id < other.id ? -1 : 1)))
    addTo(outcomes, order, [order.id], undefined)
  return outcomes
}

function addTo(
  outcomes: Map<string, CloseOutcome>,
  { symbol, exchange, product }: Pick<CloseOutcome, 'symbol' | 'exchange' | 'product'>,
  orderIds: readonly string[],
  failure: string | undefined,
): void {
  const key = keyOf({ symbol, exchange, product })
  const earlier = outcomes.get(key)?.orderIds ?? []
  outcomes.set(key, { symbol, exchange, product, orderIds: [...earlier, ...orderIds], failure })
}

function orderIdOf(outcome: LegOutcome): readonly string[] {
  if (outcome.kind === 'placed') return [outcome.report.id]
  return outcome.kind === 'refused' && outcome.orderId !== undefined ? [outcome.orderId] : []
}

function failureOf({ isWhole }: ClosingPlan, outcomes: readonly LegOutcome[]): string | undefined {
  const refused = outcomes.find((outcome) => outcome.kind === 'refused')
  if (refused !== undefined) return refused.refusal.message
  return isWhole ? undefined : `more than ${CLOSING_ORDERS_MAX} orders of the freeze quantity would be needed`
}

async function cancelWorking(venue: Venue, position: PositionReport): Promise<void> {
  const { working } = await venue.standing(position)
  await Promise.all(working.map(({ id }) => cancelUnlessOver(venue, id)))
}

async function cancelUnlessOver(venue: Venue, orderId: string): Promise<void> {
  try {
    await venue.cancel(orderId)
  } catch (error) {
    // It finished meanwhile: what it filled is in the position that is read next
    if (!(error instanceof Refusal && error.code === 'order_not_open')) throw error
  }
}
