import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { Refusal } from '../../kernel/errors.ts'
import type { CandleFiles } from './candle-files.ts'
import { CandleRows, type RowsOf } from './candle-rows.ts'
import type { StoredSeries } from './candle-store.ts'
import { inOrder, startsOf } from './columns.ts'
import { fieldsOf } from './csv-line.ts'
import { type Engine, quotedPath } from './engine.ts'
import { formatOf, importPath } from './exchanged-file.ts'

export interface ImportWanted extends RowsOf {
  /** In the folder of imports. */
  readonly file: string
}

/** What a file held of one series. */
export interface ImportedSeries extends StoredSeries {
  /** Candles that weren't there. */
  readonly added: number
  /** Candles that were there with other values. */
  readonly changed: number
}

export interface Imported {
  readonly series: readonly ImportedSeries[]
}

interface Into {
  /** Of imports. */
  readonly folder: string
  readonly engine: Engine
  readonly files: CandleFiles
}

/** Rows between two looks at what else there is to do. */
const SLICE_ROWS = 20_000

/**
 * Keeps the candles of a file. It is read to its end before anything is kept, so that a file with something wrong changes
 * nothing; then month after month is written, and the same again does no harm. Throws file_not_found, file_unreadable.
 */
export async function importFile(wanted: ImportWanted, into: Into): Promise<Imported> {
  const path = importPath(into.folder, wanted.file)
  const rows =
    formatOf(wanted.file) === 'csv' ? await csvRows(path, wanted) : await parquetRows(path, wanted, into.engine)
  const series: ImportedSeries[] = []
  for (const { series: of, columns: found } of rows.take()) {
    const columns = inOrder(found)
    const { added, changed } = await into.files.put(of, columns)
    const starts = startsOf(columns)
    series.push({ ...of, candles: columns.count, firstAt: starts[0] ?? 0, lastAt: starts.at(-1) ?? 0, added, changed })
  }
  return { series }
}

const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function csvRows(path: string, given: RowsOf): Promise<CandleRows> {
  const lines = createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY })
  let rows: CandleRows | undefined
  let number = 0
  for await (const line of lines) {
    number += 1
    if (line.trim() === '') continue
    const fields = fieldsOf(rows === undefined ? line.replace(/^\uFEFF/, '') : line)
    if (rows === undefined) rows = new CandleRows(fields, given)
    else rows.add(fields, `Line ${number}`)
    if (number % SLICE_ROWS === 0) await breath()
  }
  if (rows === undefined) throw new Refusal('file_unreadable', 'The file is empty.')
  return rows
}

/** Every value as its text, which is exact, so that both kinds of files follow the same rules. */
function parquetRows(path: string, given: RowsOf, engine: Engine): Promise<CandleRows> {
  return engine.writing.run(async (connection) => {
    try {
      const from = `read_parquet([${quotedPath(path)}], hive_partitioning = false)`
      const result = await connection.stream(`SELECT COLUMNS(*)::VARCHAR FROM ${from}`)
      const rows = new CandleRows(result.columnNames(), given)
      let number = 0
      for (;;) {
        const chunk = await result.fetchChunk()
        if (chunk === null || chunk.rowCount === 0) return rows
        for (const row of chunk.getRows()) {
          number += 1
          rows.add(
            row.map((value) => (value === null ? '' : String(value))),
            `Row ${number}`,
          )
        }
      }
    } catch (error) {
      if (error instanceof Refusal) throw error
      const reason = String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? ''
      throw new Refusal('file_unreadable', `The file isn't Parquet that can be read: ${reason.replaceAll(path, 'it')}`)
    }
  })
}
