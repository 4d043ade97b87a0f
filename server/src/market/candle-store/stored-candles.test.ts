import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { priceOf, quantityOf } from '../../kernel/fixed.ts'
import type { Candle } from '../market-data.ts'
import type { Series } from './candle-store.ts'
import { EXPORT_CANDLES_MAX } from './export-file.ts'
import type { ImportWanted } from './import-file.ts'
import { CALLS_MAX } from './store-thread.ts'
import { StoredCandles } from './stored-candles.ts'

const MINUTE = 60_000
const OPENING = Date.parse('2026-08-31T09:15:00+05:30')
const ALL = { fromAt: 0, toAt: 4_000_000_000_000 }
const series = (symbol: string, interval: Series['interval'] = '1m'): Series => ({ symbol, exchange: 'NSE', interval })

let folder: string
let store: StoredCandles
const clock = new ManualClock('2026-11-25T11:00:00+05:30')
const opened: StoredCandles[] = []
const open = (name = '.'): StoredCandles => {
  const within = (part: string): string => join(folder, name, part)
  const folders = { candles: within('candles'), imports: within('import'), exports: within('export') }
  const onError = (error: unknown): never => {
    throw error
  }
  const made = new StoredCandles({ folders, memoryMib: 128, clock, onError })
  opened.push(made)
  return made
}
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-store-'))
  mkdirSync(join(folder, 'import'))
  store = open()
})
afterAll(async () => {
  for (const one of opened) await one.close()
  rmSync(folder, { recursive: true })
})

const candle = (startAt: number, close: string): Candle => ({
  startAt,
  open: priceOf('499.95'),
  high: priceOf('1000.00000001'),
  low: priceOf('0'),
  close: priceOf(close),
  volume: quantityOf('1200.000001'),
  openInterest: quantityOf('9007199254.740991'),
})
const CANDLES = [
  candle(OPENING, '500.05'),
  candle(OPENING + MINUTE, '500'),
  candle(OPENING + 40 * 24 * 60 * MINUTE, '0.00000001'),
]
const file = (name: string, ...lines: string[]): void =>
  writeFileSync(join(folder, 'import', name), `${lines.join('\n')}\n`)
const imported = (name: string, more: Partial<ImportWanted> = {}) => store.importFile({ file: name, ...more })
const stored = (of: Series) => store.candles(of, of.interval, ALL.fromAt, ALL.toAt)

describe('the engine', () => {
  it('isn’t loaded by the server’s start, nor for what isn’t there', async () => {
    const index = new URL('./index.ts', import.meta.url).href
    const script = `await import(${JSON.stringify(index)}); console.log(process.report.getReport().sharedObjects.join('\\n'))`
    const objects = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    expect(objects).not.toMatch(/duckdb/)
    const idle = open('idle')
    expect(await idle.candles({ symbol: 'SBIN', exchange: 'NSE' }, '1m', ALL.fromAt, ALL.toAt)).toEqual([])
    expect(await idle.intervals({ symbol: 'SBIN', exchange: 'NSE' })).toEqual([])
    expect([...(await idle.starts(series('SBIN'), ALL.fromAt, ALL.toAt))]).toEqual([])
    expect([await idle.series(), await idle.summaries([series('SBIN')]), await idle.remove(series('SBIN'))]).toEqual([
      [],
      [],
      false,
    ])
    expect(await idle.put(series('SBIN'), [])).toEqual({ months: 0, added: 0, changed: 0 })
    expect([idle.isRunning, existsSync(join(folder, 'idle', 'candles'))]).toEqual([false, false])
  })

  it('keeps candles exactly, and gives its memory back when nobody asks for a while', async () => {
    expect(await store.put(series('SBIN'), CANDLES)).toEqual({ months: 2, added: 3, changed: 0 })
    expect(await stored(series('SBIN'))).toEqual(CANDLES)
    expect([...(await store.starts(series('SBIN'), OPENING, OPENING + MINUTE))]).toEqual([OPENING])
    expect(await store.intervals({ symbol: 'SBIN', exchange: 'NSE' })).toEqual(['1m'])
    clock.advance(5 * MINUTE)
    expect(store.isRunning).toBe(true)
    clock.advance(5 * MINUTE)
    expect(store.isRunning).toBe(false)
    expect(await stored(series('SBIN'))).toEqual(CANDLES)
  })

  it('takes so many calls at once, and no more', async () => {
    const calls = Array.from({ length: CALLS_MAX + 5 }, () => stored(series('SBIN')))
    const ends = await Promise.allSettled(calls)
    const refused = ends.filter((end) => end.status === 'rejected')
    expect(refused.map(({ reason }) => reason.code)).toEqual(Array(5).fill('overloaded'))
  })

  it('that is closed finishes what it took, and refuses the rest', async () => {
    const closing = open('closing')
    const put = closing.put(series('SBIN'), CANDLES)
    await closing.close()
    expect(await put).toMatchObject({ added: 3 })
    await expect(closing.candles(series('SBIN'), '1m', ALL.fromAt, ALL.toAt)).rejects.toMatchObject({
      code: 'shutting_down',
    })
  })
})

