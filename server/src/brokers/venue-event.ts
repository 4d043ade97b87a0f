import type { ExchangeDate } from '../kernel/exchange-time.ts'
import type { GttReport } from './gtt.ts'
import type { FundsReport, HoldingReport, OrderReport, PositionReport, TradeReport } from './venue.ts'

/** One change of an account, as its venue tells it: how the thing is afterwards. */
export type VenueEvent =
  | { readonly type: 'order'; readonly order: OrderReport }
  | { readonly type: 'trade'; readonly trade: TradeReport }
  | { readonly type: 'position'; readonly position: Omit<PositionReport, 'instrument'> }
  /** Quantity 0 when the last share left. */
  | { readonly type: 'holding'; readonly holding: Omit<HoldingReport, 'instrument'> }
  | { readonly type: 'funds'; readonly funds: FundsReport }
  | { readonly type: 'gtt'; readonly gtt: GttReport }
  /** A new trading day has begun: the books of the old one are closed, today's figures start from 0. */
  | { readonly type: 'session'; readonly date: ExchangeDate }
  /** The account has started again: all that it had is gone. */
  | { readonly type: 'reset' }

/** What one command, or one message of a venue, changed. `seq` numbers an account's without gaps. */
export interface VenueChange {
  readonly seq: number
  readonly at: number
  readonly events: readonly VenueEvent[]
}
