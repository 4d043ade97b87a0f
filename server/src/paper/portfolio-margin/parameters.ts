import { assert } from '../../kernel/assert.ts'
import type { ExchangeDate } from '../../kernel/exchange-time.ts'

/** What a contract is on, as far as its risk goes. */
export const RISK_CLASSES = ['index', 'stock', 'commodity', 'currency', 'crypto'] as const
export type RiskClass = (typeof RISK_CLASSES)[number]

/** Shares of the underlying's price, and volatilities, in basis points (930 is 9.3 %). */
export interface RiskParameters {
  /** How far the price moves in the scenarios. */
  readonly priceScan: number
  /** Annual volatility that options are priced at, and how far it moves. */
  readonly volatility: number
  readonly volatilityScan: number
  /** Least that a sold option without cover is taken to lose. */
  readonly shortOptionMinimum: number
  /** On what is open in futures and sold in options without cover. */
  readonly exposure: number
  /** On each unit long in one expiry and short in another. */
  readonly calendar: number
}

interface DatedParameters {
  readonly from: ExchangeDate
  readonly classes: Readonly<Record<RiskClass, RiskParameters>>
}

/**
 * Oldest first. Price scan, volatility scan and calendar charge of indices and shares: NSE Clearing, "SPAN Risk
 * Parameters" of equity derivatives (nseclearing.in, 4 July 2024); the floors are taken, since they apply on most days:
 * six deviations scaled by √2, at least 9.3 % and 14.2 %; a quarter of the annual volatility, at least 4 % and 10 %;
 * 1.75 % and 2.2 % of the far month. Their short option minimum: 3 % and 7.5 % of the notional, NSE Clearing, the same
 * page before 2020. Exposure: extreme loss margin of 2 % on indices and 3.5 % on shares, SEBI/HO/MRD2/DCAP/CIR/P/2020/27.
 *
 * Currency: NSE Clearing, "Parameters" of currency derivatives (22 July 2024): the widest of the rupee pairs' scan
 * ranges, 2.65 % (JPYINR); a quarter of the volatility, at least 3 %; its largest spread charge of USDINR, ₹1,100 on
 * 1,000 dollars, as a share.
 *
 * Chosen here, because no one figure is published for all contracts of the class: every volatility that options are
 * priced at; commodity (10 % is the least of the most volatile category, spreads keep a quarter of both sides);
 * short option minimum and exposure of currency; all of crypto (a scan range of 10 % is a leverage of 10).
 */
const PARAMETERS: readonly DatedParameters[] = [
  {
    from: '2024-07-22',
    classes: {
      index: {
        priceScan: 930,
        volatility: 1400,
        volatilityScan: 400,
        shortOptionMinimum: 300,
        exposure: 200,
        calendar: 175,
      },
      stock: {
        priceScan: 1420,
        volatility: 3000,
        volatilityScan: 1000,
        shortOptionMinimum: 750,
        exposure: 350,
        calendar: 220,
      },
      commodity: {
        priceScan: 1000,
        volatility: 2000,
        volatilityScan: 500,
        shortOptionMinimum: 250,
        exposure: 100,
        calendar: 500,
      },
      currency: {
        priceScan: 265,
        volatility: 500,
        volatilityScan: 300,
        shortOptionMinimum: 150,
        exposure: 100,
        calendar: 123,
      },
      crypto: {
        priceScan: 1000,
        volatility: 6000,
        volatilityScan: 1500,
        shortOptionMinimum: 300,
        exposure: 200,
        calendar: 200,
      },
    },
  },
]

/** Those in force on a date; the oldest known for a date before any. */
export function riskParameters(riskClass: RiskClass, date: ExchangeDate): RiskParameters {
  const inForce = PARAMETERS.findLast(({ from }) => from <= date) ?? PARAMETERS[0]
  assert(inForce !== undefined, 'there are parameters')
  return inForce.classes[riskClass]
}
