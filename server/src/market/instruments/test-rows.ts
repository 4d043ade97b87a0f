import { multiplierOf, priceOf, quantityOf } from '../../kernel/fixed.ts'
import type { Instrument } from '../instrument.ts'
import { type InstrumentSource, sourceOf } from './instrument-source.ts'

/** A share of NSE, or what `more` makes of it. */
export const share = (symbol: string, id: number, more: Partial<Instrument> = {}): Instrument => ({
  id,
  symbol,
  exchange: 'NSE',
  kind: 'EQ',
  name: symbol,
  expiry: undefined,
  strike: priceOf('0'),
  lotSize: quantityOf('1'),
  tickSize: priceOf('0.05'),
  freezeQuantity: quantityOf('0'),
  multiplier: multiplierOf('1'),
  token: `T${id}`,
  sourceSymbol: symbol,
  sourceExchange: 'NSE',
  ...more,
})

/** A call of NFO that is right in itself. */
export const call = (id: number, more: Partial<Instrument> = {}): Instrument =>
  share('NIFTY28OCT2526000CE', id, {
    exchange: 'NFO',
    kind: 'CE',
    name: 'NIFTY',
    expiry: '2025-10-28',
    strike: priceOf('26000'),
    lotSize: quantityOf('65'),
    freezeQuantity: quantityOf('1800'),
    sourceSymbol: more.symbol ?? 'NIFTY28OCT2526000CE',
    ...more,
  })

export const shares = (count: number, firstId = 1): Instrument[] =>
  Array.from({ length: count }, (_, n) => share(`S${firstId + n}`, firstId + n))

/** A source whose rows a test exchanges, and whose loads it counts. */
export class TestSource implements InstrumentSource {
  edition = 'test'
  loads = 0
  rows: readonly Instrument[]
  /** Thrown by the next loads. */
  error: Error | undefined

  constructor(rows: readonly Instrument[]) {
    this.rows = rows
  }

  async *instruments(date: string): AsyncGenerator<readonly Instrument[]> {
    this.loads += 1
    if (this.error !== undefined) throw this.error
    yield* sourceOf(this.edition, () => this.rows).instruments(date)
  }
}
