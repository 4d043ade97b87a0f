import type { LegOutcome } from '../plan.ts'

/** Limits that an order after this one would meet just the same. */
const LASTING: ReadonlySet<string> = new Set([
  'risk_unavailable',
  'risk_halted',
  'risk_reduce_only',
  'risk_unprotected',
  'risk_address_unbound',
  'risk_orders_per_day',
  'risk_daily_loss',
  'risk_exchanges',
  'risk_products',
  'risk_symbols',
  'risk_trading_windows',
])

/** Whether the next order like a refused one would be refused for the same cause: funds, a halt, the instrument. */
export const repeats = ({ cause, refusal }: Extract<LegOutcome, { kind: 'refused' }>): boolean =>
  cause !== undefined || LASTING.has(refusal.code)
