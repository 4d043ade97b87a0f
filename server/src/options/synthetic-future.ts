import { Refusal } from '../kernel/errors.ts'
import { timestampOf } from '../kernel/exchange-time.ts'
import { formatPrice, type Price, price } from '../kernel/fixed.ts'
import type { Instrument } from '../market/instrument.ts'
import type { OptionChain } from '../market/option-chain-index.ts'
import { expiryCode } from '../market/symbol.ts'
import { type Forward, type Pair, pairsAround } from './forward.ts'
import type { Forwards } from './forwards.ts'
import { atTheMoney, type OptionSeries } from './offset.ts'
import type { QuoteSheet } from './quote-sheet.ts'
import { PRICE_AGE_MAX_MS } from './reference-price.ts'

/** A future made of a call that is bought and a put that is sold at one strike. */
export interface SyntheticFuture {
  readonly strike: Price
  readonly call: Instrument
  readonly put: Instrument
  readonly callPrice: Price
  readonly putPrice: Price
  /** Strike + call - put, at last prices. */
  readonly price: Price
  readonly underlyingPrice: Price
  /** The forward of these options, to compare with. */
  readonly forward: Forward | undefined
}

/**
 * The synthetic future at the strike nearest to the price of the underlying that has both a call and a put. Throws
 * option_not_found without such a strike, and quote_unavailable unless all three prices are fresh.
 */
export async function syntheticFuture(forwards: Forwards, series: OptionSeries): Promise<SyntheticFuture> {
  const { reference, chain } = series
  const last = forwards.lastPrice(reference)
  const expected = last === undefined ? undefined : moneyPair(chain, last)
  const also = expected === undefined ? [] : [expected.call, expected.put]
  const { sheet, forwards: found } = await forwards.read([series], [reference, ...also], 0)
  const underlyingPrice = sheet.referencePrice(reference)
  if (underlyingPrice instanceof Refusal) throw underlyingPrice
  const pair = moneyPair(chain, underlyingPrice)
  if (pair === undefined) {
    throw new Refusal(
      'option_not_found',
      `No strike of ${series.base} expiring ${expiryCode(chain.expiry)} has both a call and a put.`,
    )
  }
  const { strike, call, put } = pair
  await sheet.ask([call, put])
  const callPrice = legPrice(sheet, call, 'Call')
  const putPrice = legPrice(sheet, put, 'Put')
  const [forward] = found
  return {
    strike,
    call,
    put,
    callPrice,
    putPrice,
    price: price(strike + callPrice - putPrice),
    underlyingPrice,
    forward: forward instanceof Refusal ? undefined : forward,
  }
}

function moneyPair(chain: OptionChain, money: Price): Pair | undefined {
  const pairs = pairsAround(chain, money)
  return pairs[
    atTheMoney(
      pairs.map(({ strike }) => strike),
      money,
    )
  ]
}

function legPrice(sheet: QuoteSheet, option: Instrument, type: 'Call' | 'Put'): Price {
  const fresh = sheet.price(option)
  if (fresh !== undefined) return fresh
  const failed = `Could not fetch LTP for ${type} option: ${option.symbol}.`
  const quote = sheet.quote(option)
  if (quote instanceof Refusal) throw new Refusal(quote.code, `${failed} ${quote.message}`)
  const why =
    quote.ltp > 0
      ? `Its last price, ${formatPrice(quote.ltp)}, is of ${timestampOf(quote.at)}; at most ${PRICE_AGE_MAX_MS / 1000} s count.`
      : 'It has no last price.'
  throw new Refusal('quote_unavailable', `${failed} ${why}`)
}
