import Type, { type Static } from 'typebox'
import { assert } from '../../kernel/assert.ts'
import { Refusal } from '../../kernel/errors.ts'
import { toNumber } from '../../kernel/fixed.ts'
import type { Exchange, Instrument } from '../../market/instrument.ts'
import { DEPTH_LEVELS, type Depth, type DepthLevel, type Quote } from '../../market/market-data.ts'
import { isSourceFailure, type Quotes, STALE_AFTER_MS } from '../../market/quotes/index.ts'
import { list, object } from '../field.ts'
import { defineOperation } from '../operation.ts'
import type { Instruments } from '../services.ts'
import { instrumentOf, symbolHint, unknownSymbol } from './find-instrument.ts'
import { exchange, symbol } from './instrument-fields.ts'

/** Instruments of one `multiquotes` request. */
export const QUOTED_SYMBOLS_MAX = 500

const QuoteData = Type.Object({
  ask: Type.Number({ description: 'Best offer; 0 when there is none.' }),
  bid: Type.Number({ description: 'Best bid; 0 when there is none.' }),
  high: Type.Number(),
  low: Type.Number(),
  ltp: Type.Number({ description: 'Last traded price.' }),
  oi: Type.Number({ description: 'Open interest; 0 outside derivatives.' }),
  open: Type.Number(),
  prev_close: Type.Number({ description: 'Close of the session before.' }),
  stale: Type.Optional(
    Type.Literal(true, {
      description: `There when the data are more than ${STALE_AFTER_MS / 1000} seconds old while the exchange is open.`,
    }),
  ),
  timestamp: Type.Number({ description: 'Instant of the data, not of the request: seconds since 1970.' }),
  volume: Type.Number(),
})

function quoteData(quotes: Quotes, instrument: Instrument, quote: Quote): Static<typeof QuoteData> {
  const data: Static<typeof QuoteData> = {
    ask: toNumber.price(quote.ask),
    bid: toNumber.price(quote.bid),
    high: toNumber.price(quote.high),
    low: toNumber.price(quote.low),
    ltp: toNumber.price(quote.ltp),
    oi: toNumber.quantity(quote.openInterest),
    open: toNumber.price(quote.open),
    prev_close: toNumber.price(quote.prevClose),
    timestamp: quote.at / 1000,
    volume: toNumber.quantity(quote.volume),
  }
  if (quotes.isStale(instrument, quote)) data.stale = true
  return data
}

/** Calls `then` with what may have to be waited for, without a wait when it needn't. */
const after = <T, R>(answer: T | Promise<T>, then: (answer: T) => R): R | Promise<R> =>
  answer instanceof Promise ? answer.then(then) : then(answer)

/** What every price's instrument may be refused with. */
const PRICE_REFUSALS = ['quote_unavailable', 'source_slow', 'source_down', 'not_subscribed', 'overloaded'] as const

export const quotes = defineOperation({
  name: 'quotes',
  method: 'POST',
  tag: 'Market data',
  summary: 'Quote of one instrument',
  description: 'Last price, best bid and offer, and the figures of the day.',
  access: 'read',
  rateClass: 'read',
  input: { symbol: symbol(), exchange: exchange() },
  output: Type.Object({ data: QuoteData, status: Type.Literal('success') }),
  example: { symbol: 'SBIN', exchange: 'NSE' },
  refusals: ['symbol_not_found', ...PRICE_REFUSALS],
  handle(input, { services: { instruments, quotes } }) {
    const instrument = instrumentOf(instruments, input)
    return after(quotes.quote(instrument), (quote) => {
      if (quote instanceof Refusal) throw quote
      return { data: quoteData(quotes, instrument, quote), status: 'success' as const }
    })
  },
})

const QuoteResult = Type.Object({
  code: Type.Optional(Type.String({ description: 'For programs: why there is no `data`.' })),
  data: Type.Optional(QuoteData),
  error: Type.Optional(Type.String({ description: 'Why there is no `data`.' })),
  exchange: Type.String(),
  symbol: Type.String(),
})

