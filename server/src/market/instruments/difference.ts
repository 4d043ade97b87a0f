import { setImmediate as otherWork } from 'node:timers/promises'
import { EXCHANGES } from '../instrument.ts'
import type { InstrumentStore } from '../instrument-store.ts'
import type { InstrumentColumns } from './columns.ts'

/** Instruments of each kind of difference that a report names. */
export const NAMED_MAX = 20
/** Rows between two breaks for other work. */
const ROWS_AT_ONCE = 2_000

/** Some of the instruments, and how many there are in all. */
export interface Named {
  readonly count: number
  /** `EXCHANGE:SYMBOL`, at most NAMED_MAX. */
  readonly first: readonly string[]
}

/** What another snapshot has that the one before had not, and the other way round. */
export interface Difference {
  readonly added: Named
  readonly removed: Named
  /** In both, with other facts. */
  readonly changed: Named
}

class Naming implements Named {
  count = 0
  readonly first: string[] = []

  add(store: InstrumentStore, row: number): void {
    this.count += 1
    if (this.first.length < NAMED_MAX) this.first.push(nameOf(store, row))
  }
}

const nameOf = (store: InstrumentStore, row: number): string =>
  `${EXCHANGES[store.exchangeNumberAt(row)]}:${store.symbolAt(row)}`

/** Compares all facts of two snapshots, in pieces, so that other work goes on. `before` is undefined for the first one. */
export async function differenceOf(before: InstrumentStore | undefined, after: InstrumentStore): Promise<Difference> {
  const added = new Naming()
  const removed = new Naming()
  const changed = new Naming()
  if (before === undefined) {
    for (let row = 0; row < Math.min(after.size, NAMED_MAX); row += 1) added.add(after, row)
    added.count = after.size
    return { added, removed, changed }
  }
  const isKept = new Uint8Array(before.size)
  for (let row = 0; row < after.size; row += 1) {
    if (row % ROWS_AT_ONCE === 0) await otherWork()
    const exchange = EXCHANGES[after.exchangeNumberAt(row)]
    const old = exchange === undefined ? -1 : before.rowOf(after.symbolAt(row), exchange)
    if (old < 0) {
      added.add(after, row)
      continue
    }
    isKept[old] = 1
    if (!isEqual(before, old, after, row)) changed.add(after, row)
  }
  for (let row = 0; row < before.size; row += 1) if (isKept[row] === 0) removed.add(before, row)
  return { added, removed, changed }
}

const NUMBERS = [
  'ids',
  'kinds',
  'expiryDays',
  'strikes',
  'lotSizes',
  'tickSizes',
  'freezeQuantities',
  'multipliers',
] as const satisfies readonly (keyof InstrumentColumns)[]

function isEqual(before: InstrumentStore, old: number, after: InstrumentStore, row: number): boolean {
  const [a, b] = [before.columns, after.columns]
  return (
    NUMBERS.every((name) => a[name][old] === b[name][row]) &&
    before.nameAt(old) === after.nameAt(row) &&
    before.sharedText(a.sourceExchanges[old] ?? 0) === after.sharedText(b.sourceExchanges[row] ?? 0) &&
    isSameText(a.tokens, old, b.tokens, row) &&
    isSameText(a.sourceSymbols, old, b.sourceSymbols, row)
  )
}

function isSameText(a: InstrumentColumns['tokens'], old: number, b: InstrumentColumns['tokens'], row: number): boolean {
  return a.bytes.compare(b.bytes, b.startOf(row), b.endOf(row), a.startOf(old), a.endOf(old)) === 0
}
