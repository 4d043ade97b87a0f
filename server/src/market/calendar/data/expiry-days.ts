import type { ExchangeDate } from '../../../kernel/exchange-time.ts'

export type ExpiryExchange = 'NFO' | 'BFO'

/** Day of the week (0 = Sunday) on which contracts expire whose expiry lies on `from` or later, until the next rule. */
export interface ExpiryDay {
  readonly from: ExchangeDate
  readonly weekday: number
  /** Whether there is a contract for every week, besides the last one of each month. */
  readonly weekly: boolean
}

const MONDAY = 1
const TUESDAY = 2
const WEDNESDAY = 3
const THURSDAY = 4
const FRIDAY = 5

const rule = (from: ExchangeDate, weekday: number, weekly = false): ExpiryDay => ({ from, weekday, weekly })

/** NSE moved its contracts to Thursdays, then to Tuesdays; BSE to Tuesdays, then to Thursdays. */
const NSE_2025 = [rule('2025-01-01', THURSDAY), rule('2025-09-01', TUESDAY)]
const BSE_2025 = [rule('2025-01-01', TUESDAY), rule('2025-09-01', THURSDAY)]

/**
 * By underlying, ascending; the first rule also counts for what was before it. From 2024-11-20 on each exchange has
 * weekly contracts on one index only.
 */
export const EXPIRY_DAYS: Readonly<Record<ExpiryExchange, Readonly<Record<string, readonly ExpiryDay[]>>>> = {
  NFO: {
    NIFTY: [rule('2024-01-01', THURSDAY, true), rule('2025-09-01', TUESDAY, true)],
    BANKNIFTY: [
      // Its weekly contracts expired on Wednesdays already
      rule('2024-01-01', THURSDAY, true),
      rule('2024-03-01', WEDNESDAY, true),
      rule('2024-11-14', WEDNESDAY),
      ...NSE_2025,
    ],
    FINNIFTY: [rule('2024-01-01', TUESDAY, true), rule('2024-11-20', TUESDAY), ...NSE_2025],
    MIDCPNIFTY: [rule('2024-01-01', MONDAY, true), rule('2024-11-19', MONDAY), ...NSE_2025],
    NIFTYNXT50: [rule('2024-04-24', FRIDAY), ...NSE_2025],
  },
  BFO: {
    SENSEX: [rule('2024-01-01', FRIDAY, true), rule('2025-01-01', TUESDAY, true), rule('2025-09-01', THURSDAY, true)],
    BANKEX: [rule('2024-01-01', MONDAY, true), rule('2024-11-19', MONDAY), ...BSE_2025],
    SENSEX50: [rule('2024-01-01', THURSDAY), ...BSE_2025],
  },
}

/** Of contracts on shares. */
export const SHARE_EXPIRY_DAYS: Readonly<Record<ExpiryExchange, readonly ExpiryDay[]>> = {
  NFO: [rule('2024-01-01', THURSDAY), rule('2025-09-01', TUESDAY)],
  BFO: [rule('2024-01-01', THURSDAY), ...BSE_2025],
}
