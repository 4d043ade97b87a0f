import type { VenueChange } from '../brokers/venue-event.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { OrderEventFeed } from './order-event-feed.ts'
import type { OrderEventTable } from './order-event-table.ts'

/** A reader that takes nothing for so long is cut off. */
export const STALL_MS = 30_000
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
