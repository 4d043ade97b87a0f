import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { dateAt, dayNumberOf } from '../../kernel/exchange-time.ts'
import { type Databases, openDatabases } from '../../storage/open.ts'
import { Mortal } from '../../storage/test-mortal.ts'
import type { Exchange, Instrument } from '../instrument.ts'
import { isOver, type JobState, progressOf } from './download-job.ts'
import { RETRY_AFTER_MS, TRIES_MAX } from './download-part.ts'
import { CandleDownloads, type DownloadWanted, JOBS_KEPT_MAX, JOBS_MAX } from './downloads.ts'
import { AUGUST, CALENDAR, EXPECTED, FakeSource, MemoryStore, NOW, named } from './test-downloads.ts'

const BY = { name: 'asha', address: '', requestId: '' }

let folder: string
let databases: Databases
let clock: ManualClock
let source: FakeSource
let store: MemoryStore
let errors: unknown[]
let audited: string[]
const open: CandleDownloads[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-downloads-'))
  databases = await openDatabases(folder, new ManualClock(NOW))
})
afterAll(async () => {
  await databases.close()
  rmSync(folder, { recursive: true })
})
beforeEach(() => {
  clock = new ManualClock(NOW)
  source = new FakeSource(clock)
  store = new MemoryStore()
  errors = []
  audited = []
})
afterEach(async () => {
  for (const downloads of open.splice(0)) await downloads.close()
  await forgetAll()
})

async function forgetAll(): Promise<void> {
  const { kysely, compile, writer } = databases.record
  await writer.write([compile(kysely.deleteFrom('candle_job_part')), compile(kysely.deleteFrom('candle_job'))])
}

async function downloadsOn(files: Databases, perSecond = 1_000): Promise<CandleDownloads> {
  const found = await CandleDownloads.open({
    record: files.record,
    source,
    store,
    find: (symbol: string, exchange: Exchange) =>
      symbol === 'GONE' ? undefined : ({ symbol, exchange } as Instrument),
    calendar: CALENDAR,
    clock,
    rates: [{ count: perSecond, windowMs: 1_000 }],
    audit: ({ action, target }) => audited.push(`${action} ${target}`),
    onError: (error) => errors.push(error),
  })
  open.push(found)
  return found
}

/** Lets work go on, and time pass, until that is so. */
async function until(isSo: () => boolean, stepMs = 50): Promise<void> {
  for (let look = 0; look < 20_000; look += 1) {
    if (isSo()) return
    await new Promise((resolve) => setImmediate(resolve))
    if (look % 10 === 9) clock.advance(stepMs)
  }
  throw new Error('It never was.')
}
const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

const stateOf = (downloads: CandleDownloads, id = 1): JobState => downloads.find(id).state

