import { assert } from '../kernel/assert.ts'
import type { ExchangeDate } from '../kernel/exchange-time.ts'
import type { Exchange } from '../market/instrument.ts'

/** What is taxed and charged alike. */
export const SEGMENTS = [
  'equity delivery',
  'equity intraday',
  'equity futures',
  'equity options',
  'commodity futures',
  'agricultural futures',
  'commodity options',
  'currency futures',
  'currency options',
  'crypto',
] as const
export type Segment = (typeof SEGMENTS)[number]

/**
 * Shares of the traded value (of options: of the premium), in 10^-9: 1,000,000 is 0.1 %. Ten digits hold every rate that
 * is published, the smallest being 0.0001 %.
 */
export const RATE_ONE = 1_000_000_000
const percent = (value: number): number => Math.round((value / 100) * RATE_ONE)

export interface Rates {
  /** Securities or commodities transaction tax: `[bought, sold]`. */
  readonly transactionTax: readonly [number, number]
  /** Stamp duty, on purchases. */
  readonly stampDuty: number
  /** Transaction tax of a bought option that ends in the money, on what that is worth. */
  readonly exercise: number
}

interface DatedRates {
  readonly from: ExchangeDate
  readonly segments: Readonly<Record<Segment, Rates>>
}

const rates = (bought: number, sold: number, stampDuty: number, exercise = 0): Rates => ({
  transactionTax: [percent(bought), percent(sold)],
  stampDuty: percent(stampDuty),
  exercise: percent(exercise),
})

/**
 * Stamp duty: Indian Stamp Act, 1899, Schedule I, article 56A (Finance Act 2019, in force since 1 July 2020): 0.015 %
 * delivery, 0.003 % intraday and options, 0.002 % futures, 0.0001 % currency. Commodities transaction tax: Finance Act
 * 2013, section 117, and 2018: 0.01 % of futures that aren't agricultural and 0.05 % of option premiums, on the sale.
 */
const SINCE_2020 = {
  'commodity futures': rates(0, 0.01, 0.002),
  'agricultural futures': rates(0, 0, 0.002),
  'commodity options': rates(0, 0.05, 0.003),
  'currency futures': rates(0, 0, 0.0001),
  'currency options': rates(0, 0, 0.0001),
  crypto: rates(0, 0, 0),
} as const

/**
 * Oldest first. Securities transaction tax, on the sale but for delivery, which pays on both sides: Finance (No. 2) Act
 * 2024: 0.02 % of futures and 0.1 % of option premiums since 1 October 2024; Finance Act 2026: 0.05 % and 0.15 % since 1
 * April 2026. 0.1 % of delivery and 0.025 % of intraday stay as they were. An option that is exercised is taxed on the
 * difference of settlement and strike price (Finance (No. 2) Act 2019), and its buyer pays: 0.125 %, and 0.15 % since 1
 * April 2026 (Finance Act 2026). The tax on exercised commodity options is on the settlement price and not here: none is
 * charged. Futures that are settled in cash aren't taxed then.
 */
const RATES: readonly DatedRates[] = [
  {
    from: '2024-10-01',
    segments: {
      'equity delivery': rates(0.1, 0.1, 0.015),
      'equity intraday': rates(0, 0.025, 0.003),
      'equity futures': rates(0, 0.02, 0.002),
      'equity options': rates(0, 0.1, 0.003, 0.125),
      ...SINCE_2020,
    },
  },
  {
    from: '2026-04-01',
    segments: {
      'equity delivery': rates(0.1, 0.1, 0.015),
      'equity intraday': rates(0, 0.025, 0.003),
      'equity futures': rates(0, 0.05, 0.002),
      'equity options': rates(0, 0.15, 0.003, 0.15),
      ...SINCE_2020,
    },
  },
]

interface DatedFees {
  readonly from: ExchangeDate
  readonly fees: Partial<Record<Exchange, Partial<Record<Segment, number>>>>
}

const both = (fee: number) => ({ 'equity delivery': percent(fee), 'equity intraday': percent(fee) })

/**
 * Transaction fees of the exchanges, uniform for all members since 1 October 2024 (SEBI/HO/MRD/TPD-1/P/CIR/2024/92), as
 * brokers publish them, with NSE's share for the investor protection fund: NSE 0.00307 % cash, 0.00183 % futures,
 * 0.03553 % options; BSE 0.00375 % cash, nothing on futures, 0.0325 % options; currency 0.00035 % and 0.0311 % on NSE,
 * 0.00045 % and 0.001 % on BSE; MCX 0.0021 % and 0.0418 %; NCDEX 0.0058 % and 0.03 %. NSE's commodities pay
 * what its rulebook charges for currency futures and options, since brokers publish none: an assumption.
 */
const FEES: readonly DatedFees[] = [
  {
    from: '2024-10-01',
    fees: {
      NSE: both(0.00307),
      BSE: both(0.00375),
      NFO: { 'equity futures': percent(0.00183), 'equity options': percent(0.03553) },
      BFO: { 'equity futures': 0, 'equity options': percent(0.0325) },
      CDS: { 'currency futures': percent(0.00035), 'currency options': percent(0.0311) },
      BCD: { 'currency futures': percent(0.00045), 'currency options': percent(0.001) },
      MCX: { 'commodity futures': percent(0.0021), 'commodity options': percent(0.0418) },
      NCO: { 'commodity futures': percent(0.00035), 'commodity options': percent(0.0311) },
      NCDEX: {
        'agricultural futures': percent(0.0058),
        'commodity futures': percent(0.0058),
        'commodity options': percent(0.03),
      },
    },
  },
]

/** Goods and services tax on brokerage, transaction fee and SEBI fee: 18 %, Central Goods and Services Tax Act. */
export const GST = percent(18)
/** ₹10 per crore: SEBI (Stock Brokers) Regulations, Schedule III. Not on crypto, which it doesn't regulate. */
export const SEBI_FEE = percent(0.0001)

/** Those in force on a date; the oldest known for a date before any. */
export function ratesOn(date: ExchangeDate, segment: Segment): Rates {
  return inForce(RATES, date).segments[segment]
}

/** 0 where the exchange publishes none. */
export function transactionFeeOn(date: ExchangeDate, exchange: Exchange, segment: Segment): number {
  return inForce(FEES, date).fees[exchange]?.[segment] ?? 0
}

function inForce<T extends { readonly from: ExchangeDate }>(table: readonly T[], date: ExchangeDate): T {
  const found = table.findLast(({ from }) => from <= date) ?? table[0]
  assert(found !== undefined, 'the table has rows')
  return found
}
