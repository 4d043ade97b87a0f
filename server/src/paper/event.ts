import type { FundsReport } from '../brokers/venue.ts'
import type { ExchangeDate } from '../kernel/exchange-time.ts'
import type { Gtt } from './gtt/gtt.ts'
import type { Holding, Order, Position, Trade } from './order.ts'

/** What a command did, in order. Values are copies: they stay true when the state goes on. */
export type Event =
  | { readonly kind: 'order'; readonly order: Readonly<Order> }
  | { readonly kind: 'trade'; readonly trade: Trade }
  | { readonly kind: 'gtt'; readonly gtt: Readonly<Gtt> }
  /** The finished session's books, which leave the state here. */
  | {
      readonly kind: 'session-closed'
      readonly date: ExchangeDate
      readonly orders: readonly Readonly<Order>[]
      readonly trades: readonly Trade[]
      /** Those that ended in it. */
      readonly gtts: readonly Readonly<Gtt>[]
    }
  | { readonly kind: 'reset' }
  | { readonly kind: 'session-opened'; readonly date: ExchangeDate }
  /** How a position that was traded in stands afterwards. */
  | { readonly kind: 'position'; readonly position: Readonly<Position> }
  /** Likewise; quantity 0 when none is left. */
  | { readonly kind: 'holding'; readonly holding: Readonly<Holding> }
  | { readonly kind: 'funds'; readonly funds: FundsReport }
