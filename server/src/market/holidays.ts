import type { ExchangeDate } from '../kernel/exchange-time.ts'
import type { Exchange } from './instrument.ts'

/**
 * `TRADING_HOLIDAY`: `closed` exchanges don't trade, `open` ones trade in their window, all others as on any day.
 * `SPECIAL_SESSION`: `open` exchanges trade in their window even at a weekend; nothing else changes.
 */
export type HolidayType = 'TRADING_HOLIDAY' | 'SPECIAL_SESSION'

/** Window in minutes since 00:00 of the day in the exchange's zone; above 1440 it ends on the next day. */
export interface SessionWindow {
  readonly exchange: Exchange
  readonly opensAtMinute: number
  readonly closesAtMinute: number
}

export interface Holiday {
  readonly date: ExchangeDate
  readonly description: string
  readonly type: HolidayType
  readonly closed: readonly Exchange[]
  readonly open: readonly SessionWindow[]
}

const SECURITIES: readonly Exchange[] = ['NSE', 'BSE', 'NFO', 'BFO', 'CDS', 'BCD']

const MCX_EVENING: SessionWindow = { exchange: 'MCX', opensAtMinute: 17 * 60, closesAtMinute: 23 * 60 + 55 }

const morningClosed = (date: ExchangeDate, description: string): Holiday => ({
  date,
  description,
  type: 'TRADING_HOLIDAY',
  closed: SECURITIES,
  open: [MCX_EVENING],
})

const allClosed = (date: ExchangeDate, description: string): Holiday => ({
  date,
  description,
  type: 'TRADING_HOLIDAY',
  closed: [...SECURITIES, 'MCX'],
  open: [],
})

/** Holidays that fall on weekdays, and special sessions, ascending by date. Years without rows follow weekends alone. */
export const HOLIDAYS: readonly Holiday[] = [
  morningClosed('2026-01-15', 'Municipal Corporation Election - Maharashtra'),
  allClosed('2026-01-26', 'Republic Day'),
  morningClosed('2026-03-03', 'Holi'),
  morningClosed('2026-03-26', 'Shri Ram Navami'),
  morningClosed('2026-03-31', 'Shri Mahavir Jayanti'),
  allClosed('2026-04-03', 'Good Friday'),
  morningClosed('2026-04-14', 'Dr. Baba Saheb Ambedkar Jayanti'),
  morningClosed('2026-05-01', 'Maharashtra Day'),
  morningClosed('2026-05-28', 'Bakri Id'),
  morningClosed('2026-06-26', 'Muharram'),
  morningClosed('2026-09-14', 'Ganesh Chaturthi'),
  allClosed('2026-10-02', 'Mahatma Gandhi Jayanti'),
  morningClosed('2026-10-20', 'Dussehra'),
  {
    date: '2026-11-08',
    description: 'Diwali Laxmi Pujan (Muhurat Trading)',
    type: 'SPECIAL_SESSION',
    closed: [],
    open: [
      ...SECURITIES.map((exchange) => ({ exchange, opensAtMinute: 18 * 60, closesAtMinute: 19 * 60 + 15 })),
      { exchange: 'MCX', opensAtMinute: 18 * 60, closesAtMinute: 24 * 60 + 15 },
    ],
  },
  morningClosed('2026-11-10', 'Diwali Balipratipada'),
  morningClosed('2026-11-24', 'Prakash Gurpurb Sri Guru Nanak Dev'),
  allClosed('2026-12-25', 'Christmas'),
]
