import type { OrderReport, Venue } from '../../brokers/venue.ts'
import { Refusal, type RefusalCode } from '../../kernel/errors.ts'
import type { Instrument } from '../../market/instrument.ts'
import type { ModifyRequest, OrderRequest } from '../trading.ts'

/** Why an order may not be sent. `code` is stable; the message names the limit, its value and the order's. */
export interface Denial {
  readonly code: string
  readonly message: string
}

/**
 * An order that only closes what is held is held up by no limit. `unless-halted`: by a halt it is. `despite-halts`: not by
 * that either, for the square-off of a kill switch.
 */
export type Closing = 'unless-halted' | 'despite-halts'

/** Whose request it is. `keyId` is empty for a session. */
export interface RiskAsker {
  readonly account: string
  readonly keyId: string
}

/** The orders of one plan, in the order in which they would be sent. */
export interface RiskRequest extends RiskAsker {
  readonly orders: readonly { readonly order: OrderRequest; readonly instrument: Instrument }[]
  /** What is asked for only waits for its price, as a trigger does: it counts as an order when it has become one. */
  readonly waits?: boolean
  /** All its orders close what is held. */
  readonly closing?: Closing | undefined
}

export type Verdicts = readonly (Denial | undefined)[]

/** A change of a working order: how it is, and what is asked for. */
export interface RiskChange extends RiskAsker {
  readonly existing: OrderReport
  readonly change: ModifyRequest
  readonly instrument: Instrument
}

/** Stands before every venue. What it allows is counted at once, so that requests side by side can't pass together. */
export interface RiskGate {
  /**
   * One verdict for each order, in order; undefined allows it. Denies when its limits can't be read. Answers at once
   * unless a limit needs to know more than is at hand.
   */
  judge(request: RiskRequest): Verdicts | Promise<Verdicts>
  /**
   * To be told once for each order that was allowed, as soon as its venue has answered or it turns out that it won't be
   * sent: until then it counts as on its way. `orderId` is what the venue calls it; undefined when it didn't get there.
   */
  settle(request: RiskRequest, index: number, orderId: string | undefined): void
  /** Undefined allows the change, which then counts until it is settled. One that only makes an order smaller passes. */
  judgeChange(change: RiskChange): Denial | undefined | Promise<Denial | undefined>
  /** To be told once of each change that was allowed, as soon as its venue has answered. */
  settleChange(change: RiskChange): void
  /** Why nothing of a strategy may be sent now, not even what closes a position: a halt, or limits that can't be read. */
  haltOf(account: string, strategy: string): Denial | undefined
  /** Under which exchanges know a strategy, or its account; undefined without one. */
  algoIdOf(account: string, strategy: string): string | undefined
}

/** The limits' codes are codes of refusals. */
export const deniedBy = ({ code, message }: Denial, { mode }: Venue): Refusal =>
  new Refusal(code as RefusalCode, message, { extra: { mode } })

/** Lets everything pass: for what has no limits, such as the venue's own tests. */
export const OPEN_GATE: RiskGate = {
  judge: ({ orders }) => orders.map(() => undefined),
  settle: () => undefined,
  judgeChange: () => undefined,
  settleChange: () => undefined,
  haltOf: () => undefined,
  algoIdOf: () => undefined,
}
