import { renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { assert } from '../../kernel/assert.ts'
import { Refusal } from '../../kernel/errors.ts'
import { isPeriod } from '../candles/buckets.ts'
import { unwritable } from './candle-files.ts'
import { inRange, PARQUET } from './candle-parquet.ts'
import type { Series } from './candle-store.ts'
import { type Engine, filesSql, quoted } from './engine.ts'
import { FILE_NAME, formatOf } from './exchanged-file.ts'
import { monthFile, storedMonths } from './series-path.ts'

export interface ExportWanted {
  /** In the folder of exports; its end says the format. One of that name is replaced. */
  readonly file: string
  readonly series: readonly Series[]
  readonly fromAt: number
  readonly toAt: number
}

export interface Exported {
  readonly file: string
  readonly bytes: number
  readonly candles: number
}

interface From {
  readonly candles: string
  /** Of exports. */
  readonly folder: string
  readonly engine: Engine
}

/** Candles of one file. */
export const EXPORT_CANDLES_MAX = 20_000_000
/** Months of series that one file is made of. */
export const EXPORT_MONTHS_MAX = 20_000

const PRICES = ['open', 'high', 'low', 'close'] as const
const plain = (column: string, name = column): string => `rtrim(rtrim(${column}::VARCHAR, '0'), '.') AS ${name}`
const OF_PARQUET = [...PRICES, 'volume', 'open_interest'].join(', ')
const OF_CSV = [...PRICES.map((column) => plain(column)), plain('volume'), plain('open_interest', 'oi')].join(', ')

/** The exchange's time with its offset, so that nobody has to guess; of days and longer the date. */
const stamp = (interval: Series['interval']): string =>
  isPeriod(interval)
    ? `strftime(start_at::TIMESTAMP + INTERVAL 330 MINUTE, '%Y-%m-%d') AS timestamp`
    : `strftime(start_at::TIMESTAMP + INTERVAL 330 MINUTE, '%Y-%m-%dT%H:%M:%S+05:30') AS timestamp`

/**
 * Writes candles to a file, series after series as asked, each ascending; its columns are those that an import reads.
 * Throws no_data when there are none, range_too_long beyond EXPORT_CANDLES_MAX, store_unwritable.
 */
export function exportFile(wanted: ExportWanted, { candles, folder, engine }: From): Promise<Exported> {
  const { file, series, fromAt, toAt } = wanted
  assert(FILE_NAME.test(file), 'a file is exported by name')
  const isCsv = formatOf(file) === 'csv'
  return engine.writing.run(async (connection) => {
    const parts: Part[] = []
    let months = 0
    for (const one of series) {
      const paths = storedMonths(candles, one, fromAt, toAt).map((month) => monthFile(candles, one, month))
      months += paths.length
      if (months > EXPORT_MONTHS_MAX) throw tooMuch(`${EXPORT_MONTHS_MAX} months of candles`)
      if (paths.length > 0) parts.push({ series: one, from: `${filesSql(paths)} WHERE ${inRange(fromAt, toAt)}` })
    }
    const counted = parts.map(({ from }) => `SELECT count(*) AS rows FROM ${from}`).join(' UNION ALL ')
    const count = parts.length === 0 ? 0 : await number(`SELECT sum(rows) FROM (${counted})`)
    if (count === 0)
      throw new Refusal(
        'no_data',
        'Nothing is stored of that in this range. See history/coverage, and download it with history/jobs/start.',
      )
    if (count > EXPORT_CANDLES_MAX) throw tooMuch(`${EXPORT_CANDLES_MAX} candles`)
    const path = join(folder, `.${file}.part`)
    try {
      const rows = parts.map((part) => rowsSql(part, isCsv)).join(' UNION ALL ')
      const written = await number(`COPY (${rows}) TO ${quoted(path)} (${isCsv ? 'FORMAT csv, HEADER' : PARQUET})`)
      const { size: bytes } = statSync(path)
      renameSync(path, join(folder, file))
      return { file, bytes, candles: written }
    } catch (error) {
      throw unwritable(error, folder)
    } finally {
      rmSync(path, { force: true })
    }

    async function number(sql: string): Promise<number> {
      const result = await connection.runAndReadAll(sql)
      return Number(result.getRows()[0]?.[0] ?? 0)
    }
  })
}

interface Part {
  readonly series: Series
  /** What stands after FROM. */
  readonly from: string
}

function rowsSql({ series: { symbol, exchange, interval }, from }: Part, isCsv: boolean): string {
  const of = `${quoted(symbol)} AS symbol, ${quoted(exchange)} AS exchange, ${quoted(interval)} AS interval`
  return `SELECT ${of}, ${isCsv ? `${stamp(interval)}, ${OF_CSV}` : `start_at, ${OF_PARQUET}`} FROM ${from}`
}

const tooMuch = (most: string): Refusal =>
  new Refusal('range_too_long', `That is more than ${most}, as much as a file may hold: ask for less.`)