export const multiquotes = defineOperation({
  name: 'multiquotes',
  alsoAt: 'quotes/batch',
  method: 'POST',
  tag: 'Market data',
  summary: 'Quotes of many instruments',
  description:
    `Quotes of up to ${QUOTED_SYMBOLS_MAX} instruments, in the order of the request. An instrument without a quote ` +
    'has `error` and `code` instead of `data`; the request fails only when no symbol is known, or when the source of ' +
    'prices fails for all of them.',
  access: 'read',
  rateClass: 'read',
  input: {
    symbols: list(object({ symbol: symbol(), exchange: exchange() }), { min: 1, max: QUOTED_SYMBOLS_MAX }),
  },
  output: Type.Object({ results: Type.Array(QuoteResult), status: Type.Literal('success') }),
  example: {
    symbols: [
      { symbol: 'SBIN', exchange: 'NSE' },
      { symbol: 'RELIANCE', exchange: 'NSE' },
    ],
  },
  refusals: ['symbol_not_found', 'source_slow', 'source_down', 'not_subscribed', 'overloaded'],
  handle({ symbols }, { services: { instruments, quotes } }) {
    const found = lookUpAll(instruments, symbols)
    const known = found.filter((entry) => typeof entry !== 'string')
    if (known.length === 0) {
      const invalid = symbols.map((wanted, index) => ({ error: found[index], ...wanted }))
      throw new Refusal('symbol_not_found', String(found[0]), { extra: { invalid_symbols: invalid } })
    }
    return after(quotes.quotes(known), (quoted) => {
      assert(quoted.length === known.length, 'every known instrument has a quote or a reason')
      throwIfSourceFailed(quoted)
      let next = 0
      const results = symbols.map((wanted, index) => {
        const entry = found[index]
        if (typeof entry === 'string') return { code: 'symbol_not_found', error: entry, ...wanted }
        const quote = quoted[next++]
        assert(entry !== undefined && quote !== undefined, 'there is one of each symbol')
        if (quote instanceof Refusal) return { code: quote.code, error: quote.message, ...wanted }
        return { data: quoteData(quotes, entry, quote), ...wanted }
      })
      return { results, status: 'success' as const }
    })
  },
})

/** A source that has nothing for anybody is no answer of many errors, but a failure. */
function throwIfSourceFailed(quoted: readonly (Quote | Refusal)[]): void {
  const [first] = quoted
  const failed = quoted.every((quote) => quote instanceof Refusal && isSourceFailure(quote))
  if (failed && first instanceof Refusal) throw first
}

/** Unknown symbols of one request that get a hint; looking for a near name costs far more than finding one. */
const HINTED_SYMBOLS_MAX = 5

/** The instrument for each symbol, or what to tell the client about it. */
function lookUpAll(
  instruments: Instruments,
  symbols: readonly { symbol: string; exchange: Exchange }[],
): (Instrument | string)[] {
  let unknown = 0
  return symbols.map(({ symbol: name, exchange: place }) => {
    const found = instruments.find(name, place)
    if (found !== undefined) return found
    unknown += 1
    const hint = unknown <= HINTED_SYMBOLS_MAX ? symbolHint(instruments, name, place) : ''
    return unknownSymbol(name, place) + hint
  })
}

const Level = Type.Object({ price: Type.Number(), quantity: Type.Number() })

const DepthData = Type.Object({
  asks: Type.Array(Level, { description: `${DEPTH_LEVELS} levels, best first, padded with zeros.` }),
  bids: Type.Array(Level, { description: `${DEPTH_LEVELS} levels, best first, padded with zeros.` }),
  high: Type.Number(),
  low: Type.Number(),
  ltp: Type.Number({ description: 'Last traded price.' }),
  ltq: Type.Number({ description: 'Last traded quantity.' }),
  oi: Type.Number(),
  open: Type.Number(),
  prev_close: Type.Number(),
  stale: QuoteData.properties.stale,
  timestamp: QuoteData.properties.timestamp,
  totalbuyqty: Type.Number(),
  totalsellqty: Type.Number(),
  volume: Type.Number(),
})

const levels = (side: readonly DepthLevel[]): Static<typeof Level>[] =>
  Array.from({ length: DEPTH_LEVELS }, (_, index) => {
    const level = side[index]
    return level === undefined
      ? { price: 0, quantity: 0 }
      : { price: toNumber.price(level.price), quantity: toNumber.quantity(level.quantity) }
  })

function depthData(quotes: Quotes, instrument: Instrument, found: Depth): Static<typeof DepthData> {
  const { ask: _ask, bid: _bid, ...figures } = quoteData(quotes, instrument, found)
  return {
    ...figures,
    asks: levels(found.asks),
    bids: levels(found.bids),
    ltq: toNumber.quantity(found.lastQuantity),
    totalbuyqty: toNumber.quantity(found.totalBuyQuantity),
    totalsellqty: toNumber.quantity(found.totalSellQuantity),
  }
}

export const depth = defineOperation({
  name: 'depth',
  method: 'POST',
  tag: 'Market data',
  summary: 'Market depth of one instrument',
  description: `The best ${DEPTH_LEVELS} bids and offers with the figures of the day.`,
  access: 'read',
  rateClass: 'read',
  input: { symbol: symbol(), exchange: exchange() },
  output: Type.Object({ data: DepthData, status: Type.Literal('success') }),
  example: { symbol: 'SBIN', exchange: 'NSE' },
  refusals: ['symbol_not_found', ...PRICE_REFUSALS],
  handle(input, { services: { instruments, quotes } }) {
    const instrument = instrumentOf(instruments, input)
    return after(quotes.depth(instrument), (found) => {
      if (found instanceof Refusal) throw found
      return { data: depthData(quotes, instrument, found), status: 'success' as const }
    })
  },
})
