import { renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { assert } from '../../kernel/assert.ts'
import { Refusal } from '../../kernel/errors.ts'
import { isPeriod } from '../candles/buckets.ts'
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
 * Throws no_data when there are none, range_too_long beyond EXPORT_CANDLES_MAX.
 */
export function exportFile(wanted: ExportWanted, { candles, folder, engine }: From): Promise<Exported> {
  const { file, series, fromAt, toAt } = wanted
  assert(FILE_NAME.test(file), 'a file is exported by name')
  const isCsv = formatOf(file) === 'csv'
  return engine.writing.run(async (connection) => {
    const parts: string[] = []
    for (const one of series) {
      const paths = storedMonths(candles, one, fromAt, toAt).map((month) => monthFile(candles, one, month))
      if (paths.length === 0) continue
      const of = `${quoted(one.symbol)} AS symbol, ${quoted(one.exchange)} AS exchange, ${quoted(one.interval)} AS interval`
      const columns = isCsv ? `${stamp(one.interval)}, ${OF_CSV}` : `start_at, ${OF_PARQUET}`
      parts.push(`SELECT ${of}, ${columns} FROM ${filesSql(paths)} WHERE ${inRange(fromAt, toAt)}`)
    }
    const path = join(folder, `.${file}.part`)
    try {
      const rows = `SELECT * FROM (${parts.join(' UNION ALL ')}) LIMIT ${EXPORT_CANDLES_MAX + 1}`
      const written =
        parts.length === 0
          ? 0
          : await copied(`COPY (${rows}) TO ${quoted(path)} (${isCsv ? 'FORMAT csv, HEADER' : PARQUET})`)
      if (written === 0)
        throw new Refusal(
          'no_data',
          'Nothing is stored of that in this range. See history/coverage, and download it with history/jobs/start.',
        )
      if (written > EXPORT_CANDLES_MAX)
        throw new Refusal(
          'range_too_long',
          `That is more than ${EXPORT_CANDLES_MAX} candles, as many as a file may hold: ask for less.`,
        )
      const { size: bytes } = statSync(path)
      renameSync(path, join(folder, file))
      return { file, bytes, candles: written }
    } finally {
      rmSync(path, { force: true })
    }

    async function copied(sql: string): Promise<number> {
      const result = await connection.runAndReadAll(sql)
      return Number(result.getRows()[0]?.[0] ?? 0)
    }
  })
}