describe('a download', () => {
  it('stores every candle of every symbol, step by step, and says how far it is', async () => {
    const downloads = await downloadsOn(databases)
    const job = await downloads.create({ ...AUGUST, symbols: named('SBIN', 'INFY') }, BY)
    expect([job.state, progressOf(job)]).toEqual(['waiting', 0])
    downloads.start()
    await until(() => isOver(job.state))
    expect([job.state, progressOf(job)]).toEqual(['completed', 1])
    expect(EXPECTED).toBeGreaterThan(900)
    expect([store.count('SBIN'), store.count('INFY')]).toEqual([EXPECTED, EXPECTED])
    expect(job.parts[0]).toMatchObject({ received: EXPECTED, stored: EXPECTED, missing: 0, requests: 2, problem: '' })
    expect(source.asked.filter((text) => text.startsWith('SBIN'))).toEqual(['SBIN 2026-08-01', 'SBIN 2026-09-01'])
    expect(audited).toEqual(['candles.download_started 1'])
    expect(errors).toEqual([])
  })

  it('leaves out the candle that is running, and what is to come', async () => {
    const downloads = await downloadsOn(databases)
    downloads.start()
    const day = dayNumberOf('2026-11-25')
    const job = await downloads.create({ ...AUGUST, fromDay: day, toDay: day + 30 }, BY)
    expect(job.toDay).toBe(day)
    await until(() => isOver(job.state), 0)
    expect(store.count()).toBe(7) // 09:15 … 10:45, which ended at 11:00
    expect(job.parts[0]).toMatchObject({ missing: 0 })
  })

  it('counts what the source hasn’t', async () => {
    source.keep = ({ startAt }) => dateAt(startAt) !== '2026-08-04' && startAt % 3_600_000 !== 0
    const downloads = await downloadsOn(databases)
    downloads.start()
    const job = await downloads.create(AUGUST, BY)
    await until(() => isOver(job.state))
    expect(job.state).toBe('completed')
    expect(job.parts[0]?.missing).toBe(EXPECTED - store.count())
    expect(job.parts[0]?.missing).toBeGreaterThan(25)
  })

  it('asks for holes alone when that is wanted', async () => {
    const downloads = await downloadsOn(databases)
    downloads.start()
    await downloads.create(AUGUST, BY)
    await until(() => isOver(stateOf(downloads)))
    const asked = source.asked.length
    await downloads.create({ ...AUGUST, onlyMissing: true }, BY)
    await until(() => isOver(stateOf(downloads, 2)))
    expect(source.asked).toHaveLength(asked)
    expect(store.forget('SBIN', Date.parse('2026-09-15T10:15:00+05:30'))).toBe(true)
    await downloads.create({ ...AUGUST, onlyMissing: true }, BY)
    await until(() => isOver(stateOf(downloads, 3)))
    expect(source.asked.slice(asked)).toEqual(['SBIN 2026-09-01'])
    expect(store.count()).toBe(EXPECTED)
    expect(downloads.find(3).parts[0]).toMatchObject({ stored: 1, missing: 0 })
  })

  it('lets everybody else have a turn between any two requests', async () => {
    let passed = 0
    const perTurn: number[] = []
    source.onAsk = () => {
      passed += 1
      return Promise.resolve()
    }
    const downloads = await downloadsOn(databases)
    const job = await downloads.create({ ...AUGUST, symbols: named('A', 'B', 'C', 'D', 'E', 'F') }, BY)
    downloads.start()
    while (!isOver(job.state)) {
      await turns(1)
      perTurn.push(passed)
      passed = 0
    }
    expect(perTurn.reduce((sum, count) => sum + count, 0)).toBe(12)
    expect(Math.max(...perTurn)).toBe(1)
  })

  it('is no faster than the source allows', async () => {
    const downloads = await downloadsOn(databases, 2)
    downloads.start()
    const job = await downloads.create({ ...AUGUST, symbols: named('A', 'B', 'C', 'D', 'E') }, BY)
    const perSecond: number[] = []
    while (!isOver(job.state)) {
      const before = source.asked.length
      for (let tenth = 0; tenth < 10; tenth += 1) {
        await turns(30)
        clock.advance(100)
      }
      perSecond.push(source.asked.length - before)
    }
    expect(source.asked).toHaveLength(10)
    expect(Math.max(...perSecond)).toBeLessThanOrEqual(3) // windows of ours and theirs don't begin together
    expect(perSecond.length).toBeGreaterThanOrEqual(5)
  })
})

