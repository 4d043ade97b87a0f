import { Refusal } from '../../kernel/errors.ts'
import { dayNumberAt, dayStartAt } from '../../kernel/exchange-time.ts'
import { type DecimalProblem, PRICE_DECIMALS, parseDecimal, QUANTITY_DECIMALS } from '../../kernel/fixed.ts'
import { isPeriod, periodStart } from '../candles/buckets.ts'
import { EXCHANGES, type Exchange } from '../instrument.ts'
import { INTERVALS, type Interval } from '../market-data.ts'
import type { Series } from './candle-store.ts'
import { type CandleColumns, COLUMNS } from './columns.ts'
import { hasFolderName } from './series-path.ts'
import { instantOf, TIME_FORMS } from './time-text.ts'

/** Candles of one file. */
export const IMPORT_ROWS_MAX = 1_000_000
/** Series of one file. */
export const IMPORT_SERIES_MAX = 500
export const IMPORT_SYMBOL_LENGTH_MAX = 50

/** What rows are of where they don't say it themselves. */
export interface RowsOf {
  readonly symbol?: string | undefined
  readonly exchange?: Exchange | undefined
  readonly interval?: Interval | undefined
}

/** Names that a column may have. */
const NAMES = {
  symbol: ['symbol', 'ticker'],
  exchange: ['exchange'],
  interval: ['interval'],
  start: ['timestamp', 'start_at', 'datetime', 'date'],
  time: ['time'],
  open: ['open'],
  high: ['high'],
  low: ['low'],
  close: ['close'],
  volume: ['volume'],
  openInterest: ['oi', 'open_interest'],
} as const
type Column = keyof typeof NAMES
const NEEDED: readonly Column[] = ['start', 'open', 'high', 'low', 'close']
const VALUES = ['open', 'high', 'low', 'close', 'volume', 'openInterest'] as const

const unreadable = (message: string): Refusal => new Refusal('file_unreadable', message)

/** Candles of the rows of a file, by series. Each row is read exactly, or refused with its number and what is wrong. */
export class CandleRows {
  readonly #given: RowsOf
  readonly #at: Readonly<Record<Column, number>>
  /** Row after row, as `COLUMNS` has it. */
  readonly #found = new Map<string, { readonly series: Series; readonly values: number[] }>()
  #rows = 0

