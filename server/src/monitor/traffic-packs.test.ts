import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { type Databases, openDatabases } from '../storage/open.ts'
import type { PackedRows } from '../storage/packed-rows.ts'
import type { FinishedRequest } from './finished-request.ts'
import { IdSet } from './id-set.ts'
import { RequestRows, ROWS_MAX } from './request-rows.ts'
import { finishedRequest } from './test-finished-request.ts'
import { SCANNED_ROWS_MAX, TrafficPacks } from './traffic-packs.ts'
import type { TrafficFilter } from './traffic-row.ts'

const START = 1_790_000_000_000
const SECOND_MS = 1_000
const HOUR_MS = 3_600_000
const EVERYTHING = { retentionMs: 30 * 24 * HOUR_MS, rowsMax: 1_000_000 }

let folder: string
let databases: Databases
let clock: ManualClock
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-packs-'))
  clock = new ManualClock(START)
  databases = await openDatabases(folder, clock)
  errors.length = 0
})
afterEach(async () => {
  await databases.close()
  rmSync(folder, { recursive: true, force: true })
})

const errors: unknown[] = []
const open = (retention = EVERYTHING) =>
  TrafficPacks.open({ telemetry: databases.telemetry, clock, retention, onError: (error) => errors.push(error) })
const execute = (sql: string) => databases.telemetry.writer.write([{ sql, parameters: [] }])

/** What the log hands over for some requests. */
function packsOf(requests: readonly Partial<FinishedRequest>[]): [PackedRows, ...PackedRows[]] {
  const packs: PackedRows[] = []
  const rows = new RequestRows(new ManualClock(0))
  rows.follow((pack) => packs.push(pack))
  for (const request of requests) rows.add(finishedRequest({ at: clock.now(), durationMs: 0, ...request }))
  rows.close()
  const [first, ...more] = packs
  if (first === undefined) throw new Error('no requests, no packs')
  return [first, ...more]
}

const add = (packs: TrafficPacks, requests: readonly Partial<FinishedRequest>[]) => packs.add(packsOf(requests), [])

/** One pack after the other, each of the requests that `requestOf` makes of the numbers from 1 on. */
async function fill(
  packs: TrafficPacks,
  count: number,
  requestOf: (number: number) => Partial<FinishedRequest> = (number) => ({ requestId: `r${number}` }),
): Promise<void> {
  for (let from = 0; from < count; from += ROWS_MAX)
    await add(
      packs,
      Array.from({ length: Math.min(ROWS_MAX, count - from) }, (_, index) => requestOf(from + index + 1)),
    )
}

const atSecond = (number: number): Partial<FinishedRequest> => ({ at: START + number * SECOND_MS })

async function everyPage(packs: TrafficPacks, filter: TrafficFilter, limit: number) {
  const ids: number[] = []
  let pages = 0
  let below: number | undefined
  do {
    const page = await packs.page(filter, limit, below)
    ids.push(...page.rows.map(({ id }) => id))
    below = page.below
    pages += 1
  } while (below !== undefined && pages < 1_000)
  return { ids, pages }
}

const idsOf = async (packs: TrafficPacks, filter: TrafficFilter = {}) => (await everyPage(packs, filter, 100_000)).ids
const packRows = async () => {
  const { kysely } = databases.telemetry
  const rows = await kysely.selectFrom('traffic_pack').select(['first_row', 'last_row']).orderBy('first_row').execute()
  return rows.map(({ first_row, last_row }) => [first_row, last_row])
}

describe('sets of ids', () => {
  it('find what was added, and hardly anything else', () => {
    const set = new IdSet(512)
    const idOf = (index: number) => `req-AAAAAAAAAAAAAAAA${index.toString(36).padStart(8, '0')}`
    for (let index = 0; index < ROWS_MAX; index += 1) set.add(idOf(index))
    const kept = new IdSet(set.bits)
    const seems = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => idOf(from + index)).filter((id) => kept.mayHave(id)).length
    expect(seems(0, ROWS_MAX)).toBe(ROWS_MAX)
    expect(seems(ROWS_MAX, 20_000)).toBeLessThan(80)
  })
})

