import { PRICE_DECIMALS, QUANTITY_DECIMALS } from '../../kernel/fixed.ts'

/**
 * How a candle lies in a Parquet file: `start_at` is an instant (UTC, microseconds), prices are DECIMAL(18, 8) and
 * quantities DECIMAL(18, 6). A decimal of up to 18 digits is a 64-bit integer in the file with its scale beside it, so
 * other tools read the same exact numbers that Sauda calculates with.
 */
export const FILE_FORMAT = '1'
const PRICES = ['open', 'high', 'low', 'close'] as const
const QUANTITIES = ['volume', 'open_interest'] as const

/** Exact for every integer that a double holds exactly: no step of it is a floating-point one. */
const decimal = (column: string, decimals: number): string =>
  `(${column}::BIGINT::DECIMAL(28, 0) * ${`0.${'1'.padStart(decimals, '0')}`}::DECIMAL(${decimals + 1}, ${decimals}))::DECIMAL(18, ${decimals}) AS ${column}`
const integer = (column: string, decimals: number): string =>
  `(${column}::DECIMAL(38, ${decimals}) * ${10 ** decimals})::BIGINT::DOUBLE AS ${column}`

/** From doubles that are integers, as Sauda has them, to what a file holds. */
export const TO_FILE = [
  'make_timestamptz(start::BIGINT * 1000) AS start_at',
  ...PRICES.map((column) => decimal(column, PRICE_DECIMALS)),
  ...QUANTITIES.map((column) => decimal(column, QUANTITY_DECIMALS)),
].join(', ')

/** The way back. */
export const FROM_FILE = [
  'epoch_ms(start_at)::DOUBLE AS start',
  ...PRICES.map((column) => integer(column, PRICE_DECIMALS)),
  ...QUANTITIES.map((column) => integer(column, QUANTITY_DECIMALS)),
].join(', ')

/** Candles that begin in [fromAt, toAt). */
export const inRange = (fromAt: number, toAt: number): string =>
  `start_at >= make_timestamptz(${fromAt * 1000}) AND start_at < make_timestamptz(${toAt * 1000})`

export const PARQUET = `FORMAT parquet, COMPRESSION zstd, KV_METADATA {sauda_candles: '${FILE_FORMAT}'}`
