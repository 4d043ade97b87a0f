import Type from 'typebox'
import { EXCHANGES } from '../../market/instrument.ts'
import { SKEW_DELTA, STRIKES_PER_SIDE_MAX } from '../../options/index.ts'
import { flag, integer } from '../field.ts'
import { asBody } from '../json-text.ts'
import { defineOperation } from '../operation.ts'
import { interestRate } from './greeks-fields.ts'
import { chainText } from './option-chain-text.ts'
import { expiryDate, SERIES_REFUSALS, underlying, underlyingExchange } from './option-fields.ts'

const numberOrNull = (description?: string) =>
  Type.Union([Type.Number(), Type.Null()], description === undefined ? {} : { description })
const greek = (description: string) => Type.Optional(Type.Number({ description }))

const Leg = Type.Object({
  symbol: Type.String(),
  label: Type.String({ description: '`ATM`, `ITMn` or `OTMn`: listed strikes from the one at the money.' }),
  ltp: numberOrNull('Last traded price. Like all prices null when there is none.'),
  bid: numberOrNull('Best bid; 0 when nobody bids.'),
  ask: numberOrNull('Best offer; 0 when nobody offers.'),
  bid_qty: numberOrNull('Null when the source of prices does not tell it.'),
  ask_qty: numberOrNull('Null when the source of prices does not tell it.'),
  open: numberOrNull(),
  high: numberOrNull(),
  low: numberOrNull(),
  prev_close: numberOrNull('Close of the session before.'),
  volume: numberOrNull(),
  oi: numberOrNull('Open interest.'),
  lotsize: Type.Number(),
  tick_size: Type.Number(),
  implied_volatility: greek('Percent a year; 0 when `bound` says why there is none.'),
  delta: greek('Change of the price per unit of the forward.'),
  gamma: greek('Change of delta per unit of the forward.'),
  theta: greek('Change of the price per calendar day.'),
  vega: greek('Change of the price per percentage point of volatility.'),
  bound: Type.Optional(
    Type.Union([Type.Literal('no_time_value'), Type.Literal('below_intrinsic'), Type.Literal('above_maximum')], {
      description: 'Why no volatility explains the price; the greeks are those of an option that will be exercised.',
    }),
  ),
  oi_change: Type.Optional(
    numberOrNull('Open interest less that at the close of the session before; null when that is not known.'),
  ),
  timestamp: Type.Optional(Type.Number({ description: 'Instant of the data: seconds since 1970.' })),
  stale: Type.Optional(
    Type.Literal(true, { description: 'There when the data are old although the exchange is open; no greeks then.' }),
  ),
  error: Type.Optional(Type.String({ description: 'Why there are no prices.' })),
  code: Type.Optional(Type.String({ description: 'The same for programs.' })),
})
const legOrNull = (type: string) =>
  Type.Union([Leg, Type.Null()], { description: `The ${type}; null when none is listed at that strike.` })

const Totals = Type.Object(
  {
    strikes: Type.Integer({ description: 'Strikes of this answer: the totals are over these.' }),
    call_oi: Type.Number(),
    put_oi: Type.Number(),
    call_oi_change: numberOrNull('Since the close of the session before; null when that is not known.'),
    put_oi_change: numberOrNull('Since the close of the session before; null when that is not known.'),
    call_volume: Type.Number(),
    put_volume: Type.Number(),
    pcr_oi: numberOrNull('Put-call ratio by open interest; null without calls.'),
    pcr_volume: numberOrNull('Put-call ratio by volume; null without calls.'),
    max_pain: numberOrNull('Strike at which the writers of all these options would pay least at expiry.'),
    atm_straddle: numberOrNull('Call and put at the money together.'),
    atm_iv: numberOrNull('Implied volatility at the money, percent: mean of call and put. Only with greeks.'),
    skew: numberOrNull(
      `Implied volatility of the put minus that of the call, both of a delta of ${SKEW_DELTA}, percentage points. Null without greeks, or when the strikes do not reach so far.`,
    ),
  },
  { description: 'Without `strike_count` of the whole expiry.' },
)

export const optionchain = defineOperation({
  name: 'optionchain',
  method: 'POST',
  tag: 'Market data',
  summary: 'Calls and puts of an expiry',
  description:
    'Quotes of all strikes, or of those around the money, with totals and, if asked, greeks. Which strike is at the money says the last price of the underlying, as in `optionsymbol`; the greeks come from the forward that `forward_source` names, the same that `optiongreeks` uses.',
  access: 'read',
  rateClass: 'read',
  input: {
    underlying,
    exchange: underlyingExchange,
    expiry_date: expiryDate,
    strike_count: integer({
      min: 1,
      max: STRIKES_PER_SIDE_MAX,
      description: 'Strikes on each side of the money; without it all.',
      example: 10,
    })
      .orNull()
      .optional(),
    with_greeks: flag({ description: 'Adds implied volatility and greeks.' }).optional(false, false),
    interest_rate: interestRate({ description: 'Interest rate of the greeks, percent a year.' }).orNull(),
  },
  output: Type.Object({
    status: Type.Literal('success'),
    underlying: Type.String({ description: 'Root of the options.' }),
    underlying_symbol: Type.String({ description: 'What was quoted as the underlying.' }),
    underlying_exchange: Type.Union(EXCHANGES.map((exchange) => Type.Literal(exchange))),
    underlying_ltp: Type.Number(),
    underlying_prev_close: numberOrNull(),
    expiry_date: Type.String({ description: '`DDMMMYY`.' }),
    expiry_ts: Type.Integer({ description: 'Instant at which the options end: seconds since 1970.' }),
    server_ts: Type.Integer({ description: 'Now: seconds since 1970.' }),
    atm_strike: Type.Number(),
    quotes_included: Type.Literal(true),
    greeks_included: Type.Boolean(),
    forward_price: numberOrNull('Forward that the greeks come from; null without greeks.'),
    forward_source: Type.Union([Type.Literal('future'), Type.Literal('synthetic'), Type.Literal('spot'), Type.Null()], {
      description:
        "`future`: price of the future of the same expiry. `synthetic`: put-call parity around the money. `spot`: the underlying's price with carry.",
    }),
    totals: Totals,
    chain: Type.Array(Type.Object({ strike: Type.Number(), ce: legOrNull('call'), pe: legOrNull('put') }), {
      description: 'Ascending by strike.',
    }),
  }),
  example: { underlying: 'NIFTY', exchange: 'NSE_INDEX', expiry_date: '25AUG26', strike_count: 10, with_greeks: true },
  refusals: SERIES_REFUSALS,
  async handle(input, { services }) {
    const chain = await services.optionChains.read({
      series: { underlying: input.underlying, exchange: input.exchange, expiry: input.expiry_date },
      strikesPerSide: input.strike_count,
      withGreeks: input.with_greeks,
      interestRate: input.interest_rate,
    })
    return asBody(chainText(chain))
  },
})
