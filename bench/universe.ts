import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ManualClock } from '../server/src/kernel/clock.ts'
import { createUniverse, type Instrument, InstrumentUniverse, sourceOf } from '../server/src/market/index.ts'

const DATE = '2026-11-26'
export const UNIVERSE_ROWS = 200_000
/** Ids of the simulated universe are below this. */
const IDS = 2 ** 52

/** The simulated universe as often as it takes, each time with other symbols. */
function* manyInstruments(): Generator<Instrument> {
  const rows = [...createUniverse({ date: DATE, seed: 1 })]
  for (let count = 0, copy = 0; count < UNIVERSE_ROWS; copy += 1) {
    for (const row of rows) {
      if (count === UNIVERSE_ROWS) return
      count += 1
      yield copy === 0 ? row : copyOf(row, `Z${copy}`, copy)
    }
  }
}

const copyOf = (row: Instrument, prefix: string, copy: number): Instrument => ({
  ...row,
  symbol: prefix + row.symbol,
  name: prefix + row.name,
  sourceSymbol: prefix + row.sourceSymbol,
  id: row.id + copy * (IDS / 4),
  token: String(row.id + copy * (IDS / 4)),
})

export interface UniverseFigures {
  readonly instruments: number
  /** From the source, and from what was kept on disk. */
  readonly loadMs: number
  readonly fromDiskMs: number
  /** Of the snapshot that was read from disk, and with its search index. */
  readonly megabytes: number
  readonly withSearchMegabytes: number
}

/** Loads a large universe, keeps it and starts again with it. Needs `--expose-gc`, or the memory is none. */
export async function universeFigures(): Promise<UniverseFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'sauda-bench-universe-'))
  try {
    const options = {
      source: sourceOf('bench', manyInstruments),
      clock: new ManualClock(`${DATE}T10:00:00+05:30`),
      file: join(folder, 'instruments.snapshot'),
    }
    const loadMs = await loaded(options)
    const before = held()
    const startedAt = performance.now()
    const universe = await InstrumentUniverse.open(options)
    const fromDiskMs = performance.now() - startedAt
    const megabytes = held() - before
    universe.current.search.search('NIFTY')
    const withSearchMegabytes = held() - before
    return { instruments: universe.store.size, loadMs, fromDiskMs, megabytes, withSearchMegabytes }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function loaded(options: Parameters<typeof InstrumentUniverse.open>[0]): Promise<number> {
  const startedAt = performance.now()
  const universe = await InstrumentUniverse.open(options)
  const loadMs = performance.now() - startedAt
  universe.follow()() // writes it
  await universe.close()
  return loadMs
}

function held(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return (heapUsed + arrayBuffers) / 1e6
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.stdout.write(`${JSON.stringify(await universeFigures())}\n`)
