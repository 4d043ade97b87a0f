import Type from 'typebox'
import { toNumber } from '../../kernel/fixed.ts'
import { expiryLabel } from '../../market/symbol.ts'
import { openExpiries, openFutureExpiries } from '../../options/index.ts'
import { choice, text } from '../field.ts'
import { asBody } from '../json-text.ts'
import { defineOperation } from '../operation.ts'
import {
  expiryDate,
  offset,
  optionType,
  RESOLUTION_REFUSALS,
  strikeInterval,
  underlying,
  underlyingExchange,
} from './option-fields.ts'

/** In the order in which clients know them. */
const CONTRACT_EXCHANGES = ['NFO', 'BFO', 'MCX', 'CDS', 'NCO', 'BCD', 'NCDEX', 'CRYPTO'] as const

/** Names that a message about an unknown underlying offers. */
const OFFERED_MAX = 3

export const expiry = defineOperation({
  name: 'expiry',
  method: 'POST',
  tag: 'Symbols',
  summary: 'Expiries of an underlying',
  description: 'Days on which its futures or options expire, the next one first. A day is gone once they have closed.',
  access: 'read',
  rateClass: 'read',
  input: {
    symbol: text({
      min: 1,
      max: 50,
      rule: 'Symbol parameter is required and cannot be empty.',
      canonical: true,
      description: 'Root of the contracts, such as NIFTY or CRUDEOIL.',
      example: 'NIFTY',
    }),
    exchange: choice(CONTRACT_EXCHANGES, { description: 'Exchange of the contracts.' }),
    instrumenttype: choice(['futures', 'options'], { description: 'Which contracts.' }),
  },
  output: Type.Object({
    data: Type.Array(Type.String({ description: '`DD-MMM-YY`.' })),
    message: Type.String(),
    status: Type.Literal('success'),
  }),
  example: { symbol: 'NIFTY', exchange: 'NFO', instrumenttype: 'options' },
  handle({ symbol, exchange, instrumenttype }, { services }) {
    const listed = services.optionLookups.listed()
    const open =
      instrumenttype === 'options'
        ? openExpiries(listed, symbol, exchange)
        : openFutureExpiries(listed, symbol, exchange)
    const what = `${symbol} ${instrumenttype} in ${exchange}`
    const data = open.map(expiryLabel)
    if (data.length > 0)
      return { data, message: `Found ${data.length} expiry dates for ${what}`, status: 'success' as const }
    const alike = listed.store.nearestOptionRoots(symbol, exchange, OFFERED_MAX).filter((name) => name !== symbol)
    const hint = alike.length === 0 ? '' : `. Did you mean ${alike.join(' or ')}?`
    return { data, message: `No expiry dates found for ${what}${hint}`, status: 'success' as const }
  },
})

export const optionsymbol = defineOperation({
  name: 'optionsymbol',
  method: 'POST',
  tag: 'Symbols',
  summary: 'The option at an offset from the money',
  description:
    'Of the strikes that are listed, the one nearest to the last price of the underlying is at the money (of two that are equally near, the lower). The price is that of the index or share; for commodities and currencies that of the future which expires with the options or next after them, or which `underlying` names; for coins that of the perpetual.',
  access: 'read',
  rateClass: 'read',
  input: {
    underlying,
    exchange: underlyingExchange,
    expiry_date: expiryDate,
    offset,
    option_type: optionType,
    strike_int: strikeInterval,
  },
  ignored: { strategy: 'has no effect on a look-up' },
  output: Type.Object({
    status: Type.Literal('success'),
    symbol: Type.String(),
    exchange: Type.String(),
    lotsize: Type.Number(),
    tick_size: Type.Number(),
    freeze_qty: Type.Number({ description: 'Largest quantity of one order; 1 when the exchange sets none.' }),
    underlying_ltp: Type.Number({ description: 'Price by which the strike was chosen.' }),
  }),
  example: {
    underlying: 'NIFTY',
    exchange: 'NSE_INDEX',
    expiry_date: '25AUG26',
    offset: 'ATM',
    option_type: 'CE',
  },
  refusals: RESOLUTION_REFUSALS,
  async handle(input, { services }) {
    const { option, underlyingPrice } = await services.optionLookups.resolve(
      { underlying: input.underlying, exchange: input.exchange, expiry: input.expiry_date },
      { offset: input.offset.offset, type: input.option_type, strikeInterval: input.strike_int },
    )
    // Clients know these keys in this order, not in that of the alphabet
    const answer = {
      status: 'success',
      symbol: option.symbol,
      exchange: option.exchange,
      lotsize: toNumber.quantity(option.lotSize),
      tick_size: toNumber.price(option.tickSize),
      freeze_qty: option.freezeQuantity === 0 ? 1 : toNumber.quantity(option.freezeQuantity),
      underlying_ltp: toNumber.price(underlyingPrice),
    }
    return asBody(JSON.stringify(answer))
  },
})
