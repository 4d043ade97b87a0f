import { Refusal } from '../kernel/errors.ts'
import { formatPrice, PRICE_ONE, type Price } from '../kernel/fixed.ts'
import type { Instrument } from '../market/instrument.ts'
import { firstNotBelow, type OptionChain, type OptionType } from '../market/option-chain-index.ts'
import { expiryCode, formatSymbol } from '../market/symbol.ts'

/** Furthest strike that an offset names, counted from the one at the money. */
export const OFFSET_STEPS_MAX = 50
/** Largest `strike_int`, in units of the underlying's price. */
export const STRIKE_INTERVAL_MAX = 100_000

/** How far from the money: `ATM`, `ITM1` … `ITM50`, `OTM1` … `OTM50`. */
export interface Offset {
  readonly side: 'ATM' | 'ITM' | 'OTM'
  /** 0 at the money. */
  readonly steps: number
}

/** Reads an offset in either case; undefined when it is none. */
export function parseOffset(text: string): Offset | undefined {
  const canonical = text.trim().toUpperCase()
  if (canonical === 'ATM') return { side: 'ATM', steps: 0 }
  const match = /^(ITM|OTM)([1-9]\d?)$/.exec(canonical)
  const steps = Number(match?.[2])
  if (match === null || steps > OFFSET_STEPS_MAX) return undefined
  return { side: match[1] === 'ITM' ? 'ITM' : 'OTM', steps }
}

export const offsetText = ({ side, steps }: Offset): string => (side === 'ATM' ? side : `${side}${steps}`)

/** Index of the strike nearest to the price; of two that are equally near, the lower. -1 without strikes. */
export function atTheMoney(strikes: readonly Price[], price: Price): number {
  const above = firstNotBelow(strikes, price)
  if (above === 0) return strikes.length === 0 ? -1 : 0
  if (above === strikes.length) return above - 1
  const low = strikes[above - 1] ?? 0
  const high = strikes[above] ?? 0
  return price - low <= high - price ? above - 1 : above
}

/** In which direction strikes are counted: calls are in the money below the price, puts above. */
const directionOf = (side: Offset['side'], type: OptionType): -1 | 0 | 1 => {
  if (side === 'ATM') return 0
  return (side === 'OTM') === (type === 'CE') ? 1 : -1
}

/** Nearest multiple of `interval`; halfway between two, the one that is an even multiple. */
export function nearestMultiple(price: Price, interval: number): number {
  const remainder = price % interval
  const quotient = (price - remainder) / interval
  const twice = remainder * 2
  const up = twice > interval || (twice === interval && quotient % 2 === 1)
  return (up ? quotient + 1 : quotient) * interval
}

/** An underlying's options of one expiry. */
export interface OptionSeries {
  readonly base: string
  /** Where the options trade. */
  readonly exchange: Instrument['exchange']
  readonly chain: OptionChain
  /** Whose price says which strike is at the money. */
  readonly reference: Instrument
}

export interface OptionChoice {
  readonly offset: Offset
  readonly type: OptionType
  /** Counts by this interval, in whole units of the price, and not by the strikes that are listed. */
  readonly strikeInterval: number | undefined
}

/**
 * The option that an offset names while the underlying is at that price. Throws offset_out_of_range when there are not
 * so many strikes, and option_not_found when counting by an interval leads to a strike that isn't listed.
 */
export function pickOption(series: OptionSeries, price: Price, choice: OptionChoice): Instrument {
  return choice.strikeInterval === undefined
    ? byListedStrikes(series, price, choice)
    : byInterval(series, price, choice, choice.strikeInterval * PRICE_ONE)
}

function byListedStrikes(series: OptionSeries, price: Price, { offset, type }: OptionChoice): Instrument {
  const strikes = series.chain.strikes(type)
  const atm = atTheMoney(strikes, price)
  const strike = strikes[atm + directionOf(offset.side, type) * offset.steps]
  const option = strike === undefined ? undefined : series.chain.find(strike, type)
  if (option !== undefined) return option
  const steps = directionOf(offset.side, type) > 0 ? strikes.length - 1 - atm : atm
  const last = strikes[atm + directionOf(offset.side, type) * steps]
  const atmText = `at the money is ${formatPrice(strikes[atm] ?? price)}`
  const reach =
    steps === 0 || last === undefined
      ? `${atmText}, and no ${offset.side} strike is listed`
      : `${atmText}, and the furthest is ${offset.side}${steps} at ${formatPrice(last)}`
  throw new Refusal(
    'offset_out_of_range',
    `Offset ${offsetText(offset)} is out of range for available strikes. Please use a smaller offset. Of ${nameOf(series)} ${type}, ${reach}.`,
  )
}

const nameOf = ({ base, chain }: OptionSeries): string => `${base} ${expiryCode(chain.expiry)}`

/** Strikes that a message about a missing one offers. */
const OFFERED_STRIKES = 4

function byInterval(series: OptionSeries, price: Price, { offset, type }: OptionChoice, interval: number): Instrument {
  const atm = nearestMultiple(price, interval)
  const strike = atm + directionOf(offset.side, type) * offset.steps * interval
  if (strike <= 0) {
    throw new Refusal(
      'offset_out_of_range',
      `Offset ${offsetText(offset)} is out of range for available strikes. Please use a smaller offset. Steps of ${interval / PRICE_ONE} from ${formatPrice(atm as Price)} lead to 0 or below.`,
    )
  }
  const option = series.chain.find(strike, type)
  if (option !== undefined) return option
  const symbol = formatSymbol({
    kind: 'option',
    base: series.base,
    expiry: series.chain.expiry,
    strike: strike as Price,
    type,
  })
  const strikes = series.chain.strikes(type)
  const from = Math.max(
    0,
    Math.min(firstNotBelow(strikes, strike) - OFFERED_STRIKES / 2, strikes.length - OFFERED_STRIKES),
  )
  const near = strikes.slice(from, from + OFFERED_STRIKES).map(formatPrice)
  throw new Refusal(
    'option_not_found',
    `Option symbol ${symbol} not found in ${series.exchange}. Symbol may not exist or master contract needs update. Strikes listed near it: ${near.join(', ')}; without strike_int, offsets count listed strikes.`,
  )
}
