import type { Exchange, Instrument } from '../instrument.ts'
import type { InstrumentStore } from '../instrument-store.ts'
import { underlyingOf } from '../underlying.ts'
import type { SimulatedMarket } from './market.ts'

/** The option of the nearest expiry after a date whose strike is closest to `share` of its underlying's price; for tests. */
export function optionNear(
  store: InstrumentStore,
  market: SimulatedMarket,
  root: string,
  exchange: Exchange,
  kind: 'CE' | 'PE',
  share: number,
  after = '',
): Instrument | undefined {
  const options = [...store.byExchange(exchange)].filter((row) => row.name === root && row.kind === kind)
  const first = options
    .map((row) => row.expiry ?? '')
    .filter((expiry) => expiry > after)
    .sort()[0]
  const chain = options.filter((row) => row.expiry === first)
  const underlying = chain[0] === undefined ? undefined : underlyingOf(store, chain[0])
  if (underlying === undefined) return undefined
  const wanted = market.quoteNow(underlying).ltp * share
  return chain.sort((a, b) => Math.abs(a.strike - wanted) - Math.abs(b.strike - wanted))[0]
}
