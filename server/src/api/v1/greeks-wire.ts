import Type, { type Static } from 'typebox'
import { Refusal } from '../../kernel/errors.ts'
import type { ExchangeDate } from '../../kernel/exchange-time.ts'
import { toNumber } from '../../kernel/fixed.ts'
import type { Instrument } from '../../market/instrument.ts'
import { DAYS_OF_YEAR } from '../../market/pricing/index.ts'
import { expiryLabel } from '../../market/symbol.ts'
import type { GreeksReading } from '../../options/index.ts'

/**
 * To that many decimals; of two that are equally near, the even one. What counts is the number itself, not the decimal
 * that it stands for.
 */
export function roundHalfEven(value: number, decimals: number): number {
  const one = 10 ** decimals
  const scaled = value * one
  const below = Math.floor(scaled)
  const part = scaled - below
  if (Math.abs(scaled) > Number.MAX_SAFE_INTEGER) return value
  // The product is off by less than this, so only near the middle the digits themselves decide
  if (Math.abs(part - 0.5) > 1e-15 * Math.abs(scaled) + 1e-300) return noNegativeZero(Math.round(scaled) / one)
  const isTie = part === 0.5 && Number.isInteger(value * 2 ** (decimals + 1))
  if (isTie) return noNegativeZero((below % 2 === 0 ? below : below + 1) / one)
  return noNegativeZero(Number(value.toFixed(decimals)))
}

const noNegativeZero = (value: number): number => (value === 0 ? 0 : value)

const ForwardSource = Type.Union(
  [
    Type.Literal('future'),
    Type.Literal('synthetic'),
    Type.Literal('spot'),
    Type.Literal('named'),
    Type.Literal('given'),
  ],
  {
    description:
      'Where `spot_price` comes from: `future` of the same expiry, `synthetic` from put-call parity around the money, `spot` with carry, `named` by `underlying_symbol`, `given` as `forward_price`.',
  },
)

export const GreeksData = Type.Object(
  {
    delta: Type.Number({ description: 'Change of the price per unit of the forward.' }),
    gamma: Type.Number({ description: 'Change of delta per unit of the forward.' }),
    rho: Type.Number({ description: 'Change of the price per percentage point of interest, the forward staying.' }),
    theta: Type.Number({ description: 'Change of the price per calendar day.' }),
    vega: Type.Number({ description: 'Change of the price per percentage point of volatility.' }),
  },
  { description: 'Black-76, all with respect to the forward.' },
)

/** What a greeks answer, and each item of a list of them, says when all went well. */
export const greeksFields = {
  bound: Type.Optional(
    Type.Union([Type.Literal('no_time_value'), Type.Literal('below_intrinsic'), Type.Literal('expired')], {
      description: 'Why there is no implied volatility.',
    }),
  ),
  days_to_expiry: Type.Number({ description: 'Calendar days until the option ends.' }),
  exchange: Type.String(),
  expiry_date: Type.String({ description: '`DD-Mon-YYYY`.' }),
  forward_source: ForwardSource,
  greeks: GreeksData,
  implied_volatility: Type.Number({ description: 'Percent a year; 0 when there is none.' }),
  interest_rate: Type.Number({ description: 'Percent a year.' }),
  intrinsic_value: Type.Optional(Type.Number({ description: 'Only without an implied volatility.' })),
  note: Type.Optional(Type.String({ description: 'Why there is no implied volatility, in words.' })),
  option_price: Type.Number({ description: 'Last price of the option.' }),
  option_type: Type.Union([Type.Literal('CE'), Type.Literal('PE')]),
  spot_price: Type.Number({ description: 'The forward that was used.' }),
  status: Type.Literal('success'),
  strike: Type.Number(),
  symbol: Type.String(),
  time_value: Type.Optional(Type.Number({ description: 'Only without an implied volatility.' })),
  underlying: Type.String({ description: 'Root of the option.' }),
}
const GreeksAnswer = Type.Object(greeksFields)
export type GreeksAnswer = Static<typeof GreeksAnswer>

