import fc from 'fast-check'
import { quantityOf } from '../../kernel/fixed.ts'
import { LIMIT_NAMES, type Limits } from './limits.ts'

/** For tests: limits at every scope, and what happens on the way of orders, as chance has it. */

export const VALUED = ['gross_exposure', 'net_exposure', 'daily_loss'] as const
const COUNTED = [
  'open_orders',
  'orders_per_second',
  'segment_orders_per_second',
  'orders_per_day',
  'position_quantity',
] as const

/** A few limits out of all, small enough that some deny and some don't. */
const LIMITS: fc.Arbitrary<Limits> = fc
  .tuple(
    fc.record({
      order_value: fc.integer({ min: 200_000, max: 1_500_000 }),
      order_quantity: fc.integer({ min: 3, max: 10 }).map((units) => quantityOf(units)),
      open_orders: fc.integer({ min: 1, max: 6 }),
      orders_per_second: fc.integer({ min: 1, max: 5 }),
      segment_orders_per_second: fc.integer({ min: 1, max: 5 }),
      orders_per_day: fc.integer({ min: 2, max: 14 }),
      position_quantity: fc.integer({ min: 5, max: 25 }).map((units) => quantityOf(units)),
      gross_exposure: fc.integer({ min: 500_000, max: 4_000_000 }),
      net_exposure: fc.integer({ min: 300_000, max: 3_000_000 }),
      daily_loss: fc.integer({ min: 20, max: 2_000 }),
      price_distance_percent: fc.integer({ min: 100, max: 400 }),
      market_protection_percent: fc.integer({ min: 1, max: 20 }),
      quote_age_ms: fc.integer({ min: 300, max: 1_000 }),
      exchanges: fc.constantFrom(['NSE'], ['NSE', 'BSE']),
      products: fc.constantFrom(['CNC', 'MIS'], ['MIS']),
      symbols: fc.constantFrom(['NSE:SBIN', 'IDEA'], ['SBIN']),
      trading_windows: fc.constantFrom([{ fromMinute: 660, toMinute: 720 }], [{ fromMinute: 0, toMinute: 1440 }]),
    }),
    fc.uniqueArray(fc.constantFrom(...LIMIT_NAMES, ...COUNTED, ...COUNTED, ...VALUED), { maxLength: 2 }),
  )
  .map(([all, names]) => Object.fromEntries(names.map((name) => [name, all[name]])) as Limits)

export const RULES = fc.record({ instance: LIMITS, account: LIMITS, key: LIMITS, strategy: LIMITS })
export type State = 'active' | 'reduce_only'
export type Rules = typeof RULES extends fc.Arbitrary<infer T> ? T : never

export const STEP = fc.record({
  kind: fc.constantFrom('send', 'send', 'send', 'leave', 'arrive', 'lose', 'cancel', 'change', 'tick'),
  afterMs: fc.constantFrom(0, 0, 100, 600, 1_100),
  symbol: fc.constantFrom('SBIN', 'IDEA'),
  action: fc.constantFrom('BUY' as const, 'SELL' as const),
  product: fc.constantFrom('MIS' as const, 'MIS' as const, 'CNC' as const),
  strategy: fc.constantFrom('s', 's', 'other'),
  quantity: fc.integer({ min: 1, max: 9 }),
  /** Percent from the last price; none is at market. */
  away: fc.option(fc.integer({ min: -3, max: 3 })),
})
export type Step = typeof STEP extends fc.Arbitrary<infer T> ? T : never
