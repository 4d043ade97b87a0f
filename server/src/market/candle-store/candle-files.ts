import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { Refusal } from '../../kernel/errors.ts'
import { CANDLES_MAX } from '../market-data.ts'
import { inRange, readParquet, writeParquet } from './candle-parquet.ts'
import type { Series, StoredSeries } from './candle-store.ts'
import { type CandleColumns, inOrder, merge, NO_CANDLES, sliceRows, startsOf } from './columns.ts'
import { type Engine, filesSql } from './engine.ts'
import { type Month, monthFile, monthOf, seriesFolder, storedMonths, UNFINISHED } from './series-path.ts'

/** What writing a month consists of, in order. */
export type WriteStep = 'write' | 'sync' | 'rename' | 'sync-folder' | 'done'

export interface Stored {
  /** Months that were written. */
  readonly months: number
  /** Candles that weren't there. */
  readonly added: number
  /** Candles that were there with other values. */
  readonly changed: number
}

/**
 * The files of the store. A month is replaced as a whole: written beside, brought to the disk, renamed. So whoever reads,
 * and whoever comes after a crash, finds the month as it was or as it is to be. Months are written one at a time.
 */
export class CandleFiles {
  readonly #folder: string
  readonly #engine: Engine
  readonly #before: (step: WriteStep) => Promise<void>
  #nextName = 1

  /** `before` is for tests: told of each step before it is taken. */
  constructor(folder: string, engine: Engine, before: (step: WriteStep) => Promise<void> = async () => undefined) {
    this.#folder = folder
    this.#engine = engine
    this.#before = before
    rmSync(this.#unfinished, { recursive: true, force: true })
    mkdirSync(this.#unfinished, { recursive: true, mode: 0o700 })
  }

  /** Candles that begin in [fromAt, toAt). Throws range_too_long beyond `max`, store_damaged. */
  read(series: Series, fromAt: number, toAt: number, max = CANDLES_MAX): Promise<CandleColumns> {
    return this.#engine.reading.run(async (connection) => {
      const months = storedMonths(this.#folder, series, fromAt, toAt)
      if (months.length === 0) return NO_CANDLES
      const columns = await this.#readMonths(connection, series, months, inRange(fromAt, toAt), max + 1)
      if (columns.count <= max) return columns
      throw new Refusal(
        'range_too_long',
        `The range holds more than ${max} stored candles of ${series.interval} for ${series.symbol}; ask for a shorter range or a longer interval.`,
      )
    })
  }

  /**
   * Keeps candles, in any order, in place of those with the same start. On disk when it resolves. Throws store_damaged,
   * store_unwritable.
   */
  put(series: Series, fresh: CandleColumns): Promise<Stored> {
    return this.#engine.writing.run(async (connection) => {
      const stored = { months: 0, added: 0, changed: 0 }
      for (const [month, columns] of byMonth(inOrder(fresh))) {
        const old = existsSync(monthFile(this.#folder, series, month))
          ? await this.#readMonths(connection, series, [month])
          : NO_CANDLES
        const merged = merge(old, columns)
        if (merged.added + merged.changed === 0) continue
        await this.#writable(() => this.#writeMonth(connection, series, month, merged.columns))
        stored.months += 1
        stored.added += merged.added
        stored.changed += merged.changed
      }
      return stored
    })
  }

  /** Deletes all of a series; false when there was nothing. */
  remove(series: Series): Promise<boolean> {
    return this.#engine.writing.run(async () => {
      const folder = seriesFolder(this.#folder, series)
      if (!existsSync(folder)) return false
      const aside = this.#newName()
      renameSync(folder, aside) // gone at once, however long the rest takes
      await syncFolder(dirname(folder))
      rmSync(aside, { recursive: true, force: true })
      return true
    })
  }

