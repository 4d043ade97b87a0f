import type { Action, Product } from '../brokers/venue.ts'
import type { ExchangeDate } from '../kernel/exchange-time.ts'
import { add, least, type Money, money, mulDiv, subtract, ZERO_MONEY } from '../kernel/fixed.ts'
import { type Instrument, isOption } from '../market/instrument.ts'
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
 * All that an order's charges depend on besides its value, as it is in force on the day: facts that can be kept with the
 * order, so that what it is charged stays the same when rates change.
 */
export interface ChargeTerms {
  /** Brokerage of the order in paise: the most where it has a share, else always, if it trades at all. */
  readonly brokerage: Money
  /** Millionths of the value. */
  readonly brokerageShare?: number
  /** This and the following: shares of the value in 10^-9, `RATE_ONE`. */
  readonly transactionTax: number
  readonly transactionFee: number
  readonly sebiFee: number
  readonly stampDuty: number
  /** On brokerage and fees. */
  readonly gst: number
}

/** Of an order that is placed on that date. */
export function chargeTermsOf(
  { instrument, action, product }: Omit<ChargedTrade, 'value'>,
  { perOrder, sharePerMillion }: BrokerageTerms,
  date: ExchangeDate,
): ChargeTerms {
  const segment = segmentOf(instrument, product)
  const { transactionTax, stampDuty } = ratesOn(date, segment)
  return {
    brokerage: segment === 'equity delivery' ? ZERO_MONEY : perOrder,
    ...(segment.endsWith('options') ? {} : { brokerageShare: sharePerMillion }),
    transactionTax: transactionTax[action === 'BUY' ? 0 : 1],
    transactionFee: transactionFeeOn(date, instrument.exchange, segment),
    sebiFee: segment === 'crypto' ? 0 : SEBI_FEE,
    stampDuty: action === 'BUY' ? stampDuty : 0,
    gst: GST,
  }
}

/**
 * Of the order that settles a contract in cash at its expiry, an option at its intrinsic value. Nobody trades it: only
 * the transaction tax of the one who exercises an option remains, which is who sells by it.
 */
export function settlementTermsOf(
  { instrument, action, product }: Omit<ChargedTrade, 'value'>,
  date: ExchangeDate,
): ChargeTerms {
  const { exercise } = ratesOn(date, segmentOf(instrument, product))
  return {
    brokerage: ZERO_MONEY,
    transactionTax: action === 'SELL' ? exercise : 0,
    transactionFee: 0,
    sebiFee: 0,
    stampDuty: 0,
    gst: 0,
  }
}

/**
 * What an order that traded for `value` costs besides. Each charge is rounded to the nearest paisa, half away from zero;
 * GST is computed on the rounded ones. Exchanges round transaction tax to the rupee on the day's sum, which one order
 * can't know. More value never costs less.
 */
export function chargesFor(terms: ChargeTerms, value: Money): Charges {
  const brokerage = brokerageFor(terms, value)
  const transactionTax = part(value, terms.transactionTax)
  const transactionFee = part(value, terms.transactionFee)
  const sebiFee = part(value, terms.sebiFee)
  const stampDuty = part(value, terms.stampDuty)
  const services = add(add(brokerage, transactionFee), sebiFee)
  const gst = part(services, terms.gst)
  const total = add(add(add(services, gst), transactionTax), stampDuty)
  return { brokerage, transactionTax, transactionFee, sebiFee, stampDuty, gst, total }
}

/** What a further fill adds to the charges of an order that has traded for `before`: in parts it costs what it does whole. */
export const chargeOfFill = (terms: ChargeTerms, before: Money, value: Money): Money =>
  subtract(chargesFor(terms, add(before, value)).total, chargesFor(terms, before).total)

/** What a trade costs besides its price, on a date. */
export const chargesOf = (trade: ChargedTrade, terms: BrokerageTerms, date: ExchangeDate): Charges =>
  chargesFor(chargeTermsOf(trade, terms, date), trade.value)

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

function brokerageFor({ brokerage, brokerageShare }: ChargeTerms, value: Money): Money {
  if (value === 0) return ZERO_MONEY
  if (brokerageShare === undefined) return brokerage
  return least(brokerage, money(mulDiv(value, brokerageShare, 1_000_000, 'nearest')))
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
