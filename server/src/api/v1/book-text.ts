import fastJsonStringify from 'fast-json-stringify'
import type { TSchema } from 'typebox'
import { serialisationSchema } from '../output-schema.ts'

/** Accounts whose books are kept as text; those that were read last. */
export const BOOKS_MAX = 16
const BLOCK_ROWS = 128

interface Block<Report> {
  readonly reports: readonly Report[]
  readonly text: string
}

/**
 * Rows of a book as JSON text. A report never changes: what changes gets a new one. So of a book that was read before only
 * the blocks of rows are made again in which a row is new.
 */
export class BookText<Report> {
  readonly #textOf: (report: Report) => string
  /** Blocks by where they begin in the book. */
  readonly #books = new Map<string, ReadonlyMap<number, Block<Report>>>()
  readonly #answers = new WeakMap<readonly Report[], string>()

  constructor(schema: TSchema, rowOf: (report: Report) => object) {
    const serialise = fastJsonStringify(serialisationSchema({ ...schema }))
    this.#textOf = (report) => serialise(rowOf(report))
  }

  /** Rows as a JSON list. */
  list(reports: readonly Report[]): string {
    return `[${this.#rows(reports)}]`
  }

  /**
   * What `answer` makes of the newest rows of an account's whole book, newest first; the reports come oldest first. A list
   * that is the same as before has the same answer: it isn't looked at again.
   */
  book(account: string, reports: readonly Report[], rowsMax: number, answer: (rows: string) => string): string {
    let text = this.#answers.get(reports)
    if (text === undefined) {
      text = answer(this.#book(account, reports, rowsMax))
      this.#answers.set(reports, text)
    }
    return text
  }

  /** As a JSON list. */
  #book(account: string, reports: readonly Report[], rowsMax: number): string {
    const known = this.#books.get(account)
    const blocks = new Map<number, Block<Report>>()
    const oldest = Math.max(0, reports.length - rowsMax)
    const firstWhole = Math.ceil(oldest / BLOCK_ROWS) * BLOCK_ROWS
    const texts = firstWhole === oldest ? [] : [this.#rows(reports.slice(oldest, firstWhole).reverse())]
    for (let from = firstWhole; from < reports.length; from += BLOCK_ROWS) {
      const before = known?.get(from)
      const block = before !== undefined && isSame(before.reports, reports, from) ? before : this.#block(reports, from)
      blocks.set(from, block)
      texts.push(block.text)
    }
    this.#keep(account, blocks)
    return `[${texts.reverse().join(',')}]`
  }

  #keep(account: string, blocks: ReadonlyMap<number, Block<Report>>): void {
    this.#books.delete(account)
    this.#books.set(account, blocks)
    const [unreadLongest] = this.#books.keys()
    if (this.#books.size > BOOKS_MAX && unreadLongest !== undefined) this.#books.delete(unreadLongest)
  }

  #block(reports: readonly Report[], from: number): Block<Report> {
    const own = reports.slice(from, from + BLOCK_ROWS)
    // In one piece: the serialiser's many would be gathered again at each reading
    return { reports: own, text: Buffer.from(this.#rows(own.toReversed())).toString() }
  }

  #rows(reports: readonly Report[]): string {
    return reports.map(this.#textOf).join(',')
  }
}

function isSame<Report>(block: readonly Report[], reports: readonly Report[], from: number): boolean {
  if (block.length !== Math.min(BLOCK_ROWS, reports.length - from)) return false
  for (let index = 0; index < block.length; index += 1) if (block[index] !== reports[from + index]) return false
  return true
}
