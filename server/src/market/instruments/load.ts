import { setImmediate as otherWork } from 'node:timers/promises'
import type { ExchangeDate } from '../../kernel/exchange-time.ts'
import { InstrumentStore } from '../instrument-store.ts'
import { ColumnsBuilder, INSTRUMENTS_MAX } from './columns.ts'
import { FaultFinder } from './faults.ts'
import type { InstrumentSource } from './instrument-source.ts'
import { shrinkageOf } from './shrinkage.ts'

/** Faulty rows that a report names. */
export const FAULTS_NAMED_MAX = 20

/** Rows of a first load, about. */
const ROWS_EXPECTED = 100_000

/** What a source gave, and why it isn't taken; `refusal` is undefined when it is. */
export interface Loaded {
  readonly store: InstrumentStore
  readonly refusal: string | undefined
  /** Rows that are wrong in themselves, or there twice. */
  readonly faultCount: number
  /** What is wrong with the first of them. */
  readonly faults: readonly string[]
}

export interface LoadOptions {
  /** What there is now; a load that lost too much of it is refused. */
  readonly before: InstrumentStore | undefined
  /** Takes a load that lost however much. */
  readonly mayShrink: boolean
  /** Lets other work go on between pieces. */
  readonly isGentle: boolean
}

/**
 * Takes all instruments of a day from a source. One row that is wrong or there twice refuses all: corrupt data is worse
 * than yesterday's. Rejects with what the source throws.
 */
export async function load(source: InstrumentSource, date: ExchangeDate, options: LoadOptions): Promise<Loaded> {
  const builder = new ColumnsBuilder(options.before?.size ?? ROWS_EXPECTED)
  const finder = new FaultFinder(date)
  const faults: string[] = []
  let faultCount = 0
  const fault = (symbol: string, exchange: string, what: string): void => {
    faultCount += 1
    if (faults.length < FAULTS_NAMED_MAX) faults.push(`${exchange}:${symbol}: ${what}`)
  }
  let rows = 0
  for await (const piece of source.instruments(date)) {
    if (options.isGentle) await otherWork()
    rows += piece.length
    if (rows > INSTRUMENTS_MAX) break
    for (const row of piece) {
      const wrong = finder.faultOf(row)
      if (wrong !== undefined) {
        fault(row.symbol, row.exchange, wrong)
        continue
      }
      const repeated = builder.add(row)
      if (repeated === undefined) continue
      fault(row.symbol, row.exchange, repeated === 'symbol' ? 'listed twice' : `another has its id ${row.id}`)
    }
  }
  const store = new InstrumentStore(builder.seal())
  return { store, faultCount, faults, refusal: refusalOf() }

  function refusalOf(): string | undefined {
    if (rows > INSTRUMENTS_MAX) return `there are more than ${INSTRUMENTS_MAX} instruments`
    if (faultCount > 0) return `${faultCount} of ${rows} rows are wrong: ${faults[0]}`
    if (store.size === 0) return 'there are no instruments'
    if (options.before === undefined || options.mayShrink) return undefined
    return shrinkageOf(options.before, store)
  }
}
