import type { Instrument } from '../../market/instrument.ts'
import type { OrderRequest } from '../trading.ts'

/** Why an order may not be sent. `code` is stable; the message names the limit, its value and the order's. */
export interface Denial {
  readonly code: string
  readonly message: string
}

/** The orders of one plan, in the order in which they would be sent. */
export interface RiskRequest {
  readonly account: string
  /** Id of the API key; empty for a session. */
  readonly keyId: string
  readonly orders: readonly { readonly order: OrderRequest; readonly instrument: Instrument }[]
}

/** Stands before every venue. What it allows is counted at once, so that requests side by side can't pass together. */
export interface RiskGate {
  /** One verdict for each order, in order; undefined allows it. Denies when its limits can't be read. */
  judge(request: RiskRequest): Promise<readonly (Denial | undefined)[]>
}
