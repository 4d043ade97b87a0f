import type { ExchangeDate } from '../kernel/exchange-time.ts'
import { dayNumberOf } from '../kernel/exchange-time.ts'
import type { Price } from '../kernel/fixed.ts'
import { nearestNames } from '../kernel/nearest.ts'
import { BestOf } from './best-of.ts'
import { countBits, forEachBit, GramIndex } from './gram-index.ts'
import { EXCHANGES, type Exchange, INSTRUMENT_KINDS, type Instrument, type InstrumentKind } from './instrument.ts'
import type { InstrumentStore } from './instrument-store.ts'
import { NO_EXPIRY } from './instruments/columns.ts'
import { NameWords, type Term, termOf, termsOf, WholePart } from './search-terms.ts'

export { QUERY_LENGTH_MAX } from './search-terms.ts'

/** Most instruments of one answer. */
export const SEARCH_RESULTS_MAX = 500

export interface SearchFilter {
  readonly exchange?: Exchange | undefined
  readonly kind?: InstrumentKind | undefined
  /** Root of a contract, exactly. */
  readonly underlying?: string | undefined
  readonly expiry?: ExchangeDate | undefined
  /** Options whose strike is at least, or at most, this one. */
  readonly strikeMin?: Price | undefined
  readonly strikeMax?: Price | undefined
}

export interface SearchResult {
  /** Best first, at most the limit. */
  readonly instruments: readonly Instrument[]
  /** All instruments that match. */
  readonly total: number
  /** Nothing matched as it was written: these match words that look like it. */
  readonly isSimilar: boolean
}

const NOTHING: SearchResult = { instruments: [], total: 0, isSimilar: false }

/** Shorter words look like too many others. */
const CORRECTED_LETTERS_MIN = 3
/** Words that are tried in place of one that nothing has, and ways to put them together. */
const CORRECTIONS_MAX = 3
const CORRECTED_QUERIES_MAX = 9

const CONTRACT_KINDS: ReadonlySet<InstrumentKind> = new Set(['FUT', 'CE', 'PE', 'PERPFUT'])

/** A rank is less than this, so a day and a rank fit into one number, which is compared faster than both. */
const RANKS = 2 ** 20
const ascending = (a: number, b: number): number => a - b

/**
 * Finds instruments by words. Every word must occur in the symbol, the name, the source's symbol or the token, or be
 * the strike. Symbols that begin with the whole query (without blanks) come first; then, of several words, instruments of
 * which every word is a whole part (NIFTY 26000 CE), the nearest expiry first; then symbols that hold every word, then
 * the rest; among equals the shorter symbol, then the alphabet, then the order of the store. Without words, what fits the
 * filter is in the order of a list: exchange, underlying, expiry, strike.
 *
 * Rows are numbered by symbol, the shorter first, so that walking a set of rows upwards meets the best first.
 */
export class SymbolSearch {
  readonly #store: InstrumentStore
  /** Row of the store by rank. */
  readonly #rows: Uint32Array
  readonly #grams: GramIndex
  readonly #names: NameWords
  readonly #exchangeRanks: readonly Uint32Array[]
  readonly #ranksByBeginning: ReadonlyMap<string, readonly number[]>
  /** Words that a misspelt one may have meant, sorted; made when first needed. */
  #vocabulary: readonly string[] | undefined

  constructor(store: InstrumentStore) {
    this.#store = store
    this.#rows = rankedRows(store)
    const { size } = store
    this.#grams = new GramIndex(size, (rank) => searchedText(store, this.#rows[rank] ?? 0))
    this.#names = new NameWords(store)
    const exchangeRanks = EXCHANGES.map(() => new Uint32Array(Math.ceil(size / 32)))
    const beginnings = new Map<string, number[]>()
    for (let rank = 0; rank < size; rank += 1) {
      const row = this.#rows[rank] ?? 0
      const symbol = store.symbolAt(row)
      const bits = exchangeRanks[store.exchangeNumberAt(row)]
      if (bits !== undefined) setBit(bits, rank)
      keep(beginnings, symbol.slice(0, 1), rank)
      if (symbol.length > 1) keep(beginnings, symbol.slice(0, 2), rank)
    }
    this.#exchangeRanks = exchangeRanks
    this.#ranksByBeginning = beginnings
  }

  /** The best matches of one exchange, or of all; none for a blank query. */
  search(query: string, exchange?: Exchange, limit: number = SEARCH_RESULTS_MAX): readonly Instrument[] {
    return this.find(query, { exchange }, limit).instruments
  }

