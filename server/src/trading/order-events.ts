import type { VenueEvent } from '../brokers/venue-event.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Database } from '../storage/open.ts'
import type { RecordDatabase } from '../storage/schema.ts'
import { FedChange, OrderEventFeed } from './order-event-feed.ts'
import { EventReader } from './order-event-reader.ts'
import { OrderEventTable } from './order-event-table.ts'

/** Readers at once, of one key or session and of all. */
export const READERS_PER_OWNER_MAX = 2_000
export const READERS_MAX = 5_000
/** How exactly times are kept. */
export const TICK_MS = 250
/** Events that are written together: the more, the better and the quicker they are compressed. */
const CHUNK_EVENTS = 512
const WRITTEN_WITHIN_MS = 250
/** Times that writing is tried again before somebody who waits for it is told. */
const ATTEMPTS_MAX = 3
const RETENTION_EVERY_MS = 60_000

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
  keep(account: string, seq: number, at: number, events: readonly VenueEvent[]): void {
    const feed = this.#feeds.get(account)
    if (feed === undefined) {
      this.#options.onError(new Error(`change ${seq} of account ${account} came before it began`))
      return
    }
    const wasGivenUp = feed.givenUp !== undefined
    feed.add(new FedChange(seq, at, events))
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
