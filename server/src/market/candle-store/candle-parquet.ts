import {
  DECIMAL,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBDecimal64Vector,
  DuckDBDecimalValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampTZVector,
  type DuckDBVector,
  TIMESTAMPTZ,
} from '@duckdb/node-api'
import { assert } from '../../kernel/assert.ts'
import { PRICE_DECIMALS, QUANTITY_DECIMALS } from '../../kernel/fixed.ts'
import { type CandleColumns, COLUMNS, columnOf } from './columns.ts'
import { filesSql, quoted } from './engine.ts'

/**
 * How a candle lies in a Parquet file: `start_at` is an instant (UTC, microseconds), prices are DECIMAL(18, 8) and
 * quantities DECIMAL(18, 6). A decimal of up to 18 digits is a 64-bit integer in the file with its scale beside it, so
 * other tools read the same exact numbers that Sauda calculates with, and Sauda reads the integers as they are.
 */
const FILE_FORMAT = '1'
/** Digits of a decimal that still is a 64-bit integer; a safe integer has 16. */
const DIGITS = 18
const SCALES = [PRICE_DECIMALS, PRICE_DECIMALS, PRICE_DECIMALS, PRICE_DECIMALS, QUANTITY_DECIMALS, QUANTITY_DECIMALS]
const NAMES = ['start_at', ...COLUMNS.slice(1)]
const TYPES = ['TIMESTAMPTZ', ...SCALES.map((scale) => `DECIMAL(${DIGITS}, ${scale})`)]
const CHUNK_TYPES = [TIMESTAMPTZ, ...SCALES.map((scale) => DECIMAL(DIGITS, scale))]
/** Candles that the engine is handed at a time. */
const CHUNK_ROWS = 2048

export const PARQUET = `FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, KV_METADATA {sauda_candles: '${FILE_FORMAT}'}`

/** Candles that begin in [fromAt, toAt). */
export const inRange = (fromAt: number, toAt: number): string =>
  `start_at >= make_timestamptz(${fromAt * 1000}) AND start_at < make_timestamptz(${toAt * 1000})`

/** Writes candles, which are in order, to a file. */
export async function writeParquet(connection: DuckDBConnection, columns: CandleColumns, path: string): Promise<void> {
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE fresh (${NAMES.map((name, index) => `${name} ${TYPES[index]}`).join(', ')})`,
  )
  const appender = await connection.createAppender('fresh')
  for (let from = 0; from < columns.count; from += CHUNK_ROWS) {
    const rows = Math.min(CHUNK_ROWS, columns.count - from)
    const chunk = DuckDBDataChunk.create(CHUNK_TYPES, rows)
    for (let column = 0; column < COLUMNS.length; column += 1)
      fill(chunk.getColumnVector(column), columnOf(columns, column).subarray(from, from + rows), SCALES[column - 1])
    appender.appendDataChunk(chunk)
  }
  appender.closeSync()
  await connection.run(`COPY fresh TO ${quoted(path)} (${PARQUET})`)
  await connection.run('DROP TABLE fresh')
}

function fill(vector: DuckDBVector, source: Float64Array, scale = 0): void {
  if (vector instanceof DuckDBTimestampTZVector) {
    for (const [row, at] of source.entries()) vector.setItem(row, new DuckDBTimestampTZValue(BigInt(at) * 1000n))
  } else if (vector instanceof DuckDBDecimal64Vector) {
    for (const [row, value] of source.entries())
      vector.setItem(row, new DuckDBDecimalValue(BigInt(value), DIGITS, scale))
  } else assert(false, 'a candle has an instant and decimals')
  vector.flush()
}

/** Candles of files, ascending; `where` is SQL. */
export async function readParquet(
  connection: DuckDBConnection,
  paths: readonly string[],
  where: string,
  limit: number,
): Promise<CandleColumns> {
  const wanted = NAMES.map((name, index) => `${name}::${TYPES[index]} AS ${name}`).join(', ')
  const sql = `SELECT ${wanted} FROM ${filesSql(paths)} WHERE ${where} ORDER BY start_at LIMIT ${limit}`
  const chunks = await (await connection.run(sql)).fetchAllChunks()
  const count = chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0)
  const values = new Float64Array(count * COLUMNS.length)
  let from = 0
  for (const chunk of chunks) {
    for (let column = 0; column < COLUMNS.length; column += 1)
      take(chunk.getColumnVector(column), values.subarray(column * count + from), chunk.rowCount)
    from += chunk.rowCount
  }
  return { count, values }
}

/** Throws when a value is missing, or is none that Sauda can hold. */
function take(vector: DuckDBVector, into: Float64Array, rows: number): void {
  for (let row = 0; row < rows; row += 1) {
    const units =
      vector instanceof DuckDBDecimal64Vector
        ? vector.getScaledValue(row)
        : vector instanceof DuckDBTimestampTZVector
          ? (vector.getItem(row)?.micros ?? null)
          : null
    const value = units === null ? Number.NaN : Number(units)
    if (!Number.isSafeInteger(value)) throw new Error(`a value of it is ${units}`)
    into[row] = vector instanceof DuckDBTimestampTZVector ? Math.floor(value / 1000) : value
  }
}
