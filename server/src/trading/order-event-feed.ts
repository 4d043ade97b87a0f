import type { VenueChange, VenueEvent } from '../brokers/venue-event.ts'
import { assert } from '../kernel/assert.ts'
import { eventsOf, textOfEvents, type Written } from './order-event-text.ts'

/**
 * Events of one account that stay in memory once they are on disk. Few, for what stays long costs more than what goes soon:
 * with eight times as many, 64 connections place a sixth fewer orders.
 */
export const RECENT_EVENTS_MAX = 1_024
/** Events that may wait for the disk; with more the disk is given up until a restart, which finds them in the journal. */
export const UNSTORED_EVENTS_MAX = 100_000

/**
 * A change whose events are text: that is what the disk gets, and a text that stays in memory for a while is cheaper than
 * the objects that it tells of. Made back into events when somebody first reads them.
 */
export class FedChange implements VenueChange {
  readonly seq: number
  readonly at: number
  readonly count: number
  /** Of the events. */
  readonly text: string
  #events: readonly VenueEvent[] | undefined

  constructor(seq: number, at: number, events: readonly VenueEvent[]) {
    this.seq = seq
    this.at = at
    this.count = events.length
    this.text = textOfEvents(events)
  }

  get events(): readonly VenueEvent[] {
    this.#events ??= eventsOf(JSON.parse(this.text) as readonly Written[])
    return this.#events
  }
}

/** The last changes of one account, in memory: all that aren't on disk yet, and some more. */
export class OrderEventFeed {
  /** Number of the last change that there is. */
  head: number
  /** Number of the last change that is on disk. */
  stored: number
  /** Why no more changes get to the disk; undefined while they do. */
  givenUp: Error | undefined
  #recent: FedChange[] = []
  #events = 0
  #unstored = 0

  constructor(head: number) {
    this.head = head
    this.stored = head
  }

  /** Number of the oldest change in memory; one more than the last when there is none. */
  get oldest(): number {
    return this.head + 1 - this.#recent.length
  }

  get unstoredEvents(): number {
    return this.#unstored
  }

  add(change: FedChange): void {
    if (change.seq !== this.head + 1) {
      this.#giveUp(new Error(`change ${change.seq} came after ${this.head}`))
      this.#recent = []
      this.#events = 0
    }
    this.head = change.seq
    this.#recent.push(change)
    this.#events += change.count
    if (this.givenUp === undefined) {
      this.#unstored += change.count
      if (this.#unstored > UNSTORED_EVENTS_MAX)
        this.#giveUp(new Error(`${this.#unstored} events wait for the disk, more than may`))
    }
    this.#forgetOld()
  }

  /** Changes from number `seq` on, at least `eventsMin` events if there are so many. */
  from(seq: number, eventsMin: number): FedChange[] {
    assert(seq >= this.oldest, () => `change ${seq} isn't in memory, the oldest is ${this.oldest}`)
    const changes: FedChange[] = []
    let events = 0
    for (let index = seq - this.oldest; index < this.#recent.length && events < eventsMin; index += 1) {
      const change = this.#recent[index]
      assert(change?.seq === this.oldest + index, 'changes in memory have no gaps')
      changes.push(change)
      events += change.count
    }
    return changes
  }

  markStored(changes: readonly FedChange[]): void {
    for (const change of changes) {
      if (change.seq <= this.stored) continue
      this.stored = change.seq
      this.#unstored -= change.count
    }
    this.#forgetOld()
  }

  #giveUp(error: Error): void {
    this.givenUp ??= error
    this.#unstored = 0
  }

  #forgetOld(): void {
    if (this.#events <= RECENT_EVENTS_MAX + SURPLUS_EVENTS_MAX) return
    let forgotten = 0
    for (const change of this.#recent) {
      const isLast = forgotten === this.#recent.length - 1
      const mustStay = this.givenUp === undefined && change.seq > this.stored
      if (isLast || mustStay || this.#events <= RECENT_EVENTS_MAX) break
      this.#events -= change.count
      forgotten += 1
    }
    this.#recent.splice(0, forgotten)
  }
}

/** What is too much goes together: moving the rest costs as much for one as for many. */
const SURPLUS_EVENTS_MAX = RECENT_EVENTS_MAX / 8
