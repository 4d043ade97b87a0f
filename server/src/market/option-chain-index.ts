import { dateOf, type ExchangeDate } from '../kernel/exchange-time.ts'
import type { Price } from '../kernel/fixed.ts'
import type { Instrument } from './instrument.ts'

export type OptionType = 'CE' | 'PE'

/** Columns of the store that chains are made of. */
export interface OptionColumns {
  /** Undefined for what isn't an option. */
  optionTypeAt(row: number): OptionType | undefined
  nameAt(row: number): string
  expiryDayAt(row: number): number
  strikeAt(row: number): Price
  at(row: number): Instrument
}

/** Listed options of one type, underlying and expiry. */
interface Side {
  readonly rows: number[]
  /** Ascending, without repetition; made when first asked for. */
  strikes: readonly Price[] | undefined
}

/** The options of one underlying that expire on the same day. */
export class OptionChain {
  readonly expiry: ExchangeDate
  readonly #columns: OptionColumns
  readonly #sides: Readonly<Record<OptionType, Side>> = {
    CE: { rows: [], strikes: undefined },
    PE: { rows: [], strikes: undefined },
  }

  constructor(expiry: ExchangeDate, columns: OptionColumns) {
    this.expiry = expiry
    this.#columns = columns
  }

  add(type: OptionType, row: number): void {
    this.#sides[type].rows.push(row)
  }

  /** Strikes listed for that type, ascending. */
  strikes(type: OptionType): readonly Price[] {
    return this.#sorted(type)
  }

  /** The option of exactly that strike. */
  find(strike: number, type: OptionType): Instrument | undefined {
    const strikes = this.#sorted(type)
    const index = firstNotBelow(strikes, strike)
    const row = strikes[index] === strike ? this.#sides[type].rows[index] : undefined
    return row === undefined ? undefined : this.#columns.at(row)
  }

  #sorted(type: OptionType): readonly Price[] {
    const side = this.#sides[type]
    if (side.strikes !== undefined) return side.strikes
    side.rows.sort((a, b) => this.#columns.strikeAt(a) - this.#columns.strikeAt(b))
    side.strikes = side.rows.map((row) => this.#columns.strikeAt(row))
    return side.strikes
  }
}

/** Index of the first of ascending strikes that isn't below `value`; their number when all are. */
export function firstNotBelow(strikes: readonly number[], value: number): number {
  let low = 0
  let high = strikes.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((strikes[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return low
}

interface ChainsOfName {
  readonly byDay: Map<number, OptionChain>
  expiries: readonly ExchangeDate[] | undefined
}

/**
 * Chains of one exchange by underlying and expiry. Building it is one pass over the exchange's rows that makes no
 * instrument; a chain is sorted when it is first asked for.
 */
export class OptionChainIndex {
  readonly #byName = new Map<string, ChainsOfName>()

  constructor(rows: Iterable<number>, columns: OptionColumns) {
    let name = ''
    let chains: ChainsOfName | undefined
    let day = Number.NaN
    let chain: OptionChain | undefined
    for (const row of rows) {
      const type = columns.optionTypeAt(row)
      if (type === undefined) continue
      const rowName = columns.nameAt(row)
      const rowDay = columns.expiryDayAt(row)
      // Sources list a chain's options one after the other, so most rows belong where the one before did.
      if (chain === undefined || chains === undefined || rowName !== name || rowDay !== day) {
        chains = this.#chainsOf(rowName)
        chain = chains.byDay.get(rowDay) ?? new OptionChain(dateOf(rowDay), columns)
        chains.byDay.set(rowDay, chain)
        name = rowName
        day = rowDay
      }
      chain.add(type, row)
    }
  }

  /** Underlyings that have options here. */
  names(): Iterable<string> {
    return this.#byName.keys()
  }

  /** Days on which options of that underlying expire, ascending. */
  expiries(name: string): readonly ExchangeDate[] {
    const chains = this.#byName.get(name)
    if (chains === undefined) return []
    chains.expiries ??= [...chains.byDay.keys()].sort((a, b) => a - b).map(dateOf)
    return chains.expiries
  }

  chain(name: string, expiryDay: number): OptionChain | undefined {
    return this.#byName.get(name)?.byDay.get(expiryDay)
  }

  #chainsOf(name: string): ChainsOfName {
    let chains = this.#byName.get(name)
    if (chains === undefined) {
      chains = { byDay: new Map(), expiries: undefined }
      this.#byName.set(name, chains)
    }
    return chains
  }
}
