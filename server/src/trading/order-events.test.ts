import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { VenueEvent } from '../brokers/venue-event.ts'
import { ManualClock } from '../kernel/clock.ts'
import { DAY_MS } from '../kernel/exchange-time.ts'
import { type Databases, openDatabases } from '../storage/open.ts'
import { RECENT_EVENTS_MAX, UNSTORED_EVENTS_MAX } from './order-event-feed.ts'
import { type EventCursor, type EventReader, STALL_MS } from './order-event-reader.ts'
import { OrderEvents, READERS_MAX, READERS_PER_OWNER_MAX } from './order-events.ts'

let folder: string
let databases: Databases
let clock: ManualClock
let errors: unknown[]
const opened: OrderEvents[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-events-'))
  clock = new ManualClock('2026-11-25T11:00:00+05:30')
  databases = await openDatabases(folder, clock)
  errors = []
})
afterEach(async () => {
  for (const events of opened.splice(0)) await events.close()
  await databases.close()
  rmSync(folder, { recursive: true })
})

async function open(seq = 0, retentionMs = DAY_MS): Promise<OrderEvents> {
  const events = new OrderEvents({
    record: databases.record,
    clock,
    retentionMs,
    onError: (error) => errors.push(error),
  })
  opened.push(events)
  await events.begin('a', seq)
  return events
}

const resets = (count: number): readonly VenueEvent[] => Array.from({ length: count }, () => ({ type: 'reset' }))

/** Changes `from` to `to`, each with as many events as `countOf` says. */
function happen(events: OrderEvents, from: number, to: number, countOf: (seq: number) => number = () => 1): void {
  for (let seq = from; seq <= to; seq += 1) {
    const count = countOf(seq)
    events.keep('a', seq, clock.now(), resets(count))
  }
}

const START: EventCursor = { seq: 0, index: Number.POSITIVE_INFINITY }

/** Ids of all events after a cursor, read a page at a time. */
async function idsAfter(reader: EventReader, after: EventCursor, limit = 100): Promise<string[]> {
  const ids: string[] = []
  for (let from = after; ; ) {
    const page = await reader.read(from, limit)
    if (page.parts.length === 0) return ids
    let count = 0
    for (const part of page.parts)
      for (let index = part.from; index < part.until; index += 1) {
        ids.push(`${part.change.seq}.${index}`)
        count += 1
      }
    expect(count).toBeLessThanOrEqual(limit)
    from = page.after
  }
}

const idsOf = (from: number, to: number, countOf: (seq: number) => number = () => 1): string[] =>
  Array.from({ length: to - from + 1 }, (_, step) => from + step).flatMap((seq) =>
    Array.from({ length: countOf(seq) }, (_, index) => `${seq}.${index}`),
  )

describe('reading', () => {
  it('goes on after what an earlier version wrote as text', async () => {
    const body = JSON.stringify([
      [1, 0, [{ type: 'reset' }]],
      [2, 0, [{ type: 'reset' }]],
    ])
    const sql = 'INSERT INTO order_event (account, first_seq, last_seq, at, body) VALUES (?, ?, ?, ?, ?)'
    await databases.record.writer.write([{ sql, parameters: ['a', 1, 2, 0, body] }])
    const events = await open(2)
    happen(events, 3, 4)
    await events.settled('a', 4)
    expect(await idsAfter(events.reader('a', 'key'), START)).toEqual(idsOf(1, 4))
  })

  it('gives everything once and in order, from memory and from the disk, whatever the page', async () => {
    const events = await open()
    const countOf = (seq: number) => seq % 4
    const last = RECENT_EVENTS_MAX
    for (let seq = 1; seq <= last; seq += 500) {
      happen(events, seq, Math.min(seq + 499, last), countOf)
      await events.settled('a', Math.min(seq + 499, last))
    }
    const reader = events.reader('a', 'key')
    const all = idsOf(1, last, countOf)
    expect(await idsAfter(reader, START, 97)).toEqual(all)
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: last }), fc.integer({ min: 50, max: 1000 }), async (seq, limit) => {
        const read = await idsAfter(reader, { seq, index: Number.POSITIVE_INFINITY }, limit)
        expect(read).toEqual(idsOf(seq + 1, last, countOf))
      }),
      { numRuns: 12 },
    )
    expect(errors).toEqual([])
  })

  it('goes on inside of a change', async () => {
    const events = await open()
    happen(events, 1, 3, () => 5)
    const reader = events.reader('a', 'key')
    expect(await idsAfter(reader, { seq: 2, index: 1 })).toEqual(['2.2', '2.3', '2.4', ...idsOf(3, 3, () => 5)])
    expect(await idsAfter(reader, { seq: 2, index: 1 }, 1)).toEqual(['2.2', '2.3', '2.4', ...idsOf(3, 3, () => 5)])
    expect(await idsAfter(reader, { seq: 3, index: 4 })).toEqual([])
  })

  it('ahead of what there is is refused', async () => {
    const events = await open()
    happen(events, 1, 3)
    const reader = events.reader('a', 'key')
    await expect(reader.read({ seq: 4, index: 0 }, 1)).rejects.toMatchObject({ code: 'validation_failed' })
  })

  it('what is too old is refused, and the oldest is named', async () => {
    const events = await open(0, DAY_MS)
    happen(events, 1, 10)
    await events.settled('a', 10)
    clock.advance(2 * DAY_MS)
    happen(events, 11, 12)
    await events.settled('a', 12)
    // A later start has nothing in memory
    await events.close()
    const later = await open(12, DAY_MS)
    clock.advance(60_000)
    await later.close()
    const last = await open(12, DAY_MS)
    const reader = last.reader('a', 'key')
    await expect(reader.read(START, 10)).rejects.toMatchObject({ code: 'events_gone', extra: { oldest: '11' } })
    expect(await idsAfter(reader, { seq: 10, index: Number.POSITIVE_INFINITY })).toEqual(['11.0', '12.0'])
  })

  it('what happened before events were kept is gone', async () => {
    const events = await open(40)
    happen(events, 41, 42)
    const reader = events.reader('a', 'key')
    await expect(reader.read(START, 10)).rejects.toMatchObject({ code: 'events_gone', extra: { oldest: '41' } })
    expect(await idsAfter(reader, { seq: 40, index: Number.POSITIVE_INFINITY })).toEqual(['41.0', '42.0'])
  })
})

