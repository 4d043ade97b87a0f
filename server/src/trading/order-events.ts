import type { VenueChange, VenueEvent } from '../brokers/venue-event.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Database } from '../storage/open.ts'
import type { RecordDatabase } from '../storage/schema.ts'
import { FedChange, OrderEventFeed } from './order-event-feed.ts'
import { OrderEventTable } from './order-event-table.ts'

/** Readers at once, of one key or session and of all. */
export const READERS_PER_OWNER_MAX = 2_000
export const READERS_MAX = 5_000
/** A reader that takes nothing for so long is cut off. */
export const STALL_MS = 30_000
/** How exactly times are kept. */
export const TICK_MS = 250
/** Events that are written together. */
const CHUNK_EVENTS = 128
const WRITTEN_WITHIN_MS = 250
/** Times that writing is tried again before somebody who waits for it is told. */
const ATTEMPTS_MAX = 3
const RETENTION_EVERY_MS = 60_000

/** The last event that was seen: that of this index, or all of a change. */
export interface EventCursor {
  readonly seq: number
  /** Infinity for all of the change. */
  readonly index: number
}

/** Events of one change, from one index on. */
export interface SeenEvents {
  readonly change: VenueChange
  readonly from: number
  readonly until: number
}

export interface EventPage {
  readonly parts: readonly SeenEvents[]
  /** To go on from. */
  readonly after: EventCursor
}

export type Waited = 'news' | 'time' | 'over'
/** Why a reader gets no more: it was closed, it was too slow, or the server stops. */
export type ReaderEnd = 'closed' | 'too_slow' | 'stopping'

export interface OrderEventsOptions {
  readonly record: Database<RecordDatabase>
  readonly clock: Clock
  readonly retentionMs: number
  readonly onError: (error: unknown) => void
}

/**
 * What happened to accounts, in order and without gaps, for whoever reads along or reads on from where it was. The last
 * events are in memory; all of them, as long as they are kept, in the record file, written behind. What a crash keeps from
 * getting there is told again when the account is recovered from its journal.
 */
export class OrderEvents {
  readonly #options: OrderEventsOptions
  readonly #table: OrderEventTable
  readonly #feeds = new Map<string, OrderEventFeed>()
  readonly #readers = new Map<string, Set<EventReader>>()
  readonly #readersOf = new Map<string, number>()
  readonly #stopRetention: () => void
  /** Of the timers that run only while somebody reads, and while something waits for the disk. */
  #stopTicking: (() => void) | undefined
  #stopWriting: (() => void) | undefined
  #readerCount = 0
  #isStopping = false
  #waking = false
  #writing: Promise<void> | undefined
  #retaining: Promise<void> | undefined

  constructor(options: OrderEventsOptions) {
    this.#options = options
    this.#table = new OrderEventTable(options.record)
    this.#stopRetention = options.clock.every(RETENTION_EVERY_MS, () => this.#retain())
  }

  /** Number of the account's last change whose events are on disk; 0 when none are. */
  keptUntil(account: string): Promise<number> {
    return this.#table.lastSeq(account)
  }

