import { dateOf } from '../kernel/exchange-time.ts'
import { PRICE_DECIMALS, parseDecimal } from '../kernel/fixed.ts'
import { INSTRUMENT_KINDS, type InstrumentKind } from './instrument.ts'
import type { InstrumentStore } from './instrument-store.ts'
import { NO_EXPIRY } from './instruments/columns.ts'
import { expiryCode } from './symbol.ts'

/** A longer query matches nothing. */
export const QUERY_LENGTH_MAX = 256
/** A query of more words matches nothing. */
export const QUERY_WORDS_MAX = 12

/** One word of a query. */
export interface Term {
  readonly text: string
  /** Strike that the word names, or NaN. */
  readonly strike: number
}

export const termOf = (text: string): Term => {
  const value = parseDecimal(text, PRICE_DECIMALS)
  return { text, strike: typeof value === 'number' && value > 0 ? value : Number.NaN }
}

/** The words of a query in upper case; none when it is blank, or too long. */
export function termsOf(query: string): Term[] {
  if (query.length > QUERY_LENGTH_MAX) return []
  const words = query.toUpperCase().split(/\s+/).filter(Boolean)
  return words.length > QUERY_WORDS_MAX ? [] : words.map(termOf)
}

const wordsOf = (name: string): string[] => name.toUpperCase().split(/\s+/).filter(Boolean)

/** Words of the store's names, each with the names that have it. */
export class NameWords {
  readonly #numbersByWord = new Map<string, Set<number>>()

  constructor(store: InstrumentStore) {
    for (const number of new Set(store.columns.names)) {
      const name = store.sharedText(number)
      for (const word of new Set([...wordsOf(name), name.toUpperCase()])) this.#keep(word, number)
    }
  }

  /** Numbers of the names that have the word, or are it. */
  numbersOf(word: string): ReadonlySet<number> {
    return this.#numbersByWord.get(word) ?? NONE
  }

  words(): Iterable<string> {
    return this.#numbersByWord.keys()
  }

  #keep(word: string, number: number): void {
    const numbers = this.#numbersByWord.get(word)
    if (numbers === undefined) this.#numbersByWord.set(word, new Set([number]))
    else numbers.add(number)
  }
}

const NONE: ReadonlySet<number> = new Set()

/**
 * Whether a word is a whole part of an instrument: its name or a word of it, its kind, its strike, or its expiry as day,
 * month, or both with or without the year (25, AUG, 25AUG, AUG26, 25AUG26). Numbers are compared, no texts: this is asked
 * of tens of thousands of rows.
 */
export class WholePart {
  readonly #store: InstrumentStore
  readonly #text: string
  readonly #strike: number
  readonly #names: ReadonlySet<number>
  readonly #kind: number
  readonly #days = new Map<number, boolean>()

  constructor(term: Term, store: InstrumentStore, names: NameWords) {
    this.#store = store
    this.#text = term.text
    this.#strike = term.strike
    this.#names = names.numbersOf(term.text)
    this.#kind = INSTRUMENT_KINDS.indexOf(term.text as InstrumentKind)
  }

  isOf(row: number): boolean {
    const { names, kinds, strikes, expiryDays } = this.#store.columns
    return (
      this.#names.has(names[row] ?? -1) ||
      kinds[row] === this.#kind ||
      strikes[row] === this.#strike ||
      this.#isDay(expiryDays[row] ?? NO_EXPIRY)
    )
  }

  #isDay(day: number): boolean {
    if (day === NO_EXPIRY) return false
    let isDay = this.#days.get(day)
    if (isDay === undefined) {
      const code = expiryCode(dateOf(day))
      const parts = [code, code.slice(0, 2), code.slice(2, 5), code.slice(0, 5), code.slice(2)]
      isDay = parts.includes(this.#text)
      this.#days.set(day, isDay)
    }
    return isDay
  }
}
