import type { Action, Product } from '../brokers/venue.ts'
import {
  type BrokerageTerms,
  type ChargedTrade,
  type ChargeTerms,
  chargeTermsOf,
  segmentOf,
  settlementTermsOf,
} from '../charges/index.ts'
import { dateAt, type ExchangeDate } from '../kernel/exchange-time.ts'

/**
 * What is charged for orders by the rates of their day. It is written into their commands, and replaying those doesn't
 * ask here. The same terms are the same object, so that their text is made once.
 */
export class ChargeTable {
  readonly #brokerage: BrokerageTerms
  readonly #known = new Map<string, ChargeTerms>()
  #date: ExchangeDate = ''

  constructor(brokerage: BrokerageTerms) {
    this.#brokerage = brokerage
  }

  ofOrder(instrument: ChargedTrade['instrument'], action: Action, product: Product, at: number): ChargeTerms {
    const date = this.#dateAt(at)
    const key = `${instrument.exchange}:${segmentOf(instrument, product)}:${action}`
    let terms = this.#known.get(key)
    if (terms === undefined) {
      terms = chargeTermsOf({ instrument, action, product }, this.#brokerage, date)
      this.#known.set(key, terms)
    }
    return terms
  }

  /** Of the order that settles a contract at its expiry. */
  ofSettlement(instrument: ChargedTrade['instrument'], action: Action, product: Product, at: number): ChargeTerms {
    return settlementTermsOf({ instrument, action, product }, dateAt(at))
  }

  #dateAt(at: number): ExchangeDate {
    const date = dateAt(at)
    if (date !== this.#date) this.#known.clear()
    this.#date = date
    return date
  }
}