  /**
   * The best matches among what fits the filter, and how many there are. Typing errors are put right only when nothing
   * matches. A blank query finds all that fits the filter; nothing when there is none.
   */
  find(query: string, filter: SearchFilter = {}, limit: number = SEARCH_RESULTS_MAX): SearchResult {
    const terms = termsOf(query)
    const wanted = Math.min(limit, SEARCH_RESULTS_MAX)
    if (terms.length > 0) {
      const found = this.#find(terms, filter, wanted)
      return found.total > 0 ? found : this.#findSimilar(terms, filter, wanted)
    }
    if (query.trim() !== '' || Object.values(filter).every((value) => value === undefined)) return NOTHING
    const hits = this.#fitting(filter)
    const listed = new BestOf(wanted, (a, b) => this.#compareListed(a, b))
    forEachBit(hits, (rank) => {
      listed.add(rank)
      return true
    })
    return this.#result(listed.sorted(), hits)
  }

  #find(terms: readonly Term[], filter: SearchFilter, limit: number): SearchResult {
    const hits = this.#hits(terms, filter)
    return this.#result(this.#best(hits, terms, limit), hits)
  }

  #result(ranks: readonly number[], hits: Uint32Array): SearchResult {
    const instruments = ranks.map((rank) => this.#store.at(this.#rows[rank] ?? 0))
    return { instruments, total: countBits(hits), isSimilar: false }
  }

