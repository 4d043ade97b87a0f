import { PRICE_DECIMALS, parseDecimal } from '../kernel/fixed.ts'
import { countBits, forEachBit, GramIndex } from './gram-index.ts'
import { EXCHANGES, type Exchange, type Instrument } from './instrument.ts'
import type { InstrumentStore } from './instrument-store.ts'

/** Most instruments of one answer. */
export const SEARCH_RESULTS_MAX = 500
/** A longer query matches nothing. */
export const QUERY_LENGTH_MAX = 256
/** A query of more words matches nothing. */
export const QUERY_WORDS_MAX = 12

export interface SearchResult {
  /** Best first, at most the limit. */
  readonly instruments: readonly Instrument[]
  /** All instruments that match. */
  readonly total: number
}

interface Term {
  readonly text: string
  /** Strike that the term names, or NaN. */
  readonly strike: number
}

const NOTHING: SearchResult = { instruments: [], total: 0 }

/**
 * Finds instruments by words. Every word must occur in the symbol, the name, the source's symbol or the token, or be
 * the strike. Symbols that begin with the whole query (without blanks) come first, then those that hold every word,
 * then the rest; among equals the shorter symbol, then the alphabet, then the order of the store.
 *
 * Rows are numbered by that last order, so that walking a set of rows upwards meets the best first.
 */
export class SymbolSearch {
  readonly #store: InstrumentStore
  /** Row of the store by rank. */
  readonly #rows: Uint32Array
  readonly #strikes: Float64Array
  readonly #grams: GramIndex
  readonly #exchangeRanks: readonly Uint32Array[]
  readonly #ranksByBeginning: ReadonlyMap<string, readonly number[]>

  constructor(store: InstrumentStore) {
    this.#store = store
    this.#rows = rankedRows(store)
    const { size } = store
    this.#strikes = new Float64Array(size)
    this.#grams = new GramIndex(size, (rank) => searchedText(store, this.#rows[rank] ?? 0))
    const exchangeRanks = EXCHANGES.map(() => new Uint32Array(Math.ceil(size / 32)))
    const beginnings = new Map<string, number[]>()
    for (let rank = 0; rank < size; rank += 1) {
      const row = this.#rows[rank] ?? 0
      const symbol = store.symbolAt(row)
      this.#strikes[rank] = store.strikeAt(row)
      const bits = exchangeRanks[store.exchangeNumberAt(row)]
      if (bits !== undefined) bits[rank >>> 5] = (bits[rank >>> 5] ?? 0) | (1 << (rank & 31))
      keep(beginnings, symbol.slice(0, 1), rank)
      if (symbol.length > 1) keep(beginnings, symbol.slice(0, 2), rank)
    }
    this.#exchangeRanks = exchangeRanks
    this.#ranksByBeginning = beginnings
  }

  /** The best matches of one exchange, or of all; none for a blank query. */
  search(query: string, exchange?: Exchange, limit: number = SEARCH_RESULTS_MAX): readonly Instrument[] {
    return this.find(query, exchange, limit).instruments
  }

  /** As `search`, and how many match in all. */
  find(query: string, exchange?: Exchange, limit: number = SEARCH_RESULTS_MAX): SearchResult {
    const terms = termsOf(query)
    if (terms.length === 0) return NOTHING
    const hits = this.#hits(terms, exchange)
    const wanted = Math.min(limit, SEARCH_RESULTS_MAX)
    const ranks = this.#best(hits, terms, wanted)
    return {
      instruments: ranks.map((rank) => this.#store.at(this.#rows[rank] ?? 0)),
      total: countBits(hits),
    }
  }

  /** Ranks that match every term. */
  #hits(terms: readonly Term[], exchange: Exchange | undefined): Uint32Array {
    const hits = exchange === undefined ? this.#grams.all() : this.#ranksOf(exchange).slice()
    for (const term of terms) {
      const { rows, isSure } = this.#grams.rowsWith(term.text)
      if (!isSure) this.#keepHolders(rows, term.text)
      if (!Number.isNaN(term.strike)) this.#addStrike(rows, term.strike)
      for (let word = 0; word < hits.length; word += 1) hits[word] = (hits[word] ?? 0) & (rows[word] ?? 0)
    }
    return hits
  }

