import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { priceOf } from '../../kernel/fixed.ts'
import { StartRefused } from '../../kernel/start-refused.ts'
import type { Instrument } from '../instrument.ts'
import { InstrumentUniverse, type LoadReport, REPORTS_KEPT } from './instrument-universe.ts'
import { FAULTS_NAMED_MAX } from './load.ts'
import { share, shares, TestSource } from './test-rows.ts'

const TODAY = '2026-03-10'

let folder: string
let file: string
let clock: ManualClock
let source: TestSource
let reports: LoadReport[]
let errors: unknown[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-universe-'))
  file = join(folder, 'instruments.snapshot')
  clock = new ManualClock(`${TODAY}T08:00:00+05:30`)
  source = new TestSource(shares(100))
  reports = []
  errors = []
})
afterEach(async () => {
  for (const universe of opened.splice(0)) await universe.close()
  rmSync(folder, { recursive: true })
})

const opened: InstrumentUniverse[] = []
async function open(): Promise<InstrumentUniverse> {
  const universe = await InstrumentUniverse.open({
    source,
    clock,
    file,
    onLoad: (report) => reports.push(report),
    onError: (error) => errors.push(error),
  })
  opened.push(universe)
  return universe
}

/** Opens, and waits until the snapshot is on disk. */
async function openAndKeep(): Promise<InstrumentUniverse> {
  const universe = await open()
  universe.follow()()
  await universe.close()
  return universe
}

const rowsOf = (universe: InstrumentUniverse): Instrument[] => [...universe.store]

describe('a load', () => {
  it('is taken as a whole: whoever asked before keeps what there was', async () => {
    const universe = await open()
    const before = universe.current
    const found = universe.find('S1', 'NSE')
    source.rows = [...shares(99, 2), share('NEW', 500)]
    await universe.reload()
    expect(universe.find('S1', 'NSE')).toBeUndefined()
    expect(universe.find('NEW', 'NSE')?.id).toBe(500)
    expect(before.store.find('S1', 'NSE')).toBe(found)
    expect(before.store.find('NEW', 'NSE')).toBeUndefined()
    expect(universe.current.version).not.toBe(before.version)
  })

  it('says what it added, removed and changed', async () => {
    const universe = await open()
    const rows = shares(100)
    const [first, second, third] = rows
    source.rows = [
      ...rows.slice(3),
      { ...(first as Instrument), tickSize: priceOf('0.01') },
      { ...(second as Instrument), sourceSymbol: 'S 2' },
      share('NEW', 500),
    ]
    expect(third?.symbol).toBe('S3')
    const report = await universe.reload()
    expect(report).toMatchObject({
      refusal: '',
      from: 'source',
      total: 100,
      difference: {
        added: { count: 1, first: ['NSE:NEW'] },
        removed: { count: 1, first: ['NSE:S3'] },
        changed: { count: 2, first: ['NSE:S1', 'NSE:S2'] },
      },
    })
    expect(reports).toEqual([...universe.reports].reverse())
  })

  it('of the same instruments is the same version', async () => {
    const universe = await open()
    const { version } = universe.current
    await universe.reload()
    expect(universe.current.version).toBe(version)
  })

  const same = (...more: Instrument[]) => [...shares(100), ...more]
  it.each<[string, Instrument[], string]>([
    ['a faulty row', same(share('bad', 900)), '1 of 101 rows are wrong: NSE:bad: its symbol is not in upper-case'],
    ['a symbol listed twice', same(share('S1', 900)), '1 of 101 rows are wrong: NSE:S1: listed twice'],
    ['an id given twice', same(share('NEW', 1)), '1 of 101 rows are wrong: NSE:NEW: another has its id 1'],
    ['fewer instruments', shares(69), 'there are 69 instruments instead of 100; fewer than 70 %'],
    ['no instruments', [], 'there are no instruments'],
    [
      'an exchange missing',
      shares(99).map((row) => ({ ...row, exchange: 'BSE' })),
      'NSE has no instruments any more; it had 100',
    ],
  ])('with %s is refused, and what there was stays', async (_what, rows, refusal) => {
    const universe = await open()
    const before = universe.current
    source.rows = rows
    const report = await universe.reload()
    expect(report.refusal).toMatch(refusal)
    expect(universe.current).toBe(before)
  })

  it('names the first faults and counts them all', async () => {
    const universe = await open()
    source.rows = same(...Array.from({ length: 50 }, (_, n) => share(`bad${n}`, 900 + n)))
    const { faultCount, faults, total } = await universe.reload()
    expect([faultCount, faults.length, total]).toEqual([50, FAULTS_NAMED_MAX, 100])
    expect(faults[0]).toMatch(/^NSE:bad0: /)
  })

  it('that shrank is taken when it is asked for', async () => {
    const universe = await open()
    source.rows = shares(10)
    expect((await universe.reload()).refusal).not.toBe('')
    expect((await universe.reload({ mayShrink: true })).refusal).toBe('')
    expect(universe.store.size).toBe(10)
  })

  it('with a faulty row is refused however it is asked for', async () => {
    const universe = await open()
    source.rows = same(share('bad', 900))
    expect((await universe.reload({ mayShrink: true })).refusal).not.toBe('')
    expect(universe.store.size).toBe(100)
  })

  it('may lose part of an exchange, but not most of it', async () => {
    const bse = (count: number) => shares(count, 1000).map((row) => ({ ...row, exchange: 'BSE' as const }))
    source.rows = [...shares(400), ...bse(60)]
    const universe = await open()
    source.rows = [...shares(400), ...bse(23)]
    expect((await universe.reload()).refusal).toMatch('BSE has 23 instruments instead of 60; fewer than 40 %')
    source.rows = [...shares(400), ...bse(24)]
    expect((await universe.reload()).refusal).toBe('')
  })

  it('that the source fails is refused in its words, and what there was stays', async () => {
    const universe = await open()
    source.error = new Refusal('source_down', 'the exchange is away')
    const report = await universe.reload()
    expect(report).toMatchObject({ refusal: 'test gave none: the exchange is away', total: 0, difference: undefined })
    expect(universe.store.size).toBe(100)
    expect(errors).toEqual([])
  })

  it('that breaks the source is told of besides', async () => {
    const universe = await open()
    source.error = new TypeError('a bug')
    expect((await universe.reload()).refusal).toBe('test gave none: a bug')
    expect(errors).toEqual([source.error])
  })

  it('is reported, the last ones newest first', async () => {
    const universe = await open()
    for (let n = 0; n < REPORTS_KEPT + 3; n += 1) {
      clock.advance(1000)
      await universe.reload()
    }
    expect(universe.reports).toHaveLength(REPORTS_KEPT)
    expect(universe.reports[0]?.at).toBe(clock.now())
  })

  it('runs alone: two at once are one after the other', async () => {
    const universe = await open()
    const [first, second] = await Promise.all([universe.reload(), universe.reload()])
    expect([first.refusal, second.refusal]).toEqual(['', ''])
    expect(source.loads).toBe(3)
  })
})

