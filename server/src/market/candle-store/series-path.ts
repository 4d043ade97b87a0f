import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { dateAt } from '../../kernel/exchange-time.ts'
import { EXCHANGES } from '../instrument.ts'
import { INTERVALS, type Interval } from '../market-data.ts'
import type { Series, SeriesOwner } from './candle-store.ts'

/**
 * Where candles lie: `exchange=NSE/interval=1m/symbol=SBIN/month=2026-08/candles.parquet`, partitioned as other tools
 * know it. The month is that of the candle's start in the exchange's zone.
 */
export const CANDLE_FILE = 'candles.parquet'
/** What is being written, and what is being deleted: nothing in here counts, and a start empties it. */
export const UNFINISHED = '.unfinished'

const MONTH_FOLDER = /^month=(\d{4}-\d{2})$/

/** `YYYY-MM` in the exchange's zone. */
export type Month = string

export const monthOf = (startAt: number): Month => dateAt(startAt).slice(0, 7)

/** Letters, digits, hyphens and underscores stay; everything else that a symbol may hold can't mean anything to a file system. */
const escaped = (symbol: string): string =>
  symbol.replace(/[^A-Za-z0-9_-]/g, (character) =>
    [...new TextEncoder().encode(character)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  )

const ownerFolders = (folder: string, exchange: string, interval: string): string =>
  join(folder, `exchange=${exchange}`, `interval=${interval}`)

export const seriesFolder = (folder: string, { exchange, interval, symbol }: Series): string =>
  join(ownerFolders(folder, exchange, interval), `symbol=${escaped(symbol)}`)

export const monthFile = (folder: string, series: Series, month: Month): string =>
  join(seriesFolder(folder, series), `month=${month}`, CANDLE_FILE)

/** Whether a folder can have the symbol's name: file systems take 255 bytes. */
export const hasFolderName = (symbol: string): boolean => escaped(symbol).length <= 240

const NOTHING_THERE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'])

/** Names in a folder, sorted; none when it isn't there, or can't be. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch (error) {
    if (NOTHING_THERE.has((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}

/** Months of a series that have a file, ascending, from the one that holds `fromAt` to the one that holds `toAt` - 1. */
export function storedMonths(
  folder: string,
  series: Series,
  fromAt = Number.NEGATIVE_INFINITY,
  toAt = Number.POSITIVE_INFINITY,
): Month[] {
  const first = Number.isFinite(fromAt) ? monthOf(fromAt) : ''
  const last = Number.isFinite(toAt) ? monthOf(toAt - 1) : '~'
  return namesIn(seriesFolder(folder, series))
    .map((name) => MONTH_FOLDER.exec(name)?.[1] ?? '')
    .filter((month) => month !== '' && month >= first && month <= last)
    .filter((month) => existsSync(monthFile(folder, series, month)))
}

/** Intervals of which something is stored, shortest first. */
export const storedIntervals = (folder: string, { symbol, exchange }: SeriesOwner): readonly Interval[] =>
  INTERVALS.filter((interval) => storedMonths(folder, { symbol, exchange, interval }).length > 0)

/** All series that have a folder, sorted by exchange, interval and symbol. */
export function storedSeries(folder: string): Series[] {
  const found: Series[] = []
  for (const exchange of EXCHANGES)
    for (const interval of INTERVALS)
      for (const name of namesIn(ownerFolders(folder, exchange, interval))) {
        const symbol = symbolOf(name)
        if (symbol !== undefined) found.push({ symbol, exchange, interval })
      }
  return found
}

/** Undefined for what Sauda doesn't name a folder. */
function symbolOf(name: string): string | undefined {
  if (!name.startsWith('symbol=')) return undefined
  try {
    const symbol = decodeURIComponent(name.slice('symbol='.length))
    return `symbol=${escaped(symbol)}` === name ? symbol : undefined
  } catch {
    return undefined // not UTF-8
  }
}
