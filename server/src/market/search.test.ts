import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { PRICE_ONE, priceOf } from '../kernel/fixed.ts'
import { EXCHANGES, type Exchange, INSTRUMENT_KINDS, type Instrument } from './instrument.ts'
import { InstrumentStore } from './instrument-store.ts'
import { type SearchFilter, SymbolSearch } from './search.ts'
import { createUniverse } from './simulator/index.ts'
import { expiryCode } from './symbol.ts'

let store: InstrumentStore
let search: SymbolSearch

beforeAll(() => {
  store = new InstrumentStore(createUniverse({ date: '2026-03-10', seed: 5 }))
  search = new SymbolSearch(store)
})

/** All that a word can be of an instrument as a whole. */
function wholeParts({ kind, name, expiry }: Instrument): string[] {
  const code = expiry === undefined ? '' : expiryCode(expiry)
  const days = code === '' ? [] : [code, code.slice(0, 2), code.slice(2, 5), code.slice(0, 5), code.slice(2)]
  const upper = name.toUpperCase()
  return [kind, upper, ...upper.split(' '), ...days]
}

/** The rules of searching, as plainly as they can be written. */
function plainSearch(rows: readonly Instrument[], query: string, exchange: Exchange | undefined): Instrument[] {
  const terms = query.toUpperCase().split(/\s+/).filter(Boolean)
  const whole = terms.join('')
  const found: { row: Instrument; score: number }[] = []
  for (const row of rows) {
    if (exchange !== undefined && row.exchange !== exchange) continue
    const texts = [row.symbol, row.sourceSymbol.toUpperCase(), row.name.toUpperCase(), row.token]
    const isStrike = (term: string) =>
      /^\d+(\.\d+)?$/.test(term) && row.strike > 0 && row.strike === Number(term) * PRICE_ONE
    const matches = terms.every((term) => texts.some((text) => text.includes(term)) || isStrike(term))
    if (!matches) continue
    const inSymbol = terms.every((term) => row.symbol.includes(term))
    const isExact = terms.length > 1 && terms.every((term) => wholeParts(row).includes(term) || isStrike(term))
    const score = row.symbol === whole ? 0 : row.symbol.startsWith(whole) ? 1 : isExact ? 2 : inSymbol ? 3 : 4
    found.push({ row, score })
  }
  found.sort(
    (a, b) =>
      a.score - b.score ||
      (a.score === 2 ? (a.row.expiry ?? '').localeCompare(b.row.expiry ?? '') : 0) ||
      a.row.symbol.length - b.row.symbol.length ||
      (a.row.symbol < b.row.symbol ? -1 : a.row.symbol > b.row.symbol ? 1 : 0),
  )
  return found.map((entry) => entry.row)
}