  /** Throws file_unreadable when a column that must be there isn't. */
  constructor(header: readonly string[], given: RowsOf) {
    this.#given = given
    const names = header.map((name) => name.trim().toLowerCase())
    const indexOf = (column: Column): number => names.findIndex((name) => isOneOf(NAMES[column], name))
    this.#at = Object.fromEntries(Object.keys(NAMES).map((name) => [name, indexOf(name as Column)])) as Record<
      Column,
      number
    >
    const missing = NEEDED.filter((column) => this.#at[column] < 0).map((column) => NAMES[column].join(' or '))
    if (missing.length > 0)
      throw unreadable(
        `The file has no column ${missing.join(', no column ')}. Its columns are ${names.join(', ').slice(0, 200)}.`,
      )
    for (const name of ['symbol', 'exchange', 'interval'] as const)
      if (this.#at[name] < 0 && given[name] === undefined)
        throw unreadable(`The file has no column ${name}: say in the request what it is.`)
  }

  /** Adds a row; `where` says which one it is, such as `Line 7`. Throws file_unreadable. */
  add(row: readonly string[], where: string): void {
    this.#rows += 1
    if (this.#rows > IMPORT_ROWS_MAX)
      throw unreadable(`The file has more than ${IMPORT_ROWS_MAX} candles: cut it in two.`)
    const series = this.#seriesOf(row, where)
    const key = `${series.exchange} ${series.interval} ${series.symbol}`
    let found = this.#found.get(key)
    if (found === undefined) {
      if (this.#found.size >= IMPORT_SERIES_MAX)
        throw unreadable(`The file has candles of more than ${IMPORT_SERIES_MAX} series: cut it in two.`)
      found = { series, values: [] }
      this.#found.set(key, found)
    }
    const values = VALUES.map((column) => this.#valueOf(row, column, where))
    const problem = shapeProblem(values)
    if (problem !== undefined) throw unreadable(`${where}: ${problem}`)
    found.values.push(this.#startOf(row, series.interval, where), ...values)
  }

  /** What was added, each series as columns in the order of the rows. */
  take(): { readonly series: Series; readonly columns: CandleColumns }[] {
    return Array.from(this.#found.values(), ({ series, values }) => ({ series, columns: transposed(values) }))
  }

  #seriesOf(row: readonly string[], where: string): Series {
    const symbol = this.#text(row, 'symbol', where).toUpperCase()
    if (symbol.length < 1 || symbol.length > IMPORT_SYMBOL_LENGTH_MAX || !hasFolderName(symbol))
      throw unreadable(
        `${where}: symbol must have from 1 to ${IMPORT_SYMBOL_LENGTH_MAX} plain characters. Got "${symbol.slice(0, 64)}".`,
      )
    const exchange = this.#text(row, 'exchange', where).toUpperCase()
    if (!isOneOf(EXCHANGES, exchange))
      throw unreadable(`${where}: exchange must be one of ${EXCHANGES.join(', ')}. Got "${exchange.slice(0, 64)}".`)
    const interval = this.#text(row, 'interval', where)
    if (!isOneOf(INTERVALS, interval))
      throw unreadable(`${where}: interval must be one of ${INTERVALS.join(', ')}. Got "${interval.slice(0, 64)}".`)
    return { symbol, exchange, interval }
  }

  /** What the row says, which must be what was given, if anything was. */
  #text(row: readonly string[], name: 'symbol' | 'exchange' | 'interval', where: string): string {
    const given = this.#given[name]
    if (this.#at[name] < 0) return given ?? ''
    const text = (row[this.#at[name]] ?? '').trim()
    if (given !== undefined && text.toUpperCase() !== given.toUpperCase())
      throw unreadable(
        `${where}: ${name} is ${text.slice(0, 64)}, and the request says ${given}. Leave it out of one of them.`,
      )
    return text
  }

  #startOf(row: readonly string[], interval: Interval, where: string): number {
    const date = (row[this.#at.start] ?? '').trim()
    const time = this.#at.time < 0 ? '' : ` ${(row[this.#at.time] ?? '').trim()}`
    const at = instantOf(`${date}${time}`)
    if (at === undefined)
      throw unreadable(`${where}: "${`${date}${time}`.slice(0, 64)}" is no time. Write it as ${TIME_FORMS}.`)
    return isPeriod(interval) ? dayStartAt(periodStart(interval, dayNumberAt(at))) : at
  }

  #valueOf(row: readonly string[], column: (typeof VALUES)[number], where: string): number {
    const index = this.#at[column]
    const text = index < 0 ? '' : (row[index] ?? '').trim()
    const isQuantity = column === 'volume' || column === 'openInterest'
    if (text === '' && isQuantity) return 0
    const decimals = isQuantity ? QUANTITY_DECIMALS : PRICE_DECIMALS
    const value = parseDecimal(text, decimals)
    if (typeof value !== 'number')
      throw unreadable(`${where}: ${NAMES[column][0]} "${text.slice(0, 64)}" ${saidOf(value, decimals)}.`)
    return value
  }
}

const saidOf = (problem: DecimalProblem, decimals: number): string =>
  ({
    'not-a-number': 'is no number',
    'too-precise': `has more than ${decimals} decimals`,
    'too-large': 'is too large',
  })[problem]

const isOneOf = <Word extends string>(words: readonly Word[], text: string): text is Word =>
  (words as readonly string[]).includes(text)

/** What no candle can be: open, high, low, close, volume and open interest. */
export function shapeProblem(values: readonly number[]): string | undefined {
  const [open = 0, high = 0, low = 0, close = 0, volume = 0, openInterest = 0] = values
  if (low < 0) return 'low is below 0.'
  if (high < Math.max(open, low, close)) return 'high is below open, low or close.'
  if (low > Math.min(open, close)) return 'low is above open or close.'
  return volume < 0 || openInterest < 0 ? 'volume and open interest can’t be below 0.' : undefined
}

function transposed(rows: readonly number[]): CandleColumns {
  const width = COLUMNS.length
  const count = rows.length / width
  const values = new Float64Array(rows.length)
  for (let row = 0; row < count; row += 1)
    for (let column = 0; column < width; column += 1) values[column * count + row] = rows[row * width + column] ?? 0
  return { count, values }
}