describe('a new day', () => {
  it('is loaded when the date changes, once', async () => {
    const universe = await open()
    const stop = universe.follow()
    source.rows = shares(101)
    clock.moveTo(Date.parse('2026-03-10T23:59:30+05:30'))
    expect(source.loads).toBe(1)
    clock.moveTo(Date.parse('2026-03-11T00:05:00+05:30'))
    await expect.poll(() => universe.current.date).toBe('2026-03-11')
    expect([universe.store.size, source.loads]).toEqual([101, 2])
    stop()
    await universe.close()
  })

  it('that fails is tried again, later and later', async () => {
    const universe = await open()
    source.error = new Refusal('source_down', 'away')
    clock.moveTo(Date.parse('2026-03-11T00:00:00+05:30'))
    const triedAt: number[] = []
    for (let minute = 0; minute < 130; minute += 1) {
      const { loads } = source
      await universe.refresh()
      if (source.loads > loads) triedAt.push(minute)
      clock.advance(60_000)
    }
    expect(triedAt).toEqual([0, 1, 3, 7, 15, 31, 61, 91, 121])
    source.error = undefined
    clock.advance(1_800_000)
    await universe.refresh()
    expect(universe.current.date).toBe('2026-03-11')
  })
})

describe('a restart', () => {
  it('of the same day needs no load', async () => {
    const before = await openAndKeep()
    const after = await open()
    expect(source.loads).toBe(1)
    expect(reports.map(({ from }) => from)).toEqual(['source', 'disk'])
    expect(rowsOf(after)).toEqual(rowsOf(before))
    expect(after.current.version).toBe(before.current.version)
  })

  it('of another day loads, and compares with what was kept', async () => {
    await openAndKeep()
    source.rows = shares(100, 2)
    clock.advance(86_400_000)
    const universe = await open()
    expect([source.loads, universe.current.date]).toEqual([2, '2026-03-11'])
    expect(universe.reports[0]?.difference).toMatchObject({ added: { count: 1 }, removed: { count: 1 } })
  })

  it('of another day goes on with what was kept when the load fails', async () => {
    await openAndKeep()
    source.error = new Refusal('source_down', 'away')
    clock.advance(86_400_000)
    const universe = await open()
    expect([universe.store.size, universe.current.date]).toEqual([100, TODAY])
    expect(universe.reports[0]?.refusal).toBe('test gave none: away')
  })

  it('of another day refuses a load that shrank', async () => {
    await openAndKeep()
    source.rows = shares(10)
    clock.advance(86_400_000)
    expect((await open()).store.size).toBe(100)
  })

  it('with another edition loads, however few there are', async () => {
    await openAndKeep()
    source.edition = 'other'
    source.rows = shares(10)
    const universe = await open()
    expect([universe.store.size, universe.current.edition]).toEqual([10, 'other'])
    source.edition = 'third'
    source.error = new Refusal('source_down', 'away')
    await expect(open()).rejects.toBeInstanceOf(StartRefused)
  })

  it('with a damaged file loads, and replaces it', async () => {
    await openAndKeep()
    const bytes = readFileSync(file)
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
    writeFileSync(file, bytes)
    const universe = await openAndKeep()
    expect(source.loads).toBe(2)
    expect(errors).toMatchObject([{ name: 'DamagedSnapshot' }])
    expect(universe.store.size).toBe(100)
    await open()
    expect(source.loads).toBe(2)
  })

  it('with nothing kept and nothing loaded is refused', async () => {
    source.error = new Refusal('source_down', 'away')
    await expect(open()).rejects.toThrow(
      new StartRefused("The instruments of 2026-03-10 can't be used: test gave none: away."),
    )
    source.error = undefined
    source.rows = [share('bad', 1)]
    await expect(open()).rejects.toBeInstanceOf(StartRefused)
  })

  it('without a file to write to works, and says so', async () => {
    file = join(folder, 'nowhere', 'instruments.snapshot')
    const universe = await openAndKeep()
    expect(universe.store.size).toBe(100)
    expect(errors).toMatchObject([{ code: 'ENOENT' }])
    expect(existsSync(file)).toBe(false)
  })
})
