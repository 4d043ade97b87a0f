import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { priceOf, quantityOf } from '../../kernel/fixed.ts'
import type { Candle } from '../market-data.ts'
import { CandleFiles, type WriteStep } from './candle-files.ts'
import type { Series } from './candle-store.ts'
import { candlesOf, columnsOf } from './columns.ts'
import { type Engine, openEngine } from './engine.ts'
import { monthFile, storedMonths, storedSeries, UNFINISHED } from './series-path.ts'

const MINUTE = 60_000
const AUGUST = Date.parse('2026-08-03T09:15:00+05:30')
const SBIN: Series = { symbol: 'SBIN', exchange: 'NSE', interval: '1m' }

let base: string
let engine: Engine
let folders = 0
beforeAll(async () => {
  // A name that the engine would take for a pattern
  base = mkdtempSync(join(tmpdir(), 'sauda-[candles]*-'))
  engine = await openEngine({ memoryMib: 64, folders: [base] })
})
afterAll(() => {
  engine.close()
  rmSync(base, { recursive: true })
})

const newFolder = (): string => {
  folders += 1
  return join(base, String(folders))
}

function candle(startAt: number, close = '500.05'): Candle {
  return {
    startAt,
    open: priceOf('499.95'),
    high: priceOf('501'),
    low: priceOf('499'),
    close: priceOf(close),
    volume: quantityOf(1200),
    openInterest: quantityOf(0),
  }
}
const minutes = (from: number, count: number, close?: string): Candle[] =>
  Array.from({ length: count }, (_, index) => candle(from + index * MINUTE, close))

const all = async (files: CandleFiles, series = SBIN): Promise<Candle[]> =>
  candlesOf(await files.read(series, 0, 4_000_000_000_000))

describe('what is put', () => {
  it('is read again, exactly, in its range alone', async () => {
    const files = new CandleFiles(newFolder(), engine)
    const candles = minutes(AUGUST, 375)
    expect(await files.put(SBIN, columnsOf(candles))).toEqual({ months: 1, added: 375, changed: 0 })
    expect(await all(files)).toEqual(candles)
    const some = await files.read(SBIN, AUGUST + MINUTE, AUGUST + 3 * MINUTE)
    expect(candlesOf(some)).toEqual(candles.slice(1, 3))
    expect(await all(files, { ...SBIN, interval: '5m' })).toEqual([])
  })

  it('is exact at every value that Sauda can hold', async () => {
    const files = new CandleFiles(newFolder(), engine)
    const value = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER))
    const row = fc.tuple(value, value, value, value, value, value)
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 40 }), async (rows) => {
        const candles = rows.map(([open, high, low, close, volume, openInterest], index) => ({
          startAt: AUGUST + index * MINUTE,
          ...{ open, high, low, close, volume, openInterest },
        })) as unknown as Candle[]
        await files.put(SBIN, columnsOf(candles))
        const read = await files.read(SBIN, AUGUST, AUGUST + rows.length * MINUTE)
        expect(candlesOf(read)).toEqual(candles)
      }),
      { numRuns: 15 },
    )
  })

  it('takes the place of what has the same start, and may come in any order', async () => {
    const files = new CandleFiles(newFolder(), engine)
    await files.put(SBIN, columnsOf(minutes(AUGUST, 4).reverse()))
    const again = [...minutes(AUGUST + 2 * MINUTE, 4, '500.5'), candle(AUGUST + 2 * MINUTE, '500.6')]
    expect(await files.put(SBIN, columnsOf(again))).toEqual({ months: 1, added: 2, changed: 2 })
    const expected = [
      ...minutes(AUGUST, 2),
      candle(AUGUST + 2 * MINUTE, '500.6'),
      ...minutes(AUGUST + 3 * MINUTE, 3, '500.5'),
    ]
    expect(await all(files)).toEqual(expected)
    expect(await files.put(SBIN, columnsOf(again))).toEqual({ months: 0, added: 0, changed: 0 })
  })

  it('lies in the file of its month in the exchange’s zone', async () => {
    const folder = newFolder()
    const files = new CandleFiles(folder, engine)
    const midnight = Date.parse('2026-08-31T18:30:00Z')
    await files.put(SBIN, columnsOf([candle(midnight - MINUTE), candle(midnight)]))
    expect(storedMonths(folder, SBIN)).toEqual(['2026-08', '2026-09'])
    expect(storedMonths(folder, SBIN, midnight - MINUTE, midnight)).toEqual(['2026-08'])
    expect(await all(files)).toHaveLength(2)
  })

  it('is of a symbol whatever it is written with', async () => {
    const folder = newFolder()
    const files = new CandleFiles(folder, engine)
    const odd = ['M&M', '../../etc', 'NIFTY 50', 'A%42', "O'Neil*?[x]", 'ß₹', '.', 'BAJAJ-AUTO'].map((symbol) => ({
      ...SBIN,
      symbol,
    }))
    for (const name of ['symbol=%E0', 'symbol=a.b', '.DS_Store'])
      mkdirSync(join(folder, 'exchange=NSE/interval=1m', name), { recursive: true })
    for (const [index, series] of odd.entries()) await files.put(series, columnsOf(minutes(AUGUST, index + 1)))
    for (const [index, series] of odd.entries()) expect(await all(files, series)).toHaveLength(index + 1)
    const found = storedSeries(folder).map(({ symbol }) => symbol)
    expect(found.sort()).toEqual(odd.map(({ symbol }) => symbol).sort())
    expect(readdirSync(folder).sort()).toEqual([UNFINISHED, 'exchange=NSE'].sort())
  })
})

