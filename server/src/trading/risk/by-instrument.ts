import type { Exchange, Instrument } from '../../market/instrument.ts'

export type Named = Pick<Instrument, 'exchange' | 'symbol'>

/** Values by instrument. A name made of exchange and symbol would cost more than all that is looked up under it. */
export class ByInstrument<Value> {
  readonly #values = new Map<Exchange, Map<string, Value>>()

  get({ exchange, symbol }: Named): Value | undefined {
    return this.#values.get(exchange)?.get(symbol)
  }

  set({ exchange, symbol }: Named, value: Value): void {
    const bySymbol = this.#values.get(exchange)
    if (bySymbol === undefined) this.#values.set(exchange, new Map([[symbol, value]]))
    else bySymbol.set(symbol, value)
  }

  /** Any of them may be deleted meanwhile. */
  *[Symbol.iterator](): Generator<readonly [Named, Value]> {
    for (const [exchange, bySymbol] of this.#values)
      for (const [symbol, value] of bySymbol) yield [{ exchange, symbol }, value]
  }

  delete({ exchange, symbol }: Named): void {
    this.#values.get(exchange)?.delete(symbol)
  }
}