  /** What matches when the words that nothing has are replaced by ones that look like them. */
  #findSimilar(terms: readonly Term[], filter: SearchFilter, limit: number): SearchResult {
    let queries: Term[][] = [[]]
    for (const term of terms) {
      const meant = countBits(this.#hits([term], {})) > 0 ? [term] : this.#corrections(term, filter)
      queries = queries.flatMap((query) => meant.map((word) => [...query, word])).slice(0, CORRECTED_QUERIES_MAX)
    }
    const all = new Uint32Array(Math.ceil(this.#store.size / 32))
    const best = new Set<number>()
    for (const query of queries) {
      const hits = this.#hits(query, filter)
      for (let word = 0; word < all.length; word += 1) all[word] = (all[word] ?? 0) | (hits[word] ?? 0)
      for (const rank of this.#best(hits, query, limit)) if (best.size < limit) best.add(rank)
    }
    return { ...this.#result([...best], all), isSimilar: best.size > 0 }
  }

  #corrections({ text }: Term, { exchange }: SearchFilter): Term[] {
    if (text.length < CORRECTED_LETTERS_MIN || !/[A-Z]/.test(text)) return []
    this.#vocabulary ??= vocabularyOf(this.#store, this.#names)
    const words = nearestNames(text, this.#vocabulary, CORRECTIONS_MAX)
    if (words.length === 0 && exchange !== undefined)
      words.push(...this.#store.nearest(text, exchange, CORRECTIONS_MAX))
    return words.map(termOf)
  }

  /** Ranks that match every term and the filter. */
  #hits(terms: readonly Term[], filter: SearchFilter): Uint32Array {
    const hits = this.#fitting(filter)
    for (const term of terms) {
      const { rows, isSure } = this.#grams.rowsWith(term.text)
      if (!isSure) this.#keepHolders(rows, term.text)
      if (!Number.isNaN(term.strike)) this.#addStrike(rows, term.strike)
      for (let word = 0; word < hits.length; word += 1) hits[word] = (hits[word] ?? 0) & (rows[word] ?? 0)
    }
    return hits
  }

  /** Ranks that fit the filter; the caller may change them. */
  #fitting({ exchange, kind, underlying, expiry, strikeMin, strikeMax }: SearchFilter): Uint32Array {
    const fitting = exchange === undefined ? this.#grams.all() : this.#ranksOf(exchange).slice()
    const wantsStrike = strikeMin !== undefined || strikeMax !== undefined
    if (kind === undefined && underlying === undefined && expiry === undefined && !wantsStrike) return fitting
    const { kinds, names, expiryDays, strikes } = this.#store.columns
    const kindNumber = kind === undefined ? -1 : INSTRUMENT_KINDS.indexOf(kind)
    const day = expiry === undefined ? 0 : dayNumberOf(expiry)
    const [low, high] = [strikeMin ?? 0, strikeMax ?? Number.POSITIVE_INFINITY]
    const roots = underlying === undefined ? undefined : this.#rootsOf(underlying)
    forEachBit(fitting, (rank) => {
      const row = this.#rows[rank] ?? 0
      const strike = strikes[row] ?? 0
      const fits =
        (kind === undefined || kinds[row] === kindNumber) &&
        (expiry === undefined || expiryDays[row] === day) &&
        (!wantsStrike || (strike > 0 && strike >= low && strike <= high)) &&
        (roots === undefined || (roots.has(names[row] ?? -1) && this.#isContract(row)))
      if (!fits) clearBit(fitting, rank)
      return true
    })
    return fitting
  }

  #rootsOf(underlying: string): ReadonlySet<number> {
    const numbers = [...this.#names.numbersOf(underlying)]
    return new Set(numbers.filter((number) => this.#store.sharedText(number) === underlying))
  }

  #isContract(row: number): boolean {
    const kind = this.#store.kindAt(row)
    return kind !== undefined && CONTRACT_KINDS.has(kind)
  }

  /** Exchange, what doesn't expire, underlying, expiry, strike; calls before puts. */
  #compareListed(a: number, b: number): number {
    const store = this.#store
    const [first, second] = [this.#rows[a] ?? 0, this.#rows[b] ?? 0]
    const byExchange = store.exchangeNumberAt(first) - store.exchangeNumberAt(second)
    if (byExchange !== 0) return byExchange
    const [day, otherDay] = [store.expiryDayAt(first), store.expiryDayAt(second)]
    if (day === NO_EXPIRY || otherDay === NO_EXPIRY) return day === otherDay ? a - b : day === NO_EXPIRY ? -1 : 1
    const [name, otherName] = [store.nameAt(first), store.nameAt(second)]
    if (name !== otherName) return name < otherName ? -1 : 1
    return day - otherDay || store.strikeAt(first) - store.strikeAt(second) || a - b
  }

  #keepHolders(ranks: Uint32Array, text: string): void {
    forEachBit(ranks, (rank) => {
      if (!searchedText(this.#store, this.#rows[rank] ?? 0).includes(text)) clearBit(ranks, rank)
      return true
    })
  }

  #ranksOf(exchange: Exchange): Uint32Array {
    return this.#exchangeRanks[EXCHANGES.indexOf(exchange)] ?? new Uint32Array(Math.ceil(this.#store.size / 32))
  }

  #addStrike(ranks: Uint32Array, strike: number): void {
    const rows = this.#rows
    const { strikes } = this.#store.columns
    for (let rank = 0; rank < rows.length; rank += 1) if (strikes[rows[rank] ?? 0] === strike) setBit(ranks, rank)
  }

  #best(hits: Uint32Array, terms: readonly Term[], limit: number): number[] {
    const whole = terms.map((term) => term.text).join('')
    const best: number[] = []
    for (const rank of this.#ranksByBeginning.get(whole.slice(0, 2)) ?? []) {
      if (best.length >= limit) return best
      if (isSet(hits, rank) && this.#symbol(rank).startsWith(whole)) best.push(rank)
    }
    const begins = new Set(best)
    const store = this.#store
    const wholeParts = terms.length < 2 ? undefined : terms.map((term) => new WholePart(term, store, this.#names))
    const exact = new BestOf(limit - best.length, ascending)
    const inSymbol: number[] = []
    const rest: number[] = []
    forEachBit(hits, (rank) => {
      const row = this.#rows[rank] ?? 0
      if (wholeParts?.every((part) => part.isOf(row)) === true) {
        if (!begins.has(rank)) exact.add((store.expiryDayAt(row) - NO_EXPIRY) * RANKS + rank)
        return true
      }
      if (inSymbol.length >= limit) return wholeParts !== undefined // only exact ones are still looked for
      const symbol = this.#symbol(rank)
      if (symbol.startsWith(whole)) return true
      if (terms.every((term) => symbol.includes(term.text))) inSymbol.push(rank)
      else if (rest.length < limit) rest.push(rank)
      return true
    })
    const nearest = exact.sorted().map((dayAndRank) => dayAndRank % RANKS)
    return [...best, ...nearest, ...inSymbol, ...rest].slice(0, limit)
  }

  #symbol(rank: number): string {
    return this.#store.symbolAt(this.#rows[rank] ?? 0)
  }
}

/** Words of names, and symbols of what isn't a contract, in order. */
function vocabularyOf(store: InstrumentStore, names: NameWords): readonly string[] {
  const words = new Set([...names.words()].filter((word) => !word.includes(' ')))
  for (let row = 0; row < store.size; row += 1) {
    if (store.expiryDayAt(row) === NO_EXPIRY) words.add(store.symbolAt(row))
  }
  return [...words].sort()
}

const isSet = (bits: Uint32Array, rank: number): boolean => ((bits[rank >>> 5] ?? 0) & (1 << (rank & 31))) !== 0

function setBit(bits: Uint32Array, rank: number): void {
  bits[rank >>> 5] = (bits[rank >>> 5] ?? 0) | (1 << (rank & 31))
}

function clearBit(bits: Uint32Array, rank: number): void {
  bits[rank >>> 5] = (bits[rank >>> 5] ?? 0) & ~(1 << (rank & 31))
}

function keep(map: Map<string, number[]>, key: string, rank: number): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [rank])
  else list.push(rank)
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
