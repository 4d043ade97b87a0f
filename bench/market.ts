import { fileURLToPath } from 'node:url'
import { systemClock } from '../server/src/kernel/clock.ts'
import { dateAt } from '../server/src/kernel/exchange-time.ts'
import { createUniverse, InstrumentStore, SymbolSearch } from '../server/src/market/index.ts'

const QUERIES = [
  'NIFTY',
  'CE',
  '1',
  'A',
  'SBIN',
  'NIFTY 26000 CE',
  'RELIANCE FUT',
  'BANKNIFTY PE',
  'GOLD',
  '26000',
  'BTC',
  'ZZZZ',
  'E',
  'NIFTY 2',
  'TATA',
]

/** Search over the whole universe: percentiles over many runs of common, rare and worst queries. */
export function searchTimes(rounds: number): {
  instruments: number
  buildMs: number
  p50Ms: number
  p99Ms: number
  maxMs: number
} {
  const startedAt = performance.now()
  const store = new InstrumentStore(createUniverse({ date: dateAt(systemClock.now()), seed: 1 }))
  const search = new SymbolSearch(store)
  const buildMs = performance.now() - startedAt
  const times: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    for (const query of QUERIES) {
      const before = performance.now()
      search.search(query)
      times.push(performance.now() - before)
    }
  }
  times.sort((a, b) => a - b)
  const at = (share: number): number => times[Math.floor((times.length - 1) * share)] ?? 0
  return { instruments: store.size, buildMs, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(`${JSON.stringify(searchTimes(50))}\n`)
