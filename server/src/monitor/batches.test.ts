import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { Batches, type BatchOptions } from './batches.ts'

function open(more: Partial<BatchOptions<number>> = {}) {
  const clock = new ManualClock(0)
  const written: number[] = []
  const lost: { rows: readonly number[]; error: unknown }[] = []
  const batches = new Batches<number>({
    clock,
    everyMs: 250,
    waitingMax: 100,
    batchMax: 10,
    write: async (rows) => {
      written.push(...rows)
    },
    onLost: (rows, error) => lost.push({ rows, error }),
    ...more,
  })
  const lostRows = () => lost.flatMap(({ rows }) => rows)
  return { clock, batches, written, lost, lostRows }
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

describe('batches', () => {
  it('write what waits after a while, in order, in parts', async () => {
    const sizes: number[] = []
    const { clock, batches } = open({
      write: async (rows) => {
        sizes.push(rows.length)
      },
      batchMax: 4,
    })
    for (const row of numbers(3)) batches.add(row)
    expect(sizes).toEqual([])
    clock.advance(250)
    await batches.flush()
    expect(sizes).toEqual([3])
    for (const row of numbers(9)) batches.add(row)
    await batches.flush()
    await batches.flush()
    expect(sizes.every((size) => size <= 4)).toBe(true)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(12)
    await batches.close()
  })

  it('never hold more than they may while the writer hangs, and lose the oldest', async () => {
    let finish = (): void => {}
    const hanging = new Promise<void>((resolve) => {
      finish = resolve
    })
    const { batches, written, lostRows } = open({
      write: async (rows) => {
        await hanging
        written.push(...rows)
      },
    })
    for (const row of numbers(10_000)) {
      batches.add(row)
      expect(batches.waiting).toBeLessThanOrEqual(100)
    }
    finish()
    await batches.close()
    const all = [...written, ...lostRows()].sort((one, other) => one - other)
    expect(all).toEqual(numbers(10_000))
    expect(batches.dropped).toBe(lostRows().length)
    expect(Math.max(...written)).toBe(9_999)
  })

  it('never hold more weight than they may', async () => {
    const { batches, written, lostRows } = open({
      weigh: { weightOf: (row) => row, weightMax: 1_000 },
      batchMax: 1_000,
      waitingMax: 1_000,
    })
    for (const row of numbers(100)) batches.add(row)
    await batches.close()
    expect([...lostRows(), ...written]).toEqual(numbers(100))
    expect(written.reduce((sum, row) => sum + row, 0)).toBeLessThanOrEqual(1_000)
    expect(written.at(-1)).toBe(99)
  })

  it('keep rows for a writer that has too much to do, in order', async () => {
    let refusals = 3
    const { batches, written, lostRows } = open({
      write: async (rows) => {
        refusals -= 1
        if (refusals >= 0) throw new Refusal('overloaded', 'too much')
        written.push(...rows)
      },
    })
    for (const row of numbers(25)) batches.add(row)
    await batches.flush()
    await batches.close()
    expect(written).toEqual(numbers(25))
    expect(lostRows()).toEqual([])
  })

  it('lose what a writer never takes, when they are closed, and say so', async () => {
    const { batches, lostRows } = open({
      write: async () => {
        throw new Refusal('overloaded', 'too much')
      },
    })
    for (const row of numbers(5)) batches.add(row)
    await batches.close()
    expect(lostRows()).toEqual(numbers(5))
    expect(batches.waiting).toBe(0)
  })

  it('neither lose silently nor write twice, whatever the writer does', async () => {
    const outcomes = fc.infiniteStream(fc.constantFrom('written', 'refused', 'busy'))
    await fc.assert(
      fc.asyncProperty(
        outcomes,
        fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 20 }),
        async (stream, bursts) => {
          const { batches, written, lostRows } = open({
            waitingMax: 40,
            weigh: { weightOf: () => 3, weightMax: 90 },
            write: async (rows) => {
              await Promise.resolve()
              const outcome = stream.next().value
              if (outcome === 'busy') throw new Refusal('overloaded', 'too much')
              if (outcome === 'refused') throw new Error('refused')
              written.push(...rows)
            },
          })
          let next = 0
          for (const burst of bursts) {
            for (let count = 0; count < burst; count += 1) batches.add(next++)
            await batches.flush()
            expect(batches.waiting).toBeLessThanOrEqual(30)
          }
          await batches.close()
          expect(written).toEqual([...written].sort((one, other) => one - other))
          expect([...written, ...lostRows()].sort((one, other) => one - other)).toEqual(numbers(next))
          expect(batches.dropped).toBe(lostRows().length)
        },
      ),
      { numRuns: 100 },
    )
  })
})
