import Type from 'typebox'
import { type Price, toNumber } from '../../kernel/fixed.ts'
import { expiryCode } from '../../market/symbol.ts'
import { syntheticFuture } from '../../options/index.ts'
import { defineOperation } from '../operation.ts'
import { roundHalfEven } from './greeks-wire.ts'
import { expiryDate, SERIES_REFUSALS, underlying, underlyingExchange } from './option-fields.ts'

export const syntheticfuture = defineOperation({
  name: 'syntheticfuture',
  method: 'POST',
  tag: 'Market data',
  summary: 'Price of a future made of a call and a put',
  description:
    'Strike + call - put, at last prices, of the strike nearest to the price of the underlying that has both. Refused unless all prices are fresh. `forward_price` is the forward that `optionchain` and `optiongreeks` use, for comparison.',
  access: 'read',
  rateClass: 'read',
  input: { underlying, exchange: underlyingExchange, expiry_date: expiryDate },
  output: Type.Object({
    atm_strike: Type.Number(),
    basis: Type.Number({ description: 'How much dearer the synthetic future is than the underlying.' }),
    call_ltp: Type.Number(),
    call_symbol: Type.String(),
    expiry: Type.String({ description: '`DDMMMYY`.' }),
    forward_price: Type.Union([Type.Number(), Type.Null()]),
    forward_source: Type.Union([Type.Literal('future'), Type.Literal('synthetic'), Type.Literal('spot'), Type.Null()]),
    put_ltp: Type.Number(),
    put_symbol: Type.String(),
    status: Type.Literal('success'),
    synthetic_future_price: Type.Number(),
    underlying: Type.String({ description: 'As it was asked for.' }),
    underlying_ltp: Type.Number(),
  }),
  example: { underlying: 'NIFTY', exchange: 'NSE_INDEX', expiry_date: '25AUG26' },
  refusals: SERIES_REFUSALS,
  async handle(input, { services }) {
    const series = services.optionLookups.series({
      underlying: input.underlying,
      exchange: input.exchange,
      expiry: input.expiry_date,
    })
    const found = await syntheticFuture(services.forwards, series)
    const { forward, underlyingPrice } = found
    return {
      atm_strike: toNumber.price(found.strike),
      basis: toNumber.price((found.price - underlyingPrice) as Price),
      call_ltp: toNumber.price(found.callPrice),
      call_symbol: found.call.symbol,
      expiry: expiryCode(series.chain.expiry),
      forward_price: forward === undefined ? null : roundHalfEven(forward.price, 4),
      forward_source: forward?.source ?? null,
      put_ltp: toNumber.price(found.putPrice),
      put_symbol: found.put.symbol,
      status: 'success' as const,
      synthetic_future_price: toNumber.price(found.price),
      underlying: input.underlying,
      underlying_ltp: toNumber.price(underlyingPrice),
    }
  },
})
