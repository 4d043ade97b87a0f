import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { PRICE_ONE } from '../kernel/fixed.ts'
import { EXCHANGES, type Exchange, type Instrument } from './instrument.ts'
import { InstrumentStore } from './instrument-store.ts'
import { SymbolSearch } from './search.ts'
import { createUniverse } from './simulator/index.ts'

let store: InstrumentStore
let search: SymbolSearch

beforeAll(() => {
  store = new InstrumentStore(createUniverse({ date: '2026-03-10', seed: 5 }))
  search = new SymbolSearch(store)
})

/** The rules of searching, as plainly as they can be written. */
function plainSearch(rows: readonly Instrument[], query: string, exchange: Exchange | undefined): Instrument[] {
  const terms = query.toUpperCase().split(/\s+/).filter(Boolean)
  const whole = terms.join('')
  const found: { row: Instrument; score: number }[] = []
  for (const row of rows) {
    if (exchange !== undefined && row.exchange !== exchange) continue
    const texts = [row.symbol, row.sourceSymbol.toUpperCase(), row.name.toUpperCase(), row.token]
    const matches = terms.every(
      (term) =>
        texts.some((text) => text.includes(term)) ||
        (/^\d+(\.\d+)?$/.test(term) && row.strike > 0 && row.strike === Number(term) * PRICE_ONE),
    )
    if (!matches) continue
    const inSymbol = terms.every((term) => row.symbol.includes(term))
    const score = row.symbol === whole ? 0 : row.symbol.startsWith(whole) ? 1 : inSymbol ? 2 : 3
    found.push({ row, score })
  }
  found.sort(
    (a, b) =>
      a.score - b.score ||
      a.row.symbol.length - b.row.symbol.length ||
      (a.row.symbol < b.row.symbol ? -1 : a.row.symbol > b.row.symbol ? 1 : 0),
  )
  return found.map((entry) => entry.row)
}

const symbolsOf = (rows: readonly Instrument[]): string[] => rows.map((row) => `${row.exchange}:${row.symbol}`)

describe('SymbolSearch', () => {
  test('agrees with a plain search of all rows', () => {
    const rows = [...store]
    const piece = fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 7 })).map(([n, from, length]) => {
      const row = rows[n % rows.length]
      const text = [row?.symbol, row?.name, row?.token, row?.sourceSymbol][from % 4] ?? ''
      const words = text.split(' ')
      const word = words[from % words.length] ?? ''
      const start = from % Math.max(1, word.length - 1)
      return word.slice(start, start + length) || 'A'
    })
    const word = fc.oneof(
      piece,
      piece.map((text) => text.toLowerCase()),
      fc.constantFrom('NIFTY', 'CE', '1', '0', 'FUT', '26000', '292.5', 'BANK', 'M&M', "DIVI'S", 'ZQX', '97.50'),
    )
    const query = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(' '))
    fc.assert(
      fc.property(query, fc.option(fc.constantFrom(...EXCHANGES), { nil: undefined }), (text, exchange) => {
        const expected = plainSearch(rows, text, exchange)
        const found = search.find(text, exchange)
        expect(found.total).toBe(expected.length)
        expect(symbolsOf(found.instruments)).toEqual(symbolsOf(expected.slice(0, 500)))
      }),
      { numRuns: 60 },
    )
  })

  test('puts the exact symbol first, then symbols that begin with the query', () => {
    const found = search.search('NIFTY', 'NSE_INDEX').map((row) => row.symbol)
    expect(found[0]).toBe('NIFTY')
    expect(found[1]).toBe('NIFTYIT')
    expect(found.indexOf('FINNIFTY')).toBeGreaterThan(found.lastIndexOf('NIFTY100LOWVOL30'))
  })

  test('reads several words as one symbol with blanks', () => {
    const option = store.find('NIFTY30MAR2626000CE', 'NFO')
    expect(option).toBeDefined()
    expect(search.search('nifty 30mar26 26000 ce')[0]).toBe(option)
  })

  test('never searches another exchange than the one asked for', () => {
    expect(search.find('RELIANCE', 'NCDEX')).toEqual({ instruments: [], total: 0 })
    for (const row of search.search('GOLD', 'MCX')) expect(row.exchange).toBe('MCX')
  })

  test('finds a company by words of its name', () => {
    expect(search.search('tata consultancy', 'NSE').map((row) => row.symbol)).toEqual(['TCS'])
  })

  test('finds by token', () => {
    const row = store.find('SBIN', 'NSE')
    expect(search.search(row?.token ?? '')).toEqual([row])
  })

  test.each(['', '   ', 'A'.repeat(300), 'A B C D E F G H I J K L M'])('"%s" finds nothing', (query) => {
    expect(search.find(query)).toEqual({ instruments: [], total: 0 })
  })

  test('keeps to the limit and still counts all', () => {
    const found = search.find('CE', 'NFO', 10)
    expect(found.instruments).toHaveLength(10)
    expect(found.total).toBeGreaterThan(10_000)
    expect(search.search('CE')).toHaveLength(500)
  })
})