  #keepHolders(ranks: Uint32Array, text: string): void {
    forEachBit(ranks, (rank) => {
      const holds = searchedText(this.#store, this.#rows[rank] ?? 0).includes(text)
      if (!holds) ranks[rank >>> 5] = (ranks[rank >>> 5] ?? 0) & ~(1 << (rank & 31))
      return true
    })
  }

  #ranksOf(exchange: Exchange): Uint32Array {
    return this.#exchangeRanks[EXCHANGES.indexOf(exchange)] ?? new Uint32Array(Math.ceil(this.#store.size / 32))
  }

  #addStrike(ranks: Uint32Array, strike: number): void {
    const strikes = this.#strikes
    for (let rank = 0; rank < strikes.length; rank += 1) {
      if (strikes[rank] === strike) ranks[rank >>> 5] = (ranks[rank >>> 5] ?? 0) | (1 << (rank & 31))
    }
  }

  #best(hits: Uint32Array, terms: readonly Term[], limit: number): number[] {
    const whole = terms.map((term) => term.text).join('')
    const best: number[] = []
    for (const rank of this.#ranksByBeginning.get(whole.slice(0, 2)) ?? []) {
      if (best.length >= limit) return best
      if (isSet(hits, rank) && this.#symbol(rank).startsWith(whole)) best.push(rank)
    }
    const rest: number[] = []
    forEachBit(hits, (rank) => {
      if (best.length >= limit) return false
      const symbol = this.#symbol(rank)
      if (symbol.startsWith(whole)) return true
      if (terms.every((term) => symbol.includes(term.text))) best.push(rank)
      else if (rest.length < limit) rest.push(rank)
      return true
    })
    return best.length >= limit ? best : best.concat(rest.slice(0, limit - best.length))
  }

  #symbol(rank: number): string {
    return this.#store.symbolAt(this.#rows[rank] ?? 0)
  }
}

const isSet = (bits: Uint32Array, rank: number): boolean => ((bits[rank >>> 5] ?? 0) & (1 << (rank & 31))) !== 0

function keep(map: Map<string, number[]>, key: string, rank: number): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [rank])
  else list.push(rank)
}

function termsOf(query: string): Term[] {
  if (query.length > QUERY_LENGTH_MAX) return []
  const words = query.toUpperCase().split(/\s+/).filter(Boolean)
  if (words.length > QUERY_WORDS_MAX) return []
  return words.map((text) => {
    const value = parseDecimal(text, PRICE_DECIMALS)
    return { text, strike: typeof value === 'number' && value > 0 ? value : Number.NaN }
  })
}

/** Rows by length of symbol, then symbol, then row. */
function rankedRows(store: InstrumentStore): Uint32Array {
  const byLength: { symbol: string; row: number }[][] = []
  for (let row = 0; row < store.size; row += 1) {
    const symbol = store.symbolAt(row)
    const bucket = byLength[symbol.length] ?? []
    byLength[symbol.length] = bucket
    bucket.push({ symbol, row })
  }
  const ranked = new Uint32Array(store.size)
  let rank = 0
  for (const bucket of byLength) {
    if (bucket === undefined) continue
    bucket.sort((a, b) => (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : a.row - b.row))
    for (const { row } of bucket) {
      ranked[rank] = row
      rank += 1
    }
  }
  return ranked
}

/** All that words are looked for in, in upper case; texts that the symbol holds anyway are left out. */
function searchedText(store: InstrumentStore, row: number): string {
  const { symbol, name, sourceSymbol, token } = store.searchTexts(row)
  const texts = [symbol, token]
  if (!symbol.startsWith(name)) texts.push(name.toUpperCase())
  // Words have no blanks, so a source symbol that is the symbol with blanks adds nothing.
  if (sourceSymbol !== symbol && !isSpaced(sourceSymbol, symbol)) texts.push(sourceSymbol.toUpperCase())
  return texts.join('\n')
}

/** True when `text` is `compact` with blanks in it. */
function isSpaced(text: string, compact: string): boolean {
  let place = 0
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i)
    if (code === BLANK) continue
    if (code !== compact.charCodeAt(place)) return false
    place += 1
  }
  return place === compact.length
}

const BLANK = 32
