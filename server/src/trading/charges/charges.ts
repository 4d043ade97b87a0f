import type { Action, Product } from '../../brokers/venue.ts'
import type { ExchangeDate } from '../../kernel/exchange-time.ts'
import { add, least, type Money, money, mulDiv, ZERO_MONEY } from '../../kernel/fixed.ts'
import { type Instrument, isOption } from '../../market/instrument.ts'
import { GST, RATE_ONE, ratesOn, SEBI_FEE, type Segment, transactionFeeOn } from './rates.ts'

/** What a broker takes of each order: a share of its value, but no more than a fixed amount. Nothing for delivery. */
export interface BrokerageTerms {
  /** Most of one order, in paise. */
  readonly perOrder: Money
  /** Millionths of the value: 300 is 0.03 %. Of options, whose premium is small, always `perOrder`. */
  readonly sharePerMillion: number
}

/** One order, filled whole at one price. */
export interface ChargedTrade {
  readonly instrument: Pick<Instrument, 'exchange' | 'kind' | 'name'>
  readonly action: Action
  readonly product: Product
  /** Price × quantity × multiplier; of an option the premium. */
  readonly value: Money
}

/** In paise. `total` is the sum of the others. */
export interface Charges {
  readonly brokerage: Money
  readonly transactionTax: Money
  readonly transactionFee: Money
  readonly sebiFee: Money
  readonly stampDuty: Money
  readonly gst: Money
  readonly total: Money
}

export const NO_CHARGES: Charges = {
  brokerage: ZERO_MONEY,
  transactionTax: ZERO_MONEY,
  transactionFee: ZERO_MONEY,
  sebiFee: ZERO_MONEY,
  stampDuty: ZERO_MONEY,
  gst: ZERO_MONEY,
  total: ZERO_MONEY,
}

/**
 * What a trade costs besides its price, on a date. Each charge is rounded to the nearest paisa, half away from zero; GST is
 * computed on the rounded ones. Exchanges round transaction tax to the rupee on the day's sum, which one trade can't know.
 */
export function chargesOf(trade: ChargedTrade, terms: BrokerageTerms, date: ExchangeDate): Charges {
  const { instrument, action, value } = trade
  const segment = segmentOf(instrument, trade.product)
  const { transactionTax, stampDuty } = ratesOn(date, segment)
  const brokerage = brokerageOf(segment, value, terms)
  const transactionFee = part(value, transactionFeeOn(date, instrument.exchange, segment))
  const sebiFee = segment === 'crypto' ? ZERO_MONEY : part(value, SEBI_FEE)
  const charges = {
    brokerage,
    transactionTax: part(value, transactionTax[action === 'BUY' ? 0 : 1]),
    transactionFee,
    sebiFee,
    stampDuty: action === 'BUY' ? part(value, stampDuty) : ZERO_MONEY,
    gst: part(add(add(brokerage, transactionFee), sebiFee), GST),
  }
  const total = Object.values(charges).reduce((sum, charge) => add(sum, charge), ZERO_MONEY)
  return { ...charges, total }
}

export function sumOfCharges(all: readonly Charges[]): Charges {
  return all.reduce(
    (sum, one) => ({
      brokerage: add(sum.brokerage, one.brokerage),
      transactionTax: add(sum.transactionTax, one.transactionTax),
      transactionFee: add(sum.transactionFee, one.transactionFee),
      sebiFee: add(sum.sebiFee, one.sebiFee),
      stampDuty: add(sum.stampDuty, one.stampDuty),
      gst: add(sum.gst, one.gst),
      total: add(sum.total, one.total),
    }),
    NO_CHARGES,
  )
}

const part = (value: Money, rate: number): Money => money(mulDiv(value, rate, RATE_ONE, 'nearest'))

function brokerageOf(segment: Segment, value: Money, terms: BrokerageTerms): Money {
  if (value === 0 || segment === 'equity delivery') return ZERO_MONEY
  if (segment.endsWith('options')) return terms.perOrder
  return least(terms.perOrder, money(mulDiv(value, terms.sharePerMillion, 1_000_000, 'nearest')))
}

/** Commodities that MCX trades and that are farmed: exempt from commodities transaction tax. */
const FARMED: ReadonlySet<string> = new Set(['CARDAMOM', 'COTTONCNDY', 'KAPAS', 'MENTHAOIL', 'CRUDEDEGUMSOYBEANOIL'])

export function segmentOf(instrument: ChargedTrade['instrument'], product: Product): Segment {
  const { exchange, name } = instrument
  const option = isOption(instrument)
  switch (exchange) {
    case 'NFO':
    case 'BFO':
      return option ? 'equity options' : 'equity futures'
    case 'CDS':
    case 'BCD':
      return option ? 'currency options' : 'currency futures'
    case 'MCX':
    case 'NCO':
    case 'NCDEX':
      if (option) return 'commodity options'
      return exchange === 'NCDEX' || FARMED.has(name) ? 'agricultural futures' : 'commodity futures'
    case 'CRYPTO':
      return 'crypto'
    default:
      return product === 'CNC' ? 'equity delivery' : 'equity intraday'
  }
}
