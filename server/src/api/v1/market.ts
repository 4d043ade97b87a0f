import Type, { type Static } from 'typebox'
import { assert } from '../../kernel/assert.ts'
import { Refusal } from '../../kernel/errors.ts'
import { toNumber } from '../../kernel/fixed.ts'
import type { Exchange, Instrument } from '../../market/instrument.ts'
import { DEPTH_LEVELS, type Depth, type DepthLevel, type Quote } from '../../market/market-data.ts'
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
  volume: Type.Number(),
})

const quoteData = (quote: Quote): Static<typeof QuoteData> => ({
  ask: toNumber.price(quote.ask),
  bid: toNumber.price(quote.bid),
  high: toNumber.price(quote.high),
  low: toNumber.price(quote.low),
  ltp: toNumber.price(quote.ltp),
  oi: toNumber.quantity(quote.openInterest),
  open: toNumber.price(quote.open),
  prev_close: toNumber.price(quote.prevClose),
  volume: toNumber.quantity(quote.volume),
})

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
  refusals: ['symbol_not_found', 'quote_unavailable'],
  async handle(input, { services }) {
    const instrument = instrumentOf(services.instruments, input)
    const [quote] = await services.marketData.quotes([instrument])
    assert(quote !== undefined, 'a source answers every instrument it is asked for')
    if (quote instanceof Error) throw quote
    return { data: quoteData(quote), status: 'success' as const }
  },
})

const QuoteResult = Type.Object({
  data: Type.Optional(QuoteData),
  error: Type.Optional(Type.String({ description: 'Why there is no `data`.' })),
  exchange: Type.String(),
  symbol: Type.String(),
})

export const multiquotes = defineOperation({
  name: 'multiquotes',
  method: 'POST',
  tag: 'Market data',
  summary: 'Quotes of many instruments',
  description:
    `Quotes of up to ${QUOTED_SYMBOLS_MAX} instruments, in the order of the request. An instrument without a quote ` +
    'has `error` instead of `data`; the request fails only when no symbol is known.',
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
  refusals: ['symbol_not_found'],
  async handle({ symbols }, { services }) {
    const found = lookUpAll(services.instruments, symbols)
    const known = found.filter((entry) => typeof entry !== 'string')
    if (known.length === 0) {
      const invalid = symbols.map((wanted, index) => ({ error: found[index], ...wanted }))
      throw new Refusal('symbol_not_found', String(found[0]), { extra: { invalid_symbols: invalid } })
    }
    const quoted = await services.marketData.quotes(known)
    assert(quoted.length === known.length, 'a source answers every instrument it is asked for')
    let next = 0
    const results = symbols.map((wanted, index) => {
      const entry = found[index]
      return typeof entry === 'string' ? { error: entry, ...wanted } : { ...quoteOrError(quoted[next++]), ...wanted }
    })
    return { results, status: 'success' as const }
  },
})

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

function quoteOrError(quote: Quote | Error | undefined): { data: Static<typeof QuoteData> } | { error: string } {
  if (quote instanceof Refusal) return { error: quote.message }
  if (quote === undefined || quote instanceof Error) throw quote // a bug of the source, not a missing quote
  return { data: quoteData(quote) }
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

function depthData(found: Depth): Static<typeof DepthData> {
  const { high, low, ltp, oi, open, prev_close, volume } = quoteData(found)
  return {
    asks: levels(found.asks),
    bids: levels(found.bids),
    high,
    low,
    ltp,
    ltq: toNumber.quantity(found.lastQuantity),
    oi,
    open,
    prev_close,
    totalbuyqty: toNumber.quantity(found.totalBuyQuantity),
    totalsellqty: toNumber.quantity(found.totalSellQuantity),
    volume,
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
  refusals: ['symbol_not_found', 'quote_unavailable'],
  async handle(input, { services }) {
    const found = await services.marketData.depth(instrumentOf(services.instruments, input))
    return { data: depthData(found), status: 'success' as const }
  },
})
