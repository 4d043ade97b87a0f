import { dateOf } from '../../kernel/exchange-time.ts'
import {
  MULTIPLIER_ONE,
  type Multiplier,
  multiplierOf,
  PRICE_ONE,
  type Price,
  price,
  priceOf,
  type Quantity,
  quantityOf,
  ZERO_PRICE,
  ZERO_QUANTITY,
} from '../../kernel/fixed.ts'
import type { Exchange, Instrument, InstrumentKind } from '../instrument.ts'
import { expiryCode } from '../symbol.ts'

/** What all contracts of an underlying have in common. Quantities in units, the tick in the quote currency. */
export interface Terms {
  readonly exchange: Exchange
  readonly lot: number
  readonly freeze: number
  readonly tick: number
  readonly multiplier?: string
}

/**
 * The permanent number of an instrument: 52 bits of a hash of its exchange and symbol. It depends on nothing else, so
 * it outlives every rebuild of the universe; the store refuses a universe in which two were equal.
 */
export const instrumentId = (symbol: string, exchange: Exchange): number => new IdHash(exchange).add(symbol).id()

/** The hash behind `instrumentId` in pieces: symbols of one chain share their beginning. */
class IdHash {
  #low: number
  #high: number

  constructor(exchange: string) {
    this.#low = 0x811c9dc5
    this.#high = 0x9747b28c
    this.add(exchange).add(':')
  }

  add(text: string): this {
    let low = this.#low
    let high = this.#high
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i)
      low = Math.imul(low ^ code, 0x01000193)
      high = Math.imul(high ^ code, 0x5bd1e995)
      high ^= high >>> 15
    }
    this.#low = low
    this.#high = high
    return this
  }

  /** Sets this hash to where `other` stands. */
  restart(other: IdHash): this {
    this.#low = other.#low
    this.#high = other.#high
    return this
  }

  id(): number {
    let low = this.#low ^ (this.#low >>> 15)
    low = Math.imul(low, 0x2c1b3c6d)
    low ^= low >>> 12
    return (this.#high & 0xfffff) * 4_294_967_296 + (low >>> 0)
  }
}

/** A share, an index, a spot pair or a perpetual. */
export function cash(
  symbol: string,
  exchange: Exchange,
  kind: InstrumentKind,
  name: string,
  terms: { readonly lot: number | string; readonly tick: number; readonly multiplier?: string },
): Instrument {
  const id = instrumentId(symbol, exchange)
  return {
    id,
    symbol,
    exchange,
    kind,
    name,
    expiry: undefined,
    strike: ZERO_PRICE,
    lotSize: quantityOf(terms.lot),
    tickSize: priceOf(decimal(terms.tick)),
    freezeQuantity: ZERO_QUANTITY,
    multiplier: terms.multiplier === undefined ? MULTIPLIER_ONE : multiplierOf(terms.multiplier),
    token: String(id),
    sourceSymbol: symbol,
    sourceExchange: exchange,
  }
}

export function futureOf(root: string, expiryDay: number, terms: Terms): Instrument {
  return contract(root, expiryDay, terms)(0, 'FUT')
}

/** Maker of the contracts of one underlying and expiry. A strike of 0 belongs to a future. */
export function contract(
  root: string,
  expiryDay: number,
  terms: Terms,
): (strike: number, kind: 'FUT' | 'CE' | 'PE') => Instrument {
  const expiry = dateOf(expiryDay)
  const code = expiryCode(expiry)
  const lotSize: Quantity = quantityOf(terms.lot)
  const freezeQuantity: Quantity = quantityOf(terms.freeze)
  const tickSize: Price = priceOf(decimal(terms.tick))
  const multiplier: Multiplier = terms.multiplier === undefined ? MULTIPLIER_ONE : multiplierOf(terms.multiplier)
  const { exchange } = terms
  const prefix = `${root}${code}`
  const sourcePrefix = `${root} ${code} `
  const begun = new IdHash(exchange).add(prefix)
  const hash = new IdHash(exchange)
  return (strike, kind) => {
    const tail = strike === 0 ? kind : `${strike}${kind}`
    const symbol = prefix + tail
    const id = hash.restart(begun).add(tail).id()
    return {
      id,
      symbol,
      exchange,
      kind,
      name: root,
      expiry,
      strike: price(Math.round(strike * PRICE_ONE)),
      lotSize,
      tickSize,
      freezeQuantity,
      multiplier,
      token: String(id),
      sourceSymbol: sourcePrefix + tail,
      sourceExchange: exchange,
    }
  }
}

/** Decimal text without an exponent, for ticks as small as 0.00001. */
const decimal = (value: number): string => value.toFixed(8)
