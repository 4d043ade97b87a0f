import { dayNumberOf } from '../../kernel/exchange-time.ts'

/** Day on which every underlying closes at the price of its table row. */
export const ANCHOR_DAY = dayNumberOf('2025-12-31')
