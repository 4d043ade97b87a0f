import type { Instrument } from '../instrument.ts'
import { acceptMarketDataSource } from '../test-market-data-port.ts'
import { listedAs, markets } from './test-listed.ts'

const instruments = [
  listedAs('SBIN', 'NSE'),
  listedAs('NIFTY', 'NSE_INDEX'),
  listedAs('NIFTY30MAR26FUT', 'NFO'),
] as const
const unknown: Instrument = { ...listedAs('SBIN', 'NSE'), id: 1e9, symbol: 'NOBODY', name: 'NOBODY', token: 'none' }

acceptMarketDataSource('the simulated market', () => {
  const { clock, counting, simulator: source } = markets()
  return { source, clock, instruments, unknown, held: () => counting.tasks }
})

// A source that answers later, as a broker's does, keeps the same contract
acceptMarketDataSource('a remote source', () => {
  const { clock, counting, remote: source } = markets()
  return { source, clock, instruments, unknown, held: () => counting.tasks }
})