describe('a process that dies', () => {
  const steps: readonly WriteStep[] = ['write', 'sync', 'rename', 'sync-folder', 'done']

  it.each(steps)('before the step %s leaves the month as it was or as it is to be', async (fatal) => {
    const folder = newFolder()
    await new CandleFiles(folder, engine).put(SBIN, columnsOf(minutes(AUGUST, 3)))

    let die = (): void => undefined
    const died = new Promise<void>((resolve) => {
      die = resolve
    })
    const dying = await openEngine({ memoryMib: 128, folders: [base] })
    const before = (step: WriteStep): Promise<void> => {
      if (step !== fatal) return Promise.resolve()
      die()
      return new Promise(() => undefined)
    }
    void new CandleFiles(folder, dying, before).put(SBIN, columnsOf(minutes(AUGUST + 2 * MINUTE, 3, '600')))
    await died
    dying.close()

    const after = new CandleFiles(folder, engine)
    expect(readdirSync(join(folder, UNFINISHED))).toEqual([])
    const isNew = steps.indexOf(fatal) > steps.indexOf('rename')
    const was = minutes(AUGUST, 3)
    const willBe = [...minutes(AUGUST, 2), ...minutes(AUGUST + 2 * MINUTE, 3, '600')]
    expect(await all(after)).toEqual(isNew ? willBe : was)
    await after.put(SBIN, columnsOf(minutes(AUGUST + 2 * MINUTE, 3, '600')))
    expect(await all(after)).toEqual(willBe)
  })

  it('before the first file of a month leaves nothing of it', async () => {
    const folder = newFolder()
    const dying = await openEngine({ memoryMib: 128, folders: [base] })
    let reached = (): void => undefined
    const died = new Promise<void>((resolve) => {
      reached = resolve
    })
    const before = (step: WriteStep): Promise<void> => {
      if (step !== 'rename') return Promise.resolve()
      reached()
      return new Promise(() => undefined)
    }
    void new CandleFiles(folder, dying, before).put(SBIN, columnsOf(minutes(AUGUST, 3)))
    await died
    dying.close()
    const after = new CandleFiles(folder, engine)
    expect([storedMonths(folder, SBIN), await all(after), await after.summaries(storedSeries(folder))]).toEqual([
      [],
      [],
      [],
    ])
  })
})