  /** To be called before an account's first change: its changes go on after number `seq`. */
  async begin(account: string, seq: number): Promise<void> {
    this.#feeds.set(account, new OrderEventFeed(seq))
    if ((await this.#table.lastSeq(account)) > seq) await this.#table.forgetAfter(account, seq)
  }

  /** Takes a change of an account; they come in order. Never throws: it has happened. */
  keep(account: string, seq: number, at: number, count: number, events: () => readonly VenueEvent[]): void {
    const feed = this.#feeds.get(account)
    if (feed === undefined) {
      this.#options.onError(new Error(`change ${seq} of account ${account} came before it began`))
      return
    }
    const wasGivenUp = feed.givenUp !== undefined
    feed.add(new FedChange(seq, at, count, events))
    if (feed.givenUp !== undefined && !wasGivenUp) this.#options.onError(feed.givenUp)
    this.#stopWriting ??= this.#options.clock.every(WRITTEN_WITHIN_MS, () => void this.#writeNow())
    if (feed.unstoredEvents >= CHUNK_EVENTS && this.#writing === undefined) void this.flush()
    if (!this.#waking && this.#readers.has(account)) {
      // Once for all that this turn brings
      this.#waking = true
      setImmediate(() => this.#wake())
    }
  }

  /** Resolves when all changes of the account up to `seq` are on disk. Throws when they don't get there. */
  async settled(account: string, seq: number): Promise<void> {
    const feed = this.#feeds.get(account)
    if (feed === undefined) throw new Error(`account ${account} has no events`)
    for (let attempt = 0; attempt < ATTEMPTS_MAX && feed.stored < seq; attempt += 1) {
      if (feed.givenUp !== undefined) throw feed.givenUp
      await this.flush()
      await this.flush() // the first may have been under way, with less
    }
    if (feed.stored < seq)
      throw new Error(`events of account ${account} are on disk until ${feed.stored} only, not until ${seq}`)
  }

  /** Writes what waits, account by account. Never rejects; what couldn't be written waits on. */
  flush(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined
    })
    return this.#writing
  }

  async #writeNow(): Promise<void> {
    await this.flush()
    for (const feed of this.#feeds.values()) if (feed.givenUp === undefined && feed.stored < feed.head) return
    this.#stopWriting?.()
    this.#stopWriting = undefined
  }

  async #writeAll(): Promise<void> {
    for (const [account, feed] of this.#feeds) {
      try {
        while (feed.givenUp === undefined && feed.stored < feed.head) {
          const changes = feed.from(feed.stored + 1, CHUNK_EVENTS)
          await this.#table.append(account, changes)
          feed.markStored(changes)
        }
      } catch (error) {
        if (!(error instanceof Refusal && error.code === 'overloaded')) this.#options.onError(error)
      }
    }
  }

  /**
   * Somebody who reads an account's events. `owner` names the key or session. Throws too_many_readers, account_not_found,
   * shutting_down.
   */
  reader(account: string, owner: string): EventReader {
    if (this.#isStopping) throw new Refusal('shutting_down', 'The server is shutting down. Read on in a few seconds.')
    const feed = this.#feeds.get(account)
    if (feed === undefined) throw new Refusal('account_not_found', `Account ${account} has no events`)
    const ofOwner = this.#readersOf.get(owner) ?? 0
    if (ofOwner >= READERS_PER_OWNER_MAX || this.#readerCount >= READERS_MAX) {
      const [most, whose] =
        ofOwner >= READERS_PER_OWNER_MAX ? [READERS_PER_OWNER_MAX, 'this key'] : [READERS_MAX, 'all together']
      throw new Refusal(
        'too_many_readers',
        `There are ${most} readers of events of ${whose} already, the most allowed. Close some, or read along with one of them.`,
      )
    }
    const reader = new EventReader(feed, this.#table, account, this.#options.clock, () =>
      this.#leave(account, owner, reader),
    )
    this.#readerCount += 1
    this.#stopTicking ??= this.#options.clock.every(TICK_MS, () => this.#tick())
    this.#readersOf.set(owner, ofOwner + 1)
    const others = this.#readers.get(account)
    if (others === undefined) this.#readers.set(account, new Set([reader]))
    else others.add(reader)
    return reader
  }

  get readerCount(): number {
    return this.#readerCount
  }

  /** Ends every reading, so that a shutdown needn't wait for it; what still happens is kept. */
  endReaders(): void {
    this.#isStopping = true
    for (const readers of [...this.#readers.values()]) for (const reader of [...readers]) reader.end('stopping')
  }

  async close(): Promise<void> {
    this.endReaders()
    this.#stopRetention()
    this.#stopWriting?.()
    await this.flush()
    await this.flush()
    await this.#retaining
  }

  #leave(account: string, owner: string, reader: EventReader): void {
    this.#readerCount -= 1
    const left = (this.#readersOf.get(owner) ?? 1) - 1
    if (left === 0) this.#readersOf.delete(owner)
    else this.#readersOf.set(owner, left)
    const others = this.#readers.get(account)
    others?.delete(reader)
    if (others?.size === 0) this.#readers.delete(account)
    if (this.#readerCount > 0) return
    this.#stopTicking?.()
    this.#stopTicking = undefined
  }

  #wake(): void {
    this.#waking = false
    for (const readers of this.#readers.values()) for (const reader of readers) reader.wake()
  }

  #tick(): void {
    const now = this.#options.clock.now()
    for (const readers of this.#readers.values()) for (const reader of [...readers]) reader.tick(now)
  }

  #retain(): void {
    this.#retaining ??= this.#retainAll().finally(() => {
      this.#retaining = undefined
    })
  }

  async #retainAll(): Promise<void> {
    const before = this.#options.clock.now() - this.#options.retentionMs
    try {
      for (const account of this.#feeds.keys()) await this.#table.retain(account, before)
    } catch (error) {
      this.#options.onError(error)
    }
  }
}

/** Reads one account's events: pulls them at its own pace, so that it needs no room of its own. */
export class EventReader {
  readonly #feed: OrderEventFeed
  readonly #table: OrderEventTable
  readonly #account: string
  readonly clock: Clock
  readonly #leave: () => void
  #end: ReaderEnd | undefined
  #waiting: { readonly seq: number; readonly until: number; readonly resolve: (how: Waited) => void } | undefined
  #handedAt: number | undefined

  constructor(feed: OrderEventFeed, table: OrderEventTable, account: string, clock: Clock, leave: () => void) {
    this.#feed = feed
    this.#table = table
    this.#account = account
    this.clock = clock
    this.#leave = leave
  }

  /** Behind all that there is: only what comes from now on is seen. */
  get head(): EventCursor {
    return { seq: this.#feed.head, index: Number.POSITIVE_INFINITY }
  }

  /** Why it gets no more; undefined while it does. */
  get ended(): ReaderEnd | undefined {
    return this.#end
  }

  /**
   * At most `limit` events after a cursor, none when there are none yet. Throws events_gone when they aren't kept any
   * more, and validation_failed for a cursor that lies ahead.
   */
  async read(after: EventCursor, limit: number): Promise<EventPage> {
    if (after.seq > this.#feed.head) throw this.#ahead(after.seq)
    let page: EventPage = { parts: [], after }
    while (page.parts.length === 0) {
      const wanted = isWhole(page.after) ? page.after.seq + 1 : page.after.seq
      if (wanted > this.#feed.head) break
      const changes = wanted >= this.#feed.oldest ? this.#feed.from(wanted, limit) : await this.#stored(wanted)
      page = pageOf(changes, page.after, limit)
    }
    return page
  }

  /** Resolves when there may be something after a cursor, at the instant `until`, or when the reader has ended. */
  wait(after: EventCursor, until: number): Promise<Waited> {
    if (this.#end !== undefined) return Promise.resolve('over')
    if (this.#feed.head > after.seq || !isWhole(after)) return Promise.resolve('news')
    if (this.clock.now() >= until) return Promise.resolve('time')
    return new Promise((resolve) => {
      this.#waiting = { seq: after.seq, until, resolve }
    })
  }

  /** Something was handed over, and is under way to somebody who may take it or not. */
  handedOver(): void {
    this.#handedAt = this.clock.now()
  }

  /** What was handed over has been taken. */
  taken(): void {
    this.#handedAt = undefined
  }

  wake(): void {
    if (this.#waiting !== undefined && this.#feed.head > this.#waiting.seq) this.#resume('news')
  }

  tick(now: number): void {
    if (this.#handedAt !== undefined && now - this.#handedAt >= STALL_MS) this.end('too_slow')
    else if (this.#waiting !== undefined && now >= this.#waiting.until) this.#resume('time')
  }

  end(why: ReaderEnd): void {
    if (this.#end !== undefined) return
    this.#end = why
    this.#leave()
    this.#resume('over')
  }

  close(): void {
    this.end('closed')
  }

  #resume(how: Waited): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve(how)
  }

  async #stored(wanted: number): Promise<readonly VenueChange[]> {
    const found = await this.#table.from(this.#account, wanted)
    if (found !== undefined && found.firstSeq <= wanted) return found.changes.filter(({ seq }) => seq >= wanted)
    throw this.#gone(wanted, Math.min(found?.firstSeq ?? Number.POSITIVE_INFINITY, this.#feed.oldest))
  }

  #gone(wanted: number, oldest: number): Refusal {
    return new Refusal(
      'events_gone',
      `Events of change ${wanted} aren't kept any more; the oldest are of change ${oldest}. Read the books, then go on after "${oldest - 1}".`,
      { extra: { oldest: String(oldest) } },
    )
  }

  #ahead(seq: number): Refusal {
    const message = `There is no change ${seq} yet, the last one is ${this.#feed.head}. Send the id of an event that you got, or leave it out.`
    return new Refusal('validation_failed', message, { errors: [{ field: 'after', message }] })
  }
}

/** Whether all of its change was seen. */
const isWhole = ({ index }: EventCursor): boolean => index === Number.POSITIVE_INFINITY

function pageOf(changes: readonly VenueChange[], after: EventCursor, limit: number): EventPage {
  const parts: SeenEvents[] = []
  let seen = after
  let left = limit
  for (const change of changes) {
    const count = change.events.length
    const from = change.seq === after.seq ? Math.min(after.index + 1, count) : 0
    const until = Math.min(count, from + left)
    if (until > from) parts.push({ change, from, until })
    left -= until - from
    seen = { seq: change.seq, index: until === count ? Number.POSITIVE_INFINITY : until - 1 }
    if (left === 0) break
  }
  return { parts, after: seen }
}