describe('packs of the traffic log', () => {
  it('are found again by everything that filters, whatever came when, also after a restart', async () => {
    const request = fc.record({
      requestId: fc.constantFrom('a', 'b', 'c', 'quotes', ''),
      traceId: fc.constantFrom('', '', 'a', 't'),
      route: fc.constantFrom('quotes', 'placeorder', ''),
      method: fc.constantFrom('GET', 'POST'),
      status: fc.constantFrom(200, 404, 499, 500),
      code: fc.constantFrom('', 'not_found'),
      keyId: fc.constantFrom('', 'key_a'),
      userId: fc.constantFrom('', 'a'),
      address: fc.constantFrom('::1', '127.0.0.1'),
      at: fc.integer({ min: START, max: START + 20 }),
      durationMs: fc.constantFrom(0, 0.25, 5, 7_200_000),
    })
    const filter = fc.record(
      {
        requestId: fc.constantFrom('a', 'quotes', 'none'),
        traceId: fc.constantFrom('t', 'none'),
        route: fc.constantFrom('quotes', ''),
        method: fc.constant('GET'),
        status: fc.constantFrom([400, 499] as const, [500, 500] as const),
        code: fc.constant('not_found'),
        keyId: fc.constant('key_a'),
        userId: fc.constant('a'),
        address: fc.constant('::1'),
        from: fc.integer({ min: START - 2, max: START + 22 }),
        until: fc.integer({ min: START - 2, max: START + 22 }),
      },
      { requiredKeys: [] },
    )
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.array(request, { minLength: 1, maxLength: 300 }) },
      { weight: 1, arbitrary: fc.constant('restart' as const) },
      { weight: 1, arbitrary: fc.constant('an hour' as const) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), filter, fc.integer({ min: 1, max: 400 }), async (...given) => {
        const [steps, wanted, limit] = given
        await execute('DELETE FROM traffic_pack')
        let packs = await open()
        const written: FinishedRequest[] = []
        for (const what of steps) {
          if (what === 'restart') packs = await open()
          else if (what === 'an hour') clock.advance(HOUR_MS)
          else {
            await add(packs, what)
            written.push(...what.map((each) => finishedRequest(each)))
          }
        }
        const { from = 0, until = Number.POSITIVE_INFINITY, status: [least, greatest] = [0, 999], ...equal } = wanted
        const fits = (each: FinishedRequest) =>
          each.at >= from &&
          each.at < until &&
          each.status >= least &&
          each.status <= greatest &&
          Object.entries(equal).every(([name, value]) => each[name as 'code'] === value)
        const numbered = written.map((each, index) => ({ each, id: index + 1 }))
        const expected = numbered.filter(({ each }) => fits(each)).map(({ id }) => id)
        const { ids } = await everyPage(packs, wanted, limit)
        expect(ids).toEqual(expected.reverse())
        const ranges = await packRows()
        expect(
          ranges.flatMap(([first = 0, last = 0]) => [last - first + 1]).reduce((sum, count) => sum + count, 0),
        ).toBe(written.length)
      }),
      { numRuns: 60 },
    )
  })

  it('take rows as they come until they are full, or an hour old', async () => {
    const packs = await open()
    for (let index = 0; index < 10; index += 1) await add(packs, Array(30).fill({}))
    expect(await packRows()).toEqual([
      [1, 240],
      [241, 300],
    ])
    clock.advance(HOUR_MS)
    await add(packs, [{}])
    expect((await packRows()).slice(1)).toEqual([
      [241, 300],
      [301, 301],
    ])
    await add(packs, Array(ROWS_MAX).fill({}))
    expect((await packRows()).at(-1)).toEqual([302, 301 + ROWS_MAX])
  })

  it('say all that is known of a request', async () => {
    const packs = await open()
    await add(packs, [{ durationMs: 1.25, traceId: 'f'.repeat(32), path: '/a', code: 'not_found', status: 404 }])
    const { steps: _, ...request } = finishedRequest()
    expect((await packs.page({}, 1)).rows).toEqual([
      {
        ...request,
        at: START,
        id: 1,
        durationMs: 1.25,
        traceId: 'f'.repeat(32),
        path: '/a',
        code: 'not_found',
        status: 404,
      },
    ])
  })

  it('are a bounded number for each page, and a rare row is found all the same', async () => {
    const packs = await open()
    await fill(packs, SCANNED_ROWS_MAX * 2 + 1_000, (number) => ({ status: number === 7 ? 503 : 200 }))
    const first = await packs.page({ status: [503, 503] }, 10)
    expect(first.rows).toEqual([])
    expect(Number(first.below)).toBeGreaterThan(SCANNED_ROWS_MAX)
    expect(await everyPage(packs, { status: [503, 503] }, 10)).toEqual({ ids: [7], pages: 3 })
  })

  it('are not read for ids and times that they have not', async () => {
    const packs = await open()
    await fill(packs, 100 * ROWS_MAX, (number) => ({
      ...atSecond(number),
      requestId: `proxy-${number * 7_919}`,
      traceId: number % 9_000 === 5 ? 'f'.repeat(32) : '',
    }))
    // Whoever reads one of these finds no rows in it
    await execute("UPDATE traffic_pack SET rows = x'00' WHERE first_row NOT IN (1, 8961, 17921, 18945)")
    expect(await idsOf(packs, { requestId: `proxy-${9_005 * 7_919}` })).toEqual([9_005])
    expect(await idsOf(packs, { traceId: 'f'.repeat(32) })).toEqual([18_005, 9_005, 5])
    expect(await idsOf(packs, { traceId: 'f'.repeat(32), requestId: `proxy-${9_005 * 7_919}` })).toEqual([9_005])
    expect(await idsOf(packs, { traceId: 'e'.repeat(32) })).toEqual([])
    const from = START + 19_000 * SECOND_MS
    expect(await idsOf(packs, { from, until: from + 3 * SECOND_MS })).toEqual([19_002, 19_001, 19_000])
    expect(errors).toEqual([])
    expect(await idsOf(packs, { from: START + 20_000 * SECOND_MS })).toEqual([])
    expect(errors.length).toBeGreaterThan(10)
  })

  it('have streams of hours where they ended, and find them by when they began', async () => {
    const packs = await open()
    await fill(packs, 3_000, (number) =>
      number === 2_900 ? { ...atSecond(100), durationMs: 2 * HOUR_MS } : atSecond(number),
    )
    const wanted = { from: START + 99 * SECOND_MS, until: START + 102 * SECOND_MS }
    for (const limit of [1, 2, 3, 10])
      expect((await everyPage(packs, wanted, limit)).ids).toEqual([2_900, 101, 100, 99])
  })

  it('are read as they were at the beginning while rows come and go', async () => {
    const packs = await open()
    await fill(packs, 3_000)
    const { rows, below } = await packs.page({}, 1_000)
    await fill(packs, 500)
    expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 1_000 }, (_, index) => 3_000 - index))
    expect((await packs.page({}, 1_000, below)).rows[0]?.id).toBe(2_000)
  })

  it('go when all their rows are too many or too old; rows that are aren’t shown before', async () => {
    const packs = await open({ retentionMs: HOUR_MS, rowsMax: 60_000 })
    await fill(packs, 70_000)
    expect([(await idsOf(packs)).length, (await idsOf(packs)).at(-1)]).toEqual([60_000, 10_001])
    await packs.retain()
    expect((await packRows())[0]).toEqual([39 * ROWS_MAX + 1, 40 * ROWS_MAX])
    expect((await idsOf(packs)).length).toBe(60_000)
    clock.advance(HOUR_MS + 1)
    await add(packs, [{}, { at: START }])
    expect(await idsOf(packs)).toEqual([70_001])
    await packs.retain()
    expect(await packRows()).toEqual([[70_001, 70_002]])
    await packs.retain()
    expect(await packRows()).toEqual([[70_001, 70_002]])
  })

  it('go however many they are, and rows are numbered on', async () => {
    const packs = await open({ retentionMs: HOUR_MS, rowsMax: 1_000_000 })
    await fill(packs, 200 * ROWS_MAX)
    clock.advance(HOUR_MS + 1)
    await packs.retain()
    expect([await packRows(), await idsOf(packs)]).toEqual([[[199 * ROWS_MAX + 1, 200 * ROWS_MAX]], []])
    const again = await open()
    await add(again, [{}])
    expect((await packRows()).at(-1)).toEqual([200 * ROWS_MAX + 1, 200 * ROWS_MAX + 1])
  })

  it('are written all or not at all, with what is written beside them', async () => {
    const packs = await open()
    await add(packs, [{ requestId: 'a' }])
    const refused = { sql: 'INSERT INTO route_total (route) VALUES (NULL)', parameters: [] }
    await expect(packs.add(packsOf([{ requestId: 'b' }]), [refused])).rejects.toThrow('NOT NULL')
    await add(packs, [{ requestId: 'c' }])
    expect((await packs.page({}, 10)).rows.map(({ requestId }) => requestId)).toEqual(['c', 'a'])
  })

  it('are readable though one of them is damaged, which is said', async () => {
    const packs = await open()
    await fill(packs, 3 * ROWS_MAX)
    for (const damage of ['substr(rows, 1, length(rows) - 9)', "x'00'", "x''", "zstd('no rows')"]) {
      await execute(`UPDATE traffic_pack SET rows = ${damage} WHERE first_row = ${ROWS_MAX + 1}`)
      errors.length = 0
      const ids = await idsOf(packs)
      expect([ids.length, ids.at(-1), ids[ROWS_MAX]]).toEqual([2 * ROWS_MAX, 1, ROWS_MAX])
      expect(String(errors)).toBe(`Error: the pack of row ${ROWS_MAX + 1} of the traffic log can't be read`)
    }
  })

  it('are none before anything came', async () => {
    const packs = await open()
    await packs.retain()
    expect(await packs.page({}, 10)).toEqual({ rows: [], below: undefined })
  })
})