describe('a file that is damaged', () => {
  it('is said to be, with what helps', async () => {
    const folder = newFolder()
    const files = new CandleFiles(folder, engine)
    await files.put(SBIN, columnsOf(minutes(AUGUST, 3)))
    writeFileSync(monthFile(folder, SBIN, '2026-08'), 'not a file of Parquet')
    await expect(all(files)).rejects.toMatchObject({
      code: 'store_damaged',
      message: expect.stringMatching(/1m candles of SBIN \(NSE\) can't be read.*history\/delete/s),
    })
    await expect(all(files)).rejects.not.toMatchObject({ message: expect.stringContaining(base) })
    expect(await files.remove(SBIN)).toBe(true)
    expect(await all(files)).toEqual([])
  })

  it.each(['NULL', '-1e9::DECIMAL(18, 8)', "'x'"])('is one of another tool whose open is %s', async (open) => {
    const folder = newFolder()
    const files = new CandleFiles(folder, engine)
    await files.put(SBIN, columnsOf(minutes(AUGUST, 3)))
    const path = monthFile(folder, SBIN, '2026-08')
    const other = `SELECT TIMESTAMPTZ '2026-08-03 03:45:00+00' AS start_at, ${open} AS open, 1 AS high, 1 AS low, 1 AS close, 0 AS volume, 0 AS open_interest`
    await engine.writing.run((connection) => connection.run(`COPY (${other}) TO '${path}' (FORMAT parquet)`))
    await expect(all(files)).rejects.toMatchObject({ code: 'store_damaged' })
  })
})

describe('a disk that can’t be written', () => {
  it('is said, and leaves what there was', async () => {
    const folder = newFolder()
    const full = (step: WriteStep): Promise<void> =>
      step === 'rename' ? Promise.reject(new Error(`ENOSPC: no space left, ${folder}/x`)) : Promise.resolve()
    await new CandleFiles(folder, engine).put(SBIN, columnsOf(minutes(AUGUST, 3)))
    const files = new CandleFiles(folder, engine, full)
    const refusal: unknown = await files.put(SBIN, columnsOf(minutes(AUGUST, 5))).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'store_unwritable', message: expect.stringContaining('no space left') })
    expect(String(refusal)).not.toContain(folder)
    expect(readdirSync(join(folder, UNFINISHED))).toEqual([])
    expect(await all(files)).toEqual(minutes(AUGUST, 3))
  })
})

describe('limits', () => {
  it('more candles than may be asked for are refused', async () => {
    const files = new CandleFiles(newFolder(), engine)
    await files.put(SBIN, columnsOf(minutes(AUGUST, 11)))
    expect((await files.read(SBIN, 0, 4_000_000_000_000, 11)).count).toBe(11)
    await expect(files.read(SBIN, 0, 4_000_000_000_000, 10)).rejects.toMatchObject({ code: 'range_too_long' })
  })

  it('the engine takes no more memory than it may', async () => {
    await engine.reading.run(async (connection) => {
      const sql = 'SELECT max(length(t)) FROM (SELECT string_agg(range::VARCHAR) AS t FROM range(20_000_000))'
      await expect(connection.run(sql)).rejects.toThrow(/Out of Memory/)
    })
  })

  it('the engine reaches nothing but its folders', async () => {
    const outside = join(base, '..', 'outside.parquet')
    await engine.writing.run(async (connection) => {
      await expect(connection.run(`COPY (SELECT 1) TO '${outside}' (FORMAT parquet)`)).rejects.toThrow(/[Pp]ermission/)
      await expect(connection.run("SELECT * FROM read_csv('/etc/passwd')")).rejects.toThrow(/[Pp]ermission/)
      await expect(connection.run('SET enable_external_access = true')).rejects.toThrow(/lock|enabl/i)
    })
    expect(existsSync(outside)).toBe(false)
  })
})

describe('a series', () => {
  it('that is deleted is gone, and the others stay', async () => {
    const folder = newFolder()
    const files = new CandleFiles(folder, engine)
    const daily: Series = { ...SBIN, interval: 'D' }
    await files.put(SBIN, columnsOf(minutes(AUGUST, 5)))
    await files.put(daily, columnsOf([candle(AUGUST)]))
    expect(await files.summaries(storedSeries(folder))).toEqual([
      { ...SBIN, candles: 5, firstAt: AUGUST, lastAt: AUGUST + 4 * MINUTE },
      { ...daily, candles: 1, firstAt: AUGUST, lastAt: AUGUST },
    ])
    expect([await files.remove(SBIN), await files.remove(SBIN)]).toEqual([true, false])
    expect(storedSeries(folder)).toEqual([daily])
    expect(await all(files, daily)).toEqual([candle(AUGUST)])
  })
})
