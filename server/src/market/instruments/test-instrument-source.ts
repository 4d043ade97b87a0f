import { beforeAll, describe, expect, it } from 'vitest'
import type { ExchangeDate } from '../../kernel/exchange-time.ts'
import type { Instrument } from '../instrument.ts'
import { InstrumentStore } from '../instrument-store.ts'
import { differenceOf } from './difference.ts'
import { FaultFinder } from './faults.ts'
import { type InstrumentSource, PIECE_ROWS_MAX } from './instrument-source.ts'
import { load } from './load.ts'

/** A source for the acceptance suite. */
export interface SourceUnderTest {
  readonly source: InstrumentSource
  /** A trading day, and the next one. */
  readonly date: ExchangeDate
  readonly nextDate: ExchangeDate
}

/** What every source of instruments must do, wherever it has them from. */
export function acceptInstrumentSource(name: string, open: () => Promise<SourceUnderTest> | SourceUnderTest): void {
  describe(`the instruments port of ${name}`, () => {
    let under: SourceUnderTest
    let pieces: (readonly Instrument[])[]
    let rows: readonly Instrument[]
    beforeAll(async () => {
      under = await open()
      pieces = await Array.fromAsync(under.source.instruments(under.date))
      rows = pieces.flat()
    })

    it('1: names itself', () => {
      expect(under.source.edition).not.toBe('')
    })

    it('2: gives pieces that leave time for other work', () => {
      for (const piece of pieces) {
        expect(piece.length).toBeGreaterThan(0)
        expect(piece.length).toBeLessThanOrEqual(PIECE_ROWS_MAX)
      }
    })

    it('3: gives no row with a fault, whatever its own files say', () => {
      const finder = new FaultFinder(under.date)
      const faulty = rows.flatMap((row) => {
        const fault = finder.faultOf(row)
        return fault === undefined ? [] : [`${row.exchange}:${row.symbol}: ${fault}`]
      })
      expect(faulty).toEqual([])
    })

    it('4: gives every (symbol, exchange), id and, on one exchange, token once', () => {
      const isUnique = (key: (row: Instrument) => unknown) => expect(new Set(rows.map(key)).size).toBe(rows.length)
      isUnique(({ exchange, symbol }) => `${exchange}:${symbol}`)
      isUnique(({ id }) => id)
      isUnique(({ exchange, token }) => `${exchange}:${token}`)
    })

    it('5: gives what every contract is priced by', () => {
      const roots = new Set(rows.flatMap(({ kind, name }) => (kind === 'CE' || kind === 'PE' ? [name] : [])))
      const known = new Set(
        rows.flatMap(({ kind, name, symbol }) => (kind === 'CE' || kind === 'PE' ? [] : [name, symbol])),
      )
      expect([...roots].filter((root) => !known.has(root))).toEqual([])
    })

    it('6: gives both a call and a put of every strike', () => {
      const sides = new Map<string, number>()
      for (const { exchange, symbol, kind } of rows) {
        if (kind !== 'CE' && kind !== 'PE') continue
        const strike = `${exchange}:${symbol.slice(0, -2)}`
        sides.set(strike, (sides.get(strike) ?? 0) + 1)
      }
      expect([...sides].filter(([, count]) => count !== 2)).toEqual([])
    })

    it('7: gives the same again for the same day', async () => {
      const again = (await Array.fromAsync(under.source.instruments(under.date))).flat()
      expect(again.map(({ id }) => id)).toEqual(rows.map(({ id }) => id))
      const { changed } = await differenceOf(new InstrumentStore(rows), new InstrumentStore(again))
      expect(changed.first).toEqual([])
    })

    it('8: gives an instrument the same id on the next day, and no id to another one', async () => {
      const before = new InstrumentStore(rows)
      const { store, refusal } = await load(under.source, under.nextDate, { before, mayShrink: false, isGentle: false })
      expect(refusal).toBeUndefined()
      const other = [...store].filter(({ symbol, exchange, id }) => {
        const [known, sameId] = [before.find(symbol, exchange), before.byId(id)]
        return known?.id !== sameId?.id || (sameId !== undefined && sameId.symbol !== symbol)
      })
      expect(other).toEqual([])
      const { removed } = await differenceOf(before, store)
      expect(removed.count).toBeLessThan(before.size / 4)
    })
  })
}