describe('trouble', () => {
  it('that passes is waited for, longer each time', async () => {
    const at: number[] = []
    source.trouble = () => {
      at.push(clock.now())
      return at.length <= TRIES_MAX - 1 ? new Refusal('source_down', 'It is down.') : undefined
    }
    const downloads = await downloadsOn(databases)
    downloads.start()
    const job = await downloads.create({ ...AUGUST, toDay: dayNumberOf('2026-08-31') }, BY)
    await until(() => isOver(job.state), 10)
    expect(job.state).toBe('completed')
    const pauses = at.slice(1).map((now, index) => now - (at[index] ?? 0))
    for (const [index, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThanOrEqual(RETRY_AFTER_MS * 2 ** index)
      expect(pause).toBeLessThan(RETRY_AFTER_MS * 2 ** index + 200)
    }
    expect(pauses).toHaveLength(TRIES_MAX - 1)
  })

  it('that stays fails its symbol with the reason, and no other; a resumed job tries it again', async () => {
    source.trouble = (symbol) => (symbol === 'BAD' ? new Refusal('source_slow', 'It has not answered.') : undefined)
    const downloads = await downloadsOn(databases)
    downloads.start()
    const job = await downloads.create({ ...AUGUST, symbols: named('BAD', 'SBIN', 'GONE') }, BY)
    await until(() => isOver(job.state), 500)
    expect(job.state).toBe('completed_with_failures')
    expect(job.parts.map(({ state, problem }) => [state, problem])).toEqual([
      ['failed', 'It has not answered.'],
      ['done', ''],
      ['failed', 'GONE isn’t listed on NSE any more.'.replace('’', "'")],
    ])
    expect(job.parts[0]?.requests).toBe(TRIES_MAX)
    source.trouble = () => undefined
    await downloads.resume(1, BY)
    await until(() => isOver(job.state))
    expect(job.parts.map(({ state }) => state)).toEqual(['done', 'done', 'failed'])
    expect(store.count('BAD')).toBe(EXPECTED)
  })

  it('of a source that doesn’t answer comes to an end', async () => {
    source.onAsk = () => new Promise(() => undefined)
    const downloads = await downloadsOn(databases)
    downloads.start()
    const job = await downloads.create(AUGUST, BY)
    await until(() => isOver(job.state), 10_000)
    expect([job.state, source.asked.length]).toEqual(['failed', TRIES_MAX])
    expect(job.parts[0]?.problem).toMatch(/has not answered within 60000 ms/)
  })

  it('that another try can’t help isn’t tried again', async () => {
    source.trouble = () => new Refusal('not_subscribed', 'No subscription.')
    const downloads = await downloadsOn(databases)
    downloads.start()
    const job = await downloads.create(AUGUST, BY)
    await until(() => isOver(job.state))
    expect([job.state, source.asked.length, job.parts[0]?.problem]).toEqual(['failed', 1, 'No subscription.'])
  })

  it('of an answer that can’t be right is the source’s, and nothing of it is stored', async () => {
    source.keep = (candle) => Object.assign(candle, { high: -1 }) !== undefined
    const downloads = await downloadsOn(databases)
    downloads.start()
    const job = await downloads.create(AUGUST, BY)
    await until(() => isOver(job.state), 500)
    expect([job.state, store.puts]).toEqual(['failed', 0])
    expect(job.parts[0]?.problem).toMatch(/crosses its own high or low/)
  })

  it('that nobody foresaw is logged, and said without its inside', async () => {
    source.trouble = () => new Error('secret token 12345')
    const downloads = await downloadsOn(databases)
    downloads.start()
    const job = await downloads.create(AUGUST, BY)
    await until(() => isOver(job.state), 500)
    expect(job.parts[0]?.problem).not.toContain('secret')
    expect(String(errors[0])).toContain('secret token 12345')
  })
})

describe('a person', () => {
  it('pauses a running job where it is, and lets it go on from there', async () => {
    const downloads = await downloadsOn(databases)
    downloads.start()
    const job = await downloads.create(AUGUST, BY)
    await until(() => store.puts === 1)
    await downloads.pause(1, BY)
    expect([job.state, job.parts[0]?.state, job.parts[0]?.nextDay]).toEqual([
      'paused',
      'waiting',
      dayNumberOf('2026-09-01'),
    ])
    const asked = source.asked.length
    await turns(200)
    expect([job.state, source.asked.length]).toEqual(['paused', asked])
    await downloads.resume(1, BY)
    await until(() => isOver(job.state))
    expect([job.state, store.count()]).toEqual(['completed', EXPECTED])
    expect(source.asked.filter((text) => text === 'SBIN 2026-08-01')).toHaveLength(1)
    expect(audited).toEqual(['candles.download_started 1', 'candles.download_paused 1', 'candles.download_resumed 1'])
  })

  it('cancels a job for good, and the next one runs', async () => {
    const downloads = await downloadsOn(databases)
    downloads.start()
    const first = await downloads.create(AUGUST, BY)
    const second = await downloads.create({ ...AUGUST, symbols: named('INFY') }, BY)
    await until(() => store.puts === 1)
    await downloads.cancel(1, BY)
    expect([first.state, first.endedAt]).toEqual(['cancelled', clock.now()])
    await until(() => isOver(second.state))
    expect([first.state, second.state, store.count('INFY')]).toEqual(['cancelled', 'completed', EXPECTED])
    await expect(downloads.resume(1, BY)).rejects.toMatchObject({ code: 'job_over' })
  })

  it('changes nothing of a job that is over, or that isn’t there', async () => {
    const downloads = await downloadsOn(databases)
    downloads.start()
    const job = await downloads.create(AUGUST, BY)
    await until(() => isOver(job.state))
    for (const act of ['pause', 'resume', 'cancel'] as const) {
      expect((await downloads[act](1, BY)).state).toBe('completed')
      await expect(downloads[act](2, BY)).rejects.toMatchObject({ code: 'job_not_found' })
    }
    expect(audited).toEqual(['candles.download_started 1'])
  })

  it('is told what can’t be had', async () => {
    const downloads = await downloadsOn(databases)
    const refused = (more: Partial<DownloadWanted>) => downloads.create({ ...AUGUST, ...more }, BY)
    await expect(refused({ interval: '1m' })).rejects.toMatchObject({
      code: 'validation_failed',
      message: expect.stringContaining('15m, D'),
    })
    const tomorrow = dayNumberOf('2026-11-26')
    await expect(refused({ fromDay: tomorrow, toDay: tomorrow })).rejects.toMatchObject({ code: 'validation_failed' })
    await expect(refused({ fromDay: 0, toDay: 20_000 })).rejects.toMatchObject({ code: 'range_too_long' })
    for (let made = 0; made < JOBS_MAX; made += 1) await downloads.create(AUGUST, BY)
    await expect(refused({})).rejects.toMatchObject({ code: 'too_many_jobs' })
  })
})

describe('a restart', () => {
  it.each([0, 1, 2, 3, 4, 5, 6])(
    'after a death at write %i of a job goes on, and asks for one step again at most',
    async (writesBefore) => {
      for (const isLastKept of [false, true]) {
        store = new MemoryStore()
        source = new FakeSource(clock)
        const mortal = new Mortal(databases)
        const dying = await downloadsOn(mortal.databases)
        const { id } = await dying.create({ ...AUGUST, fromDay: dayNumberOf('2026-06-15') }, BY)
        mortal.arm({ writesBefore, isLastKept })
        dying.start()
        await Promise.race([mortal.died, until(() => isOver(stateOf(dying, id)))])
        open.splice(open.indexOf(dying), 1)

        const asked = source.asked.length
        const downloads = await downloadsOn(databases)
        const job = downloads.find(id)
        expect(job.state).toMatch(/waiting|completed/)
        downloads.start()
        await until(() => isOver(job.state))
        expect(job.state).toBe('completed')
        expect(store.count()).toBeGreaterThan(EXPECTED)
        expect(source.asked.length).toBeLessThanOrEqual(4 + 1)
        expect(source.asked.length).toBeGreaterThanOrEqual(asked)
        await downloads.close()
        open.splice(open.indexOf(downloads), 1)
        await forgetAll()
      }
    },
  )

  it('keeps what was paused paused, and knows every figure', async () => {
    const first = await downloadsOn(databases)
    first.start()
    await first.create({ ...AUGUST, symbols: named('SBIN', 'GONE') }, BY)
    await until(() => isOver(stateOf(first)))
    await first.create(AUGUST, BY)
    await first.pause(2, BY)
    const before = first.list().map((job) => structuredClone(job))
    await first.close()
    const second = await downloadsOn(databases)
    second.start()
    await turns(50)
    expect(second.list()).toEqual(before)
    expect(stateOf(second, 2)).toBe('paused')
  })

  it('comes after an end that didn’t wait for a source that doesn’t answer', async () => {
    source.onAsk = () => new Promise(() => undefined)
    const downloads = await downloadsOn(databases)
    downloads.start()
    await downloads.create(AUGUST, BY)
    await until(() => source.asked.length === 1)
    await downloads.close()
    expect([stateOf(downloads), store.puts]).toEqual(['waiting', 0])
  })

  it('forgets the oldest jobs that are over when there are too many', async () => {
    const downloads = await downloadsOn(databases)
    for (let made = 0; made < JOBS_KEPT_MAX + 3; made += 1) {
      const { id } = await downloads.create(AUGUST, BY)
      if (id !== 2) await downloads.cancel(id, BY)
    }
    const kept = (await downloadsOn(databases)).list().map(({ id }) => id)
    expect(kept).toHaveLength(JOBS_KEPT_MAX)
    expect(kept.slice(-2)).toEqual([5, 2]) // the one that waits stays
    expect(kept[0]).toBe(JOBS_KEPT_MAX + 3)
  })
})