describe('after a restart', () => {
  it('what the journal tells again goes on where the disk ended', async () => {
    const before = await open()
    happen(before, 1, 200)
    await before.settled('a', 200)
    const kept = await before.keptUntil('a')
    const after = await open(kept)
    happen(after, kept + 1, 350)
    expect(await idsAfter(after.reader('a', 'key'), START)).toEqual(idsOf(1, 350))
  })

  it('with an older journal, events that never happened are forgotten', async () => {
    const before = await open()
    for (let seq = 1; seq <= 300; seq += 10) {
      happen(before, seq, seq + 9)
      await before.settled('a', seq + 9)
    }
    await before.close()
    const after = await open(250)
    expect(await after.keptUntil('a')).toBe(250)
    happen(after, 251, 260)
    expect(await idsAfter(after.reader('a', 'key'), START)).toEqual(idsOf(1, 260))
  })
})

describe('a full or broken disk', () => {
  it('is given up with too much that waits, and said so; memory stays bounded and readers see the last events', async () => {
    const events = await open()
    const count = 400
    const changes = UNSTORED_EVENTS_MAX / count + 20
    happen(events, 1, changes, () => count) // in one turn: nothing can be written meanwhile
    expect(errors).toHaveLength(1)
    await expect(events.settled('a', changes)).rejects.toThrow(/wait for the disk/)
    const reader = events.reader('a', 'key')
    const ids = await idsAfter(reader, { seq: changes - 2, index: Number.POSITIVE_INFINITY }, 500)
    expect(ids).toHaveLength(2 * count)
    await expect(reader.read({ seq: 50, index: 0 }, 10)).rejects.toMatchObject({ code: 'events_gone' })
  })

  it('a change that is missing is noticed', async () => {
    const events = await open()
    happen(events, 1, 2)
    happen(events, 4, 5)
    expect(errors).toHaveLength(1)
    await expect(events.settled('a', 5)).rejects.toThrow(/change 4 came after 2/)
  })
})

describe('a waiting reader', () => {
  it('is woken by what happens', async () => {
    const events = await open()
    const reader = events.reader('a', 'key')
    const waited = reader.wait(reader.head, clock.now() + 30_000)
    happen(events, 1, 3)
    expect(await waited).toBe('news')
    expect(await idsAfter(reader, START)).toEqual(idsOf(1, 3))
  })

  it('doesn’t wait when there is something already', async () => {
    const events = await open()
    const reader = events.reader('a', 'key')
    happen(events, 1, 1)
    expect(await reader.wait(START, clock.now() + 30_000)).toBe('news')
  })

  it('waits no longer than it wants', async () => {
    const events = await open()
    const reader = events.reader('a', 'key')
    const waited = reader.wait(reader.head, clock.now() + 5_000)
    clock.advance(5_000)
    expect(await waited).toBe('time')
  })

  it('is freed when it is closed, and when the server stops', async () => {
    const events = await open()
    const [one, other] = [events.reader('a', 'key'), events.reader('a', 'key')]
    const waiting = [one.wait(one.head, clock.now() + 5_000), other.wait(other.head, clock.now() + 5_000)]
    one.close()
    expect([await waiting[0], events.readerCount]).toEqual(['over', 1])
    events.endReaders()
    expect([await waiting[1], events.readerCount, other.ended]).toEqual(['over', 0, 'stopping'])
    expect(() => events.reader('a', 'key')).toThrow(/shutting down/)
  })

  it('that takes nothing of what it was handed is cut off', async () => {
    const events = await open()
    const reader = events.reader('a', 'key')
    reader.handedOver()
    clock.advance(STALL_MS - 1_000)
    reader.taken()
    clock.advance(2_000)
    expect(reader.ended).toBe(undefined)
    reader.handedOver()
    clock.advance(STALL_MS)
    expect([reader.ended, events.readerCount]).toEqual(['too_slow', 0])
  })
})

describe('readers', () => {
  it('are so many at most, of one key and together', async () => {
    const events = await open()
    const mine = Array.from({ length: READERS_PER_OWNER_MAX }, () => events.reader('a', 'mine'))
    expect(() => events.reader('a', 'mine')).toThrow(/2000 readers of events of this key/)
    mine[0]?.close()
    mine[0]?.close()
    events.reader('a', 'mine')
    for (let index = events.readerCount; index < READERS_MAX; index += 1) events.reader('a', `other${index}`)
    expect(() => events.reader('a', 'one more')).toThrow(/all together/)
  })

  it('of an account that isn’t there are refused', async () => {
    const events = await open()
    expect(() => events.reader('b', 'key')).toThrow(/Account b/)
  })
})