describe('a file', () => {
  it.each(['csv', 'parquet'])('of %s that was exported is imported as it was, decimals and all', async (format) => {
    const both = [series('SBIN'), series('M&M')]
    await store.put(series('M&M'), CANDLES.slice(0, 2))
    const name = `both.${format}`
    expect(await store.exportFile({ file: name, series: both, ...ALL })).toMatchObject({ file: name, candles: 5 })
    writeFileSync(join(folder, 'import', name), readFileSync(join(folder, 'export', name)))
    const again = await imported(name)
    expect(again.series.map(({ symbol, candles, added, changed }) => [symbol, candles, added, changed])).toEqual([
      ['SBIN', 3, 0, 0],
      ['M&M', 2, 0, 0],
    ])
    for (const one of both) await store.remove(one)
    await imported(name)
    expect(await stored(series('SBIN'))).toEqual(CANDLES)
    expect(await stored(series('M&M'))).toEqual(CANDLES.slice(0, 2))
  })

  it('of CSV reads as people expect', async () => {
    await store.put(series('TIMES', 'D'), [candle(Date.parse('2026-08-31T00:00:00+05:30'), '5')])
    await store.exportFile({ file: 'd.csv', series: [series('TIMES', 'D')], ...ALL })
    await store.exportFile({ file: 'm.csv', series: [series('SBIN')], fromAt: OPENING, toAt: OPENING + MINUTE })
    const of = (name: string): string[] =>
      readFileSync(join(folder, 'export', name), 'utf8')
        .trim()
        .split('\n')
    const header = 'symbol,exchange,interval,timestamp,open,high,low,close,volume,oi'
    const rest = '499.95,1000.00000001,0,500.05,1200.000001,9007199254.740991'
    expect(of('m.csv')).toEqual([header, `SBIN,NSE,1m,2026-08-31T09:15:00+05:30,${rest}`])
    expect(of('d.csv')).toEqual([header, `TIMES,NSE,D,2026-08-31,${rest.replace('500.05', '5')}`])
  })

  it('that names times without a zone means the exchange’s, and any order will do', async () => {
    file(
      'naive.csv',
      '\uFEFFdate,time,Open,High,Low,Close,Volume',
      '2026-08-31,09:16,1,3,1,2,',
      '2026-08-31,09:15,1,2,1,2,7',
    )
    await imported('naive.csv', { symbol: 'NAIVE', exchange: 'NSE', interval: '1m' })
    const found = await stored(series('NAIVE'))
    expect(found.map(({ startAt, high, volume }) => [startAt, high, volume])).toEqual([
      [OPENING, priceOf(2), quantityOf(7)],
      [OPENING + MINUTE, priceOf(3), 0],
    ])
  })

  it('of days begins each at its 00:00, however its times are written', async () => {
    const rows = ['2026-08-03', '1785888000', '2026-08-05 15:30', '2026-08-06T00:00:00+05:30']
    file('days.csv', 'timestamp,open,high,low,close', ...rows.map((at) => `${at},1,2,1,2`))
    await imported('days.csv', { symbol: 'DAYS', exchange: 'NSE', interval: 'D' })
    const monday = Date.parse('2026-08-03T00:00:00+05:30')
    const found = (await stored(series('DAYS', 'D'))).map(({ startAt }) => (startAt - monday) / 86_400_000)
    expect(found).toEqual([0, 2, 3])
  })

  it('of other tools’ Parquet is read by the same rules', async () => {
    const { openEngine } = await import('./engine.ts')
    const engine = await openEngine({ memoryMib: 128, folders: [join(folder, 'import')] })
    const path = join(folder, 'import', 'pandas.parquet')
    await engine.writing.run((connection) =>
      connection.run(
        `COPY (SELECT TIMESTAMP '2026-08-31 09:15:00' AS datetime, 1.5::DOUBLE AS open, 2::FLOAT AS high, 1 AS low, '1.25' AS close, 10::BIGINT AS volume) TO '${path}' (FORMAT parquet)`,
      ),
    )
    engine.close()
    await imported('pandas.parquet', { symbol: 'PANDAS', exchange: 'NSE', interval: '1m' })
    expect(await stored(series('PANDAS'))).toEqual([
      {
        ...{ startAt: OPENING, open: priceOf('1.5'), high: priceOf(2), low: priceOf(1), close: priceOf('1.25') },
        ...{ volume: quantityOf(10), openInterest: quantityOf(0) },
      },
    ])
  })

  const HEADER = 'timestamp,open,high,low,close,volume,oi'
  const GOOD = '2026-08-31 09:15,1,2,1,2,3,0'
  it.each([
    ['has no rows at all', '', {}, /empty/],
    ['lacks a column', 'timestamp,open,high,low', {}, /no column close.*Its columns are timestamp, open, high, low/],
    ['doesn’t say its symbol', `${HEADER}\n${GOOD}`, { symbol: undefined }, /no column symbol/],
    ['has a time that is none', `${HEADER}\n${GOOD}\n31/08/2026,1,2,1,2,3,0`, {}, /Line 3: "31\/08\/2026" is no time/],
    [
      'has a price that is none',
      `${HEADER}\n${GOOD.replace(',2,3', ',two,3')}`,
      {},
      /Line 2: close "two" is no number/,
    ],
    ['has no price', `${HEADER}\n${GOOD.replace(',2,3', ',,3')}`, {}, /Line 2: close "" is no number/],
    [
      'is too precise',
      `${HEADER}\n${GOOD.replace(',2,3', ',1.123456789,3')}`,
      {},
      /close "1.123456789" has more than 8/,
    ],
    [
      'is too large',
      `${HEADER}\n${GOOD.replace(',3,0', ',99999999999999,0')}`,
      {},
      /volume "99999999999999" is too large/,
    ],
    ['crosses its high', `${HEADER}\n2026-08-31 09:15,1,2,1,3,3,0`, {}, /Line 2: high is below/],
    ['crosses its low', `${HEADER}\n2026-08-31 09:15,1,2,1.5,2,3,0`, {}, /Line 2: low is above/],
    ['is below zero', `${HEADER}\n2026-08-31 09:15,-1,2,-1,2,3,0`, {}, /Line 2: low is below 0/],
    ['sells less than nothing', `${HEADER}\n2026-08-31 09:15,1,2,1,2,-3,0`, {}, /volume and open interest/],
    [
      'is of another symbol',
      `symbol,${HEADER}\nINFY,${GOOD}`,
      {},
      /Line 2: symbol is INFY, and the request says WRONG/,
    ],
    ['names no exchange', `exchange,${HEADER}\nNYSE,${GOOD}`, { exchange: undefined }, /exchange must be one of NSE/],
    [
      'names no interval',
      `interval,${HEADER}\n7m,${GOOD}`,
      { interval: undefined },
      /interval must be one of 1s.*Got "7m"/,
    ],
  ] as const)('that %s is refused, says where, and changes nothing', async (_, text, more, message) => {
    writeFileSync(join(folder, 'import', 'wrong.csv'), text)
    const given = { symbol: 'WRONG', exchange: 'NSE', interval: '1m', ...more } as const
    await expect(imported('wrong.csv', given)).rejects.toMatchObject({
      code: 'file_unreadable',
      message: expect.stringMatching(message),
    })
    expect(await store.intervals({ symbol: 'WRONG', exchange: 'NSE' })).toEqual([])
  })

  it('that is no Parquet is refused without the server’s paths', async () => {
    file('wrong.parquet', 'PAR1 or so')
    const refusal: unknown = await imported('wrong.parquet', { symbol: 'X' }).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'file_unreadable', message: expect.stringMatching(/isn't Parquet/) })
    expect(String(refusal)).not.toContain(folder)
  })

  it('outside the folder can’t be named, nor reached by a link', async () => {
    writeFileSync(join(folder, 'secret.csv'), `${HEADER}\n${GOOD}`)
    symlinkSync(join(folder, 'secret.csv'), join(folder, 'import', 'link.csv'))
    mkdirSync(join(folder, 'import', 'folder.csv'))
    for (const name of [
      '../secret.csv',
      '/etc/passwd',
      'a/b.csv',
      '..\\secret.csv',
      '.hidden.csv',
      'x.txt',
      'link.csv',
      'folder.csv',
    ])
      await expect(imported(name, { symbol: 'X' }), name).rejects.toMatchObject({ code: 'file_unreadable' })
    await expect(imported('nothing.csv')).rejects.toMatchObject({ code: 'file_not_found' })
  })

  it('of nothing isn’t written', async () => {
    const nothing = store.exportFile({ file: 'none.csv', series: [series('NOTHING')], ...ALL })
    await expect(nothing).rejects.toMatchObject({ code: 'no_data' })
    const early = store.exportFile({ file: 'none.csv', series: [series('SBIN')], fromAt: 0, toAt: 1 })
    await expect(early).rejects.toMatchObject({ code: 'no_data' })
    expect(existsSync(join(folder, 'export', 'none.csv'))).toBe(false)
    expect(EXPORT_CANDLES_MAX).toBeGreaterThan(4_700_000) // a year of minutes of 50 symbols
  })
})
