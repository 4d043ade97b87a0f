import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Databases, openDatabases } from '../storage/open.ts'
import { IdSet } from './id-set.ts'
import { type IdKind, RequestBlocks } from './request-blocks.ts'

const BLOCK = 16

let folder: string
let databases: Databases
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-blocks-'))
  databases = await openDatabases(folder)
})
afterEach(async () => {
  await databases.close()
  rmSync(folder, { recursive: true, force: true })
})

const open = () => RequestBlocks.open(databases.telemetry, BLOCK)
const execute = (sql: string, ...parameters: (string | number)[]) =>
  databases.telemetry.writer.write([{ sql, parameters }])
const INSERT = `INSERT INTO traffic VALUES (?, 0, ?, 'POST', '', '', 200, '', 0, 0, 0, '', '', '', '', ?)`

interface RowIds {
  readonly requestId: string
  /** Empty for none. */
  readonly traceId: string
}
const row = (requestId: string, traceId = ''): RowIds => ({ requestId, traceId })
const add = (blocks: RequestBlocks, rows: readonly RowIds[]): Promise<void> =>
  blocks.add(
    rows.map(({ requestId }) => requestId),
    rows.map(({ traceId }) => traceId).filter((id) => id !== ''),
  )
async function write(blocks: RequestBlocks, rows: readonly RowIds[]): Promise<void> {
  for (const [index, { requestId, traceId }] of rows.entries())
    await execute(INSERT, blocks.nextRow + index, requestId, traceId)
  await add(blocks, rows)
}
async function rowsOf(
  blocks: RequestBlocks,
  id: string,
  from: number,
  below: number,
  kind: IdKind = 'ids',
): Promise<number[]> {
  const rows: number[] = []
  for await (const span of blocks.spansOf(kind, id, from, below)) {
    expect(span.from >= from && span.below <= below, JSON.stringify({ span, from, below })).toBe(true)
    for (let row = span.below - 1; row >= span.from; row -= 1) rows.push(row)
  }
  return rows
}

describe('a set of ids', () => {
  it('finds what was added, and hardly anything else', () => {
    const set = new IdSet(8_192)
    for (let index = 0; index < 4_596; index += 1) set.add(`req-AAAAAAAAAAAAAAAA${index.toString(36).padStart(8, '0')}`)
    const kept = new IdSet(set.bits)
    const seems = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => `req-AAAAAAAAAAAAAAAA${(from + index).toString(36).padStart(8, '0')}`)
        .map((id) => kept.mayHave(id))
        .filter((has) => has).length
    expect(seems(0, 4_596)).toBe(4_596)
    expect(seems(4_596, 20_000)).toBeLessThan(80)
  })
})

describe('blocks of request ids and of those of traces', () => {
  it('lead to every row of an id, newest first, whatever was lost by a crash in between', async () => {
    const rowArbitrary = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.constantFrom('', '', 'a', 't'))
    const step = fc.oneof(
      fc.array(
        rowArbitrary.map(([id, traceId]) => row(id, traceId)),
        { minLength: 1, maxLength: 20 },
      ),
      fc.constantFrom('restart' as const, 'lose the blocks' as const),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        await execute('DELETE FROM traffic')
        await execute('DELETE FROM request_block')
        let blocks = await open()
        const written: RowIds[] = []
        for (const what of steps) {
          if (typeof what !== 'string') {
            await write(blocks, what)
            written.push(...what)
          } else {
            if (what === 'lose the blocks') await execute('DELETE FROM request_block WHERE first_row % 2 = 1')
            blocks = await open()
          }
        }
        expect(blocks.nextRow).toBe(written.length + 1)
        for (const id of ['a', 'e', 't', 'none'])
          for (const [kind, field] of [
            ['ids', 'requestId'],
            ['trace_ids', 'traceId'],
          ] as const) {
            const rows = await rowsOf(blocks, id, 1, written.length + 1, kind)
            expect(rows).toEqual([...new Set(rows)].sort((one, other) => other - one))
            for (const [index, each] of written.entries()) if (each[field] === id) expect(rows).toContain(index + 1)
          }
        await rowsOf(blocks, 'a', 5, 9)
      }),
      { numRuns: 25 },
    )
  })

  it('leave only a block or two of all rows to be looked through', async () => {
    const blocks = await open()
    for (let block = 0; block < 100; block += 1)
      await add(
        blocks,
        Array.from({ length: BLOCK }, (_, index) =>
          row(`proxy-${block}-${index}`, block % 10 === 7 ? `trace-${block}` : ''),
        ),
      )
    const last = blocks.nextRow
    expect(last).toBe(100 * BLOCK + 1)
    const rows = await rowsOf(blocks, 'proxy-57-3', 1, last)
    expect(rows).toContain(57 * BLOCK + 4)
    expect(rows.length).toBeLessThanOrEqual(3 * BLOCK)
    expect((await rowsOf(blocks, 'none', 1, last)).length).toBeLessThanOrEqual(2 * BLOCK)
    const ofTrace = await rowsOf(blocks, 'trace-57', 1, last, 'trace_ids')
    expect(ofTrace).toEqual(Array.from({ length: BLOCK }, (_, index) => 58 * BLOCK - index))
    expect(await rowsOf(blocks, 'none', 1, last, 'trace_ids')).toEqual([])
  })

  it('from before there were sets of traces are looked through for one', async () => {
    const blocks = await open()
    for (let block = 0; block < 3; block += 1) await write(blocks, Array(BLOCK).fill(row('a', 'b')))
    await execute('UPDATE request_block SET trace_ids = NULL WHERE first_row = 1')
    const last = blocks.nextRow
    expect(await rowsOf(blocks, 'none', 1, last, 'trace_ids')).toEqual(
      Array.from({ length: BLOCK }, (_, index) => BLOCK - index),
    )
  })

  it('go with their rows, and rows are numbered on', async () => {
    const blocks = await open()
    for (let round = 0; round < 4; round += 1) await write(blocks, Array(BLOCK).fill(row(`id-${round}`)))
    await execute('DELETE FROM traffic WHERE id <= ?', 2 * BLOCK + 3)
    await blocks.retain()
    const kept = await databases.telemetry.kysely.selectFrom('request_block').select('first_row').execute()
    expect(kept.map(({ first_row }) => first_row)).toEqual([2 * BLOCK + 1, 3 * BLOCK + 1])
    await execute('DELETE FROM traffic')
    await blocks.retain()
    expect((await open()).nextRow).toBe(4 * BLOCK + 1)
  })
})
