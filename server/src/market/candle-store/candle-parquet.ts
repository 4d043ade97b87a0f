import { DECIMAL, type DuckDBConnection, DuckDBDataChunk, TIMESTAMPTZ } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'
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
      fill(chunk, column, columnOf(columns, column).subarray(from, from + rows))
    appender.appendDataChunk(chunk)
  }
  appender.closeSync()
  await connection.run(`COPY fresh TO ${quoted(path)} (${PARQUET})`)
  await connection.run('DROP TABLE fresh')
}

/** Bytes of a value, whichever the column, and its halves. */
const VALUE_BYTES = 8
const HALF = 2 ** 32
/** A file has microseconds, Sauda milliseconds. */
const perUnit = (column: number): number => (column === 0 ? 1000 : 1)

/** All values of a column at once: one by one, as the engine's binding offers it, most of the time would go there. */
function fill({ chunk }: DuckDBDataChunk, column: number, source: Float64Array): void {
  const bytes = new ArrayBuffer(source.length * VALUE_BYTES)
  const view = new DataView(bytes)
  const factor = perUnit(column)
  for (let row = 0; row < source.length; row += 1) {
    const units = (source[row] ?? 0) * factor
    const high = Math.floor(units / HALF)
    view.setUint32(row * VALUE_BYTES, units - high * HALF, true)
    view.setInt32(row * VALUE_BYTES + VALUE_BYTES / 2, high, true)
  }
  duckdb.copy_data_to_vector(duckdb.data_chunk_get_vector(chunk, column), 0, bytes, 0, bytes.byteLength)
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
      take(chunk, column, values.subarray(column * count + from))
    from += chunk.rowCount
  }
  return { count, values }
}

/** The way back. Throws when a value is missing, or is none that Sauda can hold. */
function take({ chunk, rowCount }: DuckDBDataChunk, column: number, into: Float64Array): void {
  const vector = duckdb.data_chunk_get_vector(chunk, column)
  const bytes = duckdb.vector_get_data(vector, rowCount * VALUE_BYTES)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const factor = perUnit(column)
  requireAll(vector, rowCount, column)
  for (let row = 0; row < rowCount; row += 1) {
    const high = view.getInt32(row * VALUE_BYTES + VALUE_BYTES / 2, true)
    const units = high * HALF + view.getUint32(row * VALUE_BYTES, true)
    if (!Number.isSafeInteger(units)) throw new Error(`a ${NAMES[column]} of it is ${units}`)
    into[row] = Math.floor(units / factor)
  }
}

/** The engine marks what there is with a bit for each row, when there is anything to mark. */
function requireAll(vector: duckdb.Vector, rowCount: number, column: number): void {
  const bits: Uint8Array | null = duckdb.vector_get_validity(vector, Math.ceil(rowCount / 64) * 8)
  if (bits === null || bits === undefined) return
  for (let row = 0; row < rowCount; row += 1)
    if ((((bits[row >> 3] ?? 0) >> (row & 7)) & 1) === 0) throw new Error(`a ${NAMES[column]} of it is missing`)
}