const NOTHING = { instruments: [], total: 0, isSimilar: false }
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
      fc.constantFrom(
        'NIFTY',
        'CE',
        '1',
        '0',
        'FUT',
        '26000',
        '292.5',
        'BANK',
        'M&M',
        "DIVI'S",
        'ZQX',
        '97.50',
        'MAR',
        '30MAR26',
      ),
    )
    const query = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(' '))
    fc.assert(
      fc.property(query, fc.option(fc.constantFrom(...EXCHANGES), { nil: undefined }), (text, exchange) => {
        const expected = plainSearch(rows, text, exchange)
        const found = search.find(text, { exchange })
        if (found.isSimilar) {
          expect(expected).toEqual([])
          return
        }
        expect(found.total).toBe(expected.length)
        expect(symbolsOf(found.instruments)).toEqual(symbolsOf(expected.slice(0, 500)))
      }),
      { numRuns: 40 },
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
    expect(search.find('RELIANCE', { exchange: 'NCDEX' })).toEqual(NOTHING)
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
    expect(search.find(query)).toEqual(NOTHING)
  })

  test('keeps to the limit and still counts all', () => {
    const found = search.find('CE', { exchange: 'NFO' }, 10)
    expect(found.instruments).toHaveLength(10)
    expect(found.total).toBeGreaterThan(10_000)
    expect(search.search('CE')).toHaveLength(500)
  })

  test.each([
    ['nifty 26000 ce', 'NIFTY10MAR2626000CE'],
    ['26000 pe nifty', 'NIFTY10MAR2626000PE'],
    ['nifty mar fut', 'NIFTY30MAR26FUT'],
    ['nifty 30mar 26000 ce', 'NIFTY30MAR2626000CE'],
    ['nifty fut', 'NIFTY30MAR26FUT'],
    ['reliance apr26 fut', 'RELIANCE28APR26FUT'],
  ])('"%s" means %s: whole words come before parts of words, and the nearest expiry first', (query, symbol) => {
    expect(search.search(query)[0]?.symbol).toBe(symbol)
  })

  describe('with filters', () => {
    const all = (filter: SearchFilter) => symbolsOf(search.find('', filter).instruments)

    test('lists what fits, by exchange, underlying, expiry and strike', () => {
      const filter = {
        exchange: 'NFO',
        kind: 'CE',
        underlying: 'NIFTY',
        expiry: '2026-03-30',
        strikeMin: priceOf('25900'),
        strikeMax: priceOf('26000'),
      } as const
      expect(all(filter)).toEqual(['NFO:NIFTY30MAR2625900CE', 'NFO:NIFTY30MAR2625950CE', 'NFO:NIFTY30MAR2626000CE'])
      expect(all({ underlying: 'NIFTY', kind: 'FUT' })).toEqual(
        store.futures('NIFTY', 'NFO').map(({ symbol }) => `NFO:${symbol}`),
      )
    })

    test('agrees with a plain filter of all rows, with and without words', () => {
      const rows = [...store]
      const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
      const strike = fc.constantFrom('100', '1500', '26000').map(priceOf)
      const filters = fc.record({
        exchange: maybe(fc.constantFrom<Exchange>('NSE', 'NFO', 'MCX', 'CRYPTO')),
        kind: maybe(fc.constantFrom(...INSTRUMENT_KINDS)),
        underlying: maybe(fc.constantFrom('NIFTY', 'GOLD', 'BTC', 'SBIN', 'M&M', 'NONE')),
        expiry: maybe(fc.constantFrom('2026-03-30', '2026-03-17', '2026-03-11')),
        strikeMin: maybe(strike),
        strikeMax: maybe(strike),
      })
      fc.assert(
        fc.property(filters, fc.constantFrom('', 'CE', 'NIFTY 26000'), (filter, query) => {
          if (query === '' && Object.values(filter).every((value) => value === undefined)) return
          const fitting = rows.filter((row) => fits(row, filter))
          const expected = query === '' ? fitting : plainSearch(fitting, query, undefined)
          const found = search.find(query, filter)
          expect([found.total, found.isSimilar]).toEqual([expected.length, false])
          if (query === '') expect(new Set(expected)).toEqual(new Set([...expected, ...found.instruments]))
          else expect(symbolsOf(found.instruments)).toEqual(symbolsOf(expected.slice(0, 500)))
        }),
        { numRuns: 15 },
      )
    })

    test('a strike fits options alone', () => {
      expect(new Set(search.find('NIFTY', { strikeMin: priceOf('0') }).instruments.map(({ kind }) => kind))).toEqual(
        new Set(['CE', 'PE']),
      )
    })
  })

  describe('puts typing errors right', () => {
    test.each([
      ['RELAINCE', 'RELIANCE'],
      ['bankniftty fut', 'BANKNIFTY30MAR26FUT'],
      ['tata consultncy', 'TCS'],
    ])('of "%s", and says so', (query, symbol) => {
      const found = search.find(query)
      expect(found.isSimilar).toBe(true)
      expect(found.instruments.map((row) => row.symbol)).toContain(symbol)
      expect(found.total).toBeGreaterThanOrEqual(found.instruments.length)
    })

    test('only when nothing matches as it was written', () => {
      expect(search.find('NIFT').isSimilar).toBe(false)
      expect(search.find('NIFTY 26000 CE').isSimilar).toBe(false)
    })

    test('not of short words, of numbers, or of words that are nowhere near', () => {
      for (const query of ['ZQ', 'NIFTY 26001.5', 'QQQQQQQQQQ', 'NIFTY 26000 QQQQQQQQQQ'])
        expect(search.find(query)).toEqual(NOTHING)
    })

    test('only where the filter looks', () => {
      const found = search.find('RELAINCE', { exchange: 'BSE' })
      expect(symbolsOf(found.instruments)[0]).toBe('BSE:RELIANCE')
      expect(found.instruments.every(({ exchange }) => exchange === 'BSE')).toBe(true)
    })
  })
})

function fits(row: Instrument, filter: SearchFilter): boolean {
  const { exchange, kind, underlying, expiry, strikeMin, strikeMax } = filter
  const wantsStrike = strikeMin !== undefined || strikeMax !== undefined
  return (
    (exchange === undefined || row.exchange === exchange) &&
    (kind === undefined || row.kind === kind) &&
    (expiry === undefined || row.expiry === expiry) &&
    (underlying === undefined || (row.name === underlying && ['FUT', 'CE', 'PE', 'PERPFUT'].includes(row.kind))) &&
    (!wantsStrike || (row.strike > 0 && row.strike >= (strikeMin ?? 0) && row.strike <= (strikeMax ?? Infinity)))
  )
}
