import { Refusal } from '../../kernel/errors.ts'
import { PRICE_DECIMALS, PRICE_ONE, type Price, type Quantity, toNumber } from '../../kernel/fixed.ts'
import type { Instrument } from '../../market/instrument.ts'
import { expiryCode } from '../../market/symbol.ts'
import type { ChainLeg, ChainRow, ChainSnapshot, ChainTotals, OptionAnalysis } from '../../options/index.ts'
import { roundHalfEven } from './greeks-wire.ts'

/** An option chain as JSON text. Keys stand in the order in which clients know them, ours after them. */

/** Decimals of a ratio, and of a forward. */
const RATIO_DECIMALS = 4

const PAISE_OF_RUPEE = 100
const PAISA = 10 ** (PRICE_DECIMALS - 2)
/** `.05`, `.5` or nothing, by the paise. */
const FRACTIONS = Array.from({ length: PAISE_OF_RUPEE }, (_, paise) => String(paise / PAISE_OF_RUPEE).slice(1))

/** The same text as of the number; nearly all prices are whole paise, whose text needs no search for the shortest. */
export function priceText(value: Price): string {
  if (value % PAISA !== 0) return String(value / PRICE_ONE)
  const paise = value / PAISA
  const fraction = paise % PAISE_OF_RUPEE
  return `${(paise - fraction) / PAISE_OF_RUPEE}${FRACTIONS[fraction] ?? ''}`
}

const knownPrice = (value: Price | undefined): string => (value === undefined || value <= 0 ? 'null' : priceText(value))
const quantityText = (value: Quantity): string => String(toNumber.quantity(value))
const knownQuantity = (value: Quantity | undefined): string => (value === undefined ? 'null' : quantityText(value))
const rounded = (value: number | undefined, decimals: number): string =>
  value === undefined ? 'null' : String(roundHalfEven(value, decimals))
const percent = (value: number | undefined): string => rounded(value === undefined ? undefined : value * 100, 2)

const texts = new WeakMap<ChainSnapshot, string>()

/** The answer's text. Of a chain that was told before, the same text. */
export function chainText(chain: ChainSnapshot): string {
  const known = texts.get(chain)
  if (known !== undefined) return known
  const text = makeText(chain)
  texts.set(chain, text)
  return text
}

function makeText(chain: ChainSnapshot): string {
  const { series, underlying, forward, withGreeks, totals } = chain
  const { base, reference } = series
  const told = withGreeks ? forward : undefined
  const head =
    `{"status":"success","underlying":${JSON.stringify(base)},"underlying_symbol":${JSON.stringify(reference.symbol)},` +
    `"underlying_exchange":"${reference.exchange}","underlying_ltp":${priceText(underlying.ltp)},` +
    `"underlying_prev_close":${knownPrice(underlying.prevClose)},"expiry_date":"${expiryCode(series.chain.expiry)}",` +
    `"expiry_ts":${Math.floor(chain.expiresAt / 1000)},"server_ts":${Math.floor(chain.at / 1000)},` +
    `"atm_strike":${priceText(chain.atTheMoney)},"quotes_included":true,"greeks_included":${withGreeks},` +
    `"forward_price":${rounded(told?.price, RATIO_DECIMALS)},` +
    `"forward_source":${told === undefined ? 'null' : `"${told.source}"`},"totals":${totalsText(totals, chain.rows)},"chain":[`
  return `${head}${chain.rows.map(rowText).join(',')}]}`
}

function totalsText(totals: ChainTotals, rows: readonly ChainRow[]): string {
  const { calls, puts } = totals
  return (
    `{"strikes":${rows.length},"call_oi":${quantityText(calls.openInterest)},"put_oi":${quantityText(puts.openInterest)},` +
    `"call_oi_change":${knownQuantity(calls.interestChange)},"put_oi_change":${knownQuantity(puts.interestChange)},` +
    `"call_volume":${quantityText(calls.volume)},"put_volume":${quantityText(puts.volume)},` +
    `"pcr_oi":${rounded(totals.putCallRatioByInterest, RATIO_DECIMALS)},` +
    `"pcr_volume":${rounded(totals.putCallRatioByVolume, RATIO_DECIMALS)},"max_pain":${knownPrice(totals.maxPain)},` +
    `"atm_straddle":${knownPrice(totals.straddle)},"atm_iv":${percent(totals.volatility)},"skew":${percent(totals.skew)}}`
  )
}

const rowText = ({ strike, call, put }: ChainRow): string =>
  `{"strike":${priceText(strike)},"ce":${legText(call)},"pe":${legText(put)}}`

const NO_PRICES =
  '"ltp":null,"bid":null,"ask":null,"bid_qty":null,"ask_qty":null,"open":null,"high":null,"low":null,"prev_close":null,"volume":null,"oi":null'

function legText(leg: ChainLeg | undefined): string {
  if (leg === undefined) return 'null'
  const { option, label, quote, isStale, interestChange, analysis } = leg
  const name = `{"symbol":${JSON.stringify(option.symbol)},"label":"${label}",`
  if (quote instanceof Refusal) {
    return `${name}${NO_PRICES},${contractText(option)},"error":${JSON.stringify(quote.message)},"code":"${quote.code}"}`
  }
  return (
    `${name}"ltp":${knownPrice(quote.ltp)},"bid":${priceText(quote.bid)},"ask":${priceText(quote.ask)},"bid_qty":${knownQuantity(quote.bidQuantity)},` +
    `"ask_qty":${knownQuantity(quote.askQuantity)},"open":${knownPrice(quote.open)},"high":${knownPrice(quote.high)},"low":${knownPrice(quote.low)},` +
    `"prev_close":${knownPrice(quote.prevClose)},"volume":${quantityText(quote.volume)},` +
    `"oi":${quantityText(quote.openInterest)},${contractText(option)}${analysisText(analysis)},` +
    `"oi_change":${knownQuantity(interestChange)},"timestamp":${quote.at / 1000}${isStale ? ',"stale":true' : ''}}`
  )
}

const contractText = ({ lotSize, tickSize }: Instrument): string =>
  `"lotsize":${quantityText(lotSize)},"tick_size":${priceText(tickSize)}`

function analysisText(analysis: OptionAnalysis | undefined): string {
  if (analysis === undefined) return ''
  const { outcome, volatility, greeks } = analysis
  if (outcome !== 'solved') {
    return `,"implied_volatility":0,"delta":${greeks.delta},"gamma":0,"theta":0,"vega":0,"bound":"${outcome}"`
  }
  return (
    `,"implied_volatility":${percent(volatility)},"delta":${rounded(greeks.delta, 4)},` +
    `"gamma":${rounded(greeks.gamma, 6)},"theta":${rounded(greeks.theta, 4)},"vega":${rounded(greeks.vega, 4)}`
  )
}
