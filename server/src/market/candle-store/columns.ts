import { assert } from '../../kernel/assert.ts'
import { type Price, price, type Quantity, quantity } from '../../kernel/fixed.ts'
import type { Candle } from '../market-data.ts'

/** What a column holds, in order: an instant in milliseconds, four prices and two quantities, all safe integers. */
export const COLUMNS = ['start', 'open', 'high', 'low', 'close', 'volume', 'open_interest'] as const
const WIDTH = COLUMNS.length

/** Candles as columns, one after the other in one array, so that they go from thread to thread without a copy. */
export interface CandleColumns {
  readonly count: number
  readonly values: Float64Array<ArrayBuffer>
}

export const NO_CANDLES: CandleColumns = { count: 0, values: new Float64Array() }

export const columnOf = ({ count, values }: CandleColumns, column: number): Float64Array<ArrayBuffer> =>
  values.subarray(column * count, (column + 1) * count)

export const startsOf = (columns: CandleColumns): Float64Array<ArrayBuffer> => columnOf(columns, 0)

export function columnsOf(candles: readonly Candle[]): CandleColumns {
  const count = candles.length
  const values = new Float64Array(count * WIDTH)
  for (const [row, candle] of candles.entries()) {
    values[row] = candle.startAt
    values[count + row] = candle.open
    values[2 * count + row] = candle.high
    values[3 * count + row] = candle.low
    values[4 * count + row] = candle.close
    values[5 * count + row] = candle.volume
    values[6 * count + row] = candle.openInterest
  }
  return { count, values }
}

export function candlesOf({ count, values }: CandleColumns): Candle[] {
  assert(values.length === count * WIDTH, 'columns have as many values as rows')
  const at = (column: number, row: number): number => values[column * count + row] ?? 0
  const candles: Candle[] = []
  for (let row = 0; row < count; row += 1) {
    candles.push({
      startAt: at(0, row),
      open: priceAt(at(1, row)),
      high: priceAt(at(2, row)),
      low: priceAt(at(3, row)),
      close: priceAt(at(4, row)),
      volume: quantityAt(at(5, row)),
      openInterest: quantityAt(at(6, row)),
    })
  }
  return candles
}
const priceAt = (units: number): Price => price(units)
const quantityAt = (units: number): Quantity => quantity(units)

/** Copies rows of one into another, which has room for them. */
function copyRows(from: CandleColumns, rows: readonly number[]): CandleColumns {
  const count = rows.length
  const values = new Float64Array(count * WIDTH)
  for (let column = 0; column < WIDTH; column += 1) {
    const source = columnOf(from, column)
    for (let row = 0; row < count; row += 1) values[column * count + row] = source[rows[row] ?? 0] ?? 0
  }
  return { count, values }
}

/** The same candles ascending by start; of several with one start the last one. */
export function inOrder(columns: CandleColumns): CandleColumns {
  const starts = startsOf(columns)
  let isInOrder = true
  for (let row = 1; row < columns.count && isInOrder; row += 1) isInOrder = (starts[row - 1] ?? 0) < (starts[row] ?? 0)
  if (isInOrder) return columns
  const lastOf = new Map<number, number>()
  for (const [row, startAt] of starts.entries()) lastOf.set(startAt, row)
  const rows = [...lastOf].sort(([a], [b]) => a - b).map(([, row]) => row)
  return copyRows(columns, rows)
}

/** Rows `from` … `to` - 1. */
export function sliceRows(columns: CandleColumns, from: number, to: number): CandleColumns {
  if (from === 0 && to === columns.count) return columns
  const count = to - from
  const values = new Float64Array(count * WIDTH)
  for (let column = 0; column < WIDTH; column += 1)
    values.set(columnOf(columns, column).subarray(from, to), column * count)
  return { count, values }
}

export interface Merged {
  readonly columns: CandleColumns
  /** Candles that weren't there. */
  readonly added: number
  /** Candles that were there with other values. */
  readonly changed: number
}

/** Both together, each in order; of two candles with one start the fresh one. */
export function merge(old: CandleColumns, fresh: CandleColumns): Merged {
  if (old.count === 0) return { columns: fresh, added: fresh.count, changed: 0 }
  const count = old.count + fresh.count
  const values = new Float64Array(count * WIDTH)
  const oldStarts = startsOf(old)
  const freshStarts = startsOf(fresh)
  let [row, left, right, added, changed] = [0, 0, 0, 0, 0]
  while (left < old.count || right < fresh.count) {
    const oldAt = oldStarts[left] ?? Number.POSITIVE_INFINITY
    const freshAt = freshStarts[right] ?? Number.POSITIVE_INFINITY
    const isFresh = freshAt <= oldAt
    const source = isFresh ? fresh : old
    const from = isFresh ? right : left
    for (let column = 0; column < WIDTH; column += 1)
      values[column * count + row] = source.values[column * source.count + from] ?? 0
    if (isFresh && freshAt === oldAt) {
      if (!sameRow(old, left, fresh, right)) changed += 1
      left += 1
    } else if (isFresh) added += 1
    if (isFresh) right += 1
    else left += 1
    row += 1
  }
  return { columns: sliceRows({ count, values }, 0, row), added, changed }
}

function sameRow(old: CandleColumns, oldRow: number, fresh: CandleColumns, freshRow: number): boolean {
  for (let column = 1; column < WIDTH; column += 1)
    if (old.values[column * old.count + oldRow] !== fresh.values[column * fresh.count + freshRow]) return false
  return true
}

/** Longer candles made of shorter ones, which are in order: those whose starts `startOf` makes the same are one. */
export function aggregateColumns(columns: CandleColumns, startOf: (startAt: number) => number): CandleColumns {
  const { count, values } = columns
  const starts = startsOf(columns)
  const made = new Float64Array(count * WIDTH)
  const at = (column: number, row: number): number => values[column * count + row] ?? 0
  let last = -1
  for (let row = 0; row < count; row += 1) {
    const startAt = startOf(starts[row] ?? 0)
    if (last < 0 || made[last] !== startAt) {
      last += 1
      made[last] = startAt
      for (let column = 1; column < WIDTH; column += 1) made[column * count + last] = at(column, row)
      continue
    }
    const [high, low, volume] = [2 * count + last, 3 * count + last, 5 * count + last]
    made[high] = Math.max(made[high] ?? 0, at(2, row))
    made[low] = Math.min(made[low] ?? 0, at(3, row))
    made[4 * count + last] = at(4, row)
    made[volume] = (made[volume] ?? 0) + at(5, row) // beyond the exact range `candlesOf` throws
    made[6 * count + last] = at(6, row)
  }
  return sliceRows({ count, values: made }, 0, last + 1)
}