  /** How much there is of each; those without a candle are left out. */
  summaries(wanted: readonly Series[]): Promise<StoredSeries[]> {
    return this.#engine.reading.run(async (connection) => {
      const found: StoredSeries[] = []
      for (const series of wanted) {
        const paths = storedMonths(this.#folder, series).map((month) => monthFile(this.#folder, series, month))
        if (paths.length === 0) continue
        const sql = `SELECT count(*)::DOUBLE, epoch_ms(min(start_at))::DOUBLE, epoch_ms(max(start_at))::DOUBLE FROM ${filesSql(paths)}`
        const rows = await this.#readable(series, async () => (await connection.runAndReadAll(sql)).getRows())
        const [candles = 0, firstAt = 0, lastAt = 0] = (rows[0] ?? []).map(Number)
        if (candles > 0) found.push({ ...series, candles, firstAt, lastAt })
      }
      return found
    })
  }

  /** Where something may be written before it gets its name. */
  get #unfinished(): string {
    return join(this.#folder, UNFINISHED)
  }

  #newName(): string {
    const name = join(this.#unfinished, String(this.#nextName))
    this.#nextName += 1
    return name
  }

  #readMonths(
    connection: DuckDBConnection,
    series: Series,
    months: readonly Month[],
    where = 'true',
    limit = Number.MAX_SAFE_INTEGER,
  ): Promise<CandleColumns> {
    return this.#readable(series, async () => {
      let paths = months.map((month) => monthFile(this.#folder, series, month))
      for (;;) {
        // A series may be deleted after its months were listed, and while they are read
        const there = paths.filter((path) => existsSync(path))
        if (there.length === 0) return NO_CANDLES
        paths = there
        try {
          return await readParquet(connection, paths, where, limit)
        } catch (error) {
          if (paths.every((path) => existsSync(path))) throw error
        }
      }
    })
  }

  async #readable<T>(series: Series, read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      if (error instanceof Refusal) throw error
      const reason = reasonOf(error, this.#folder)
      throw new Refusal(
        'store_damaged',
        `The stored ${series.interval} candles of ${series.symbol} (${series.exchange}) can't be read. Delete them with history/delete and download them again. The reason: ${reason}`,
      )
    }
  }

  async #writable(write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (error) {
      throw unwritable(error, this.#folder)
    }
  }

  async #writeMonth(connection: DuckDBConnection, series: Series, month: Month, columns: CandleColumns): Promise<void> {
    const file = monthFile(this.#folder, series, month)
    const aside = this.#newName()
    await this.#before('write')
    try {
      await writeParquet(connection, columns, aside)
      await this.#before('sync')
      await syncFile(aside)
      const made = mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      await this.#before('rename')
      await rename(aside, file)
      await this.#before('sync-folder')
      await syncFolders(dirname(file), made === undefined ? dirname(file) : dirname(made))
      await this.#before('done')
    } finally {
      rmSync(aside, { force: true })
    }
  }
}

/** What went wrong with a file, without the folder that it is in. */
export const unwritable = (error: unknown, folder: string): Refusal =>
  new Refusal(
    'store_unwritable',
    `Candles can't be written. Free the disk or repair it, then try again. The reason: ${reasonOf(error, folder)}`,
  )

const reasonOf = (error: unknown, folder: string): string =>
  String(error instanceof Error ? error.message : error).replaceAll(folder, '')

/** Parts of columns that are in order, each of one month. */
function byMonth(columns: CandleColumns): [Month, CandleColumns][] {
  const parts: [Month, CandleColumns][] = []
  const starts = startsOf(columns)
  let from = 0
  while (from < columns.count) {
    const month = monthOf(starts[from] ?? 0)
    let to = from + 1
    while (to < columns.count && monthOf(starts[to] ?? 0) === month) to += 1
    parts.push([month, sliceRows(columns, from, to)])
    from = to
  }
  return parts
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Brings the names in a folder to the disk. Windows can't, and needn't. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** A folder and those above it up to `top`, which is one of them. */
async function syncFolders(path: string, top: string): Promise<void> {
  for (let folder = path; ; folder = dirname(folder)) {
    await syncFolder(folder)
    if (folder === top || folder === dirname(folder)) return
  }
}