/** `2026-08-25` as `25-Aug-2026`. */
export function expiryText(date: ExchangeDate): string {
  const [day = '', month = ''] = expiryLabel(date).split('-')
  return `${day}-${month.charAt(0)}${month.slice(1).toLowerCase()}-${date.slice(0, 4)}`
}

/** Currencies have finer prices than others. */
const priceDecimals = ({ exchange }: Instrument): number => (exchange === 'CDS' || exchange === 'BCD' ? 4 : 2)

/** Days with 4 decimals, volatility with 2, greeks with 4 to 6, as clients know them. */
export function greeksAnswer(reading: GreeksReading, interestRate: number): GreeksAnswer {
  const { option, price, forward, forwardSource, years, analysis } = reading
  const decimals = priceDecimals(option)
  const strike = toNumber.price(option.strike)
  const common = {
    days_to_expiry: roundHalfEven(years * DAYS_OF_YEAR, 4),
    exchange: option.exchange,
    expiry_date: expiryText(option.expiry ?? ''),
    forward_source: forwardSource,
    interest_rate: roundHalfEven(interestRate, 2),
    option_price: price,
    option_type: option.kind === 'PE' ? ('PE' as const) : ('CE' as const),
    spot_price: roundHalfEven(forward, decimals),
    status: 'success' as const,
    strike,
    symbol: option.symbol,
    underlying: option.name,
  }
  if (analysis?.outcome === 'solved') {
    const { delta, gamma, rho, theta, vega } = analysis.greeks
    const greeks = {
      delta: roundHalfEven(delta, 4),
      gamma: roundHalfEven(gamma, 6),
      rho: roundHalfEven(rho, 6),
      theta: roundHalfEven(theta, 4),
      vega: roundHalfEven(vega, 4),
    }
    return { ...common, greeks, implied_volatility: roundHalfEven(analysis.volatility * 100, 2) }
  }
  const intrinsic = Math.max(0, option.kind === 'PE' ? strike - forward : forward - strike)
  const isOver = analysis === undefined
  return {
    ...common,
    bound: isOver ? 'expired' : analysis.outcome === 'no_time_value' ? 'no_time_value' : 'below_intrinsic',
    greeks: { delta: isOver ? 0 : analysis.greeks.delta, gamma: 0, rho: 0, theta: 0, vega: 0 },
    implied_volatility: 0,
    intrinsic_value: roundHalfEven(intrinsic, decimals),
    note: isOver
      ? EXPIRED_NOTE
      : analysis.outcome === 'no_time_value'
        ? NO_TIME_VALUE_NOTE
        : belowNote(price, intrinsic),
    time_value: roundHalfEven(price - intrinsic, decimals),
  }
}

// The first sentences are what clients know
const EXPIRED_NOTE = 'Option has expired - Greeks are no longer applicable'
const NO_TIME_VALUE_NOTE = 'Deep ITM option with no time value - theoretical Greeks returned'
const belowNote = (price: number, intrinsic: number): string =>
  `${NO_TIME_VALUE_NOTE}. The price ${price} with interest is below the intrinsic value ${roundHalfEven(intrinsic, 8)}, which no volatility explains.`

/** Why a price that no volatility is high enough for has no greeks; undefined when it has. */
export function beyondMaximum({ option, price, forward, analysis }: GreeksReading): Refusal | undefined {
  if (analysis?.outcome !== 'above_maximum') return undefined
  const most = option.kind === 'PE' ? `its strike ${toNumber.price(option.strike)}` : `the forward ${forward}`
  return new Refusal(
    'price_above_maximum',
    `Failed to calculate Implied Volatility: price exceeds theoretical maximum. The price ${price} of ${option.symbol} with interest must be below ${most}.`,
  )
}
