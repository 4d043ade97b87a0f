import { Refusal } from '../../kernel/errors.ts'
import { type EventCursor, type EventReader, type ReaderEnd, STALL_MS } from '../../trading/order-event-reader.ts'
import { eventFrames } from './event-rows.ts'

export const HEARTBEAT_MS = 15_000
/** A connection ends after so long, so that whoever has it shows again that it may. */
export const STREAM_LIFE_MS = 3_600_000
/** Events that are handed over together. */
const BATCH_EVENTS = 256
/** How long a client should wait before it connects again. */
const RETRY_MS = 2_000

export interface EventFramesOptions {
  /** false ends with the last event that there is. */
  readonly follow: boolean
  /** Whether whoever reads still may. */
  readonly mayGoOn: () => boolean
}

/**
 * An account's events as text of an event stream, pulled by whoever sends it: nothing is made before what came before has
 * been taken. Not a generator, since one that waits can't be ended from outside.
 */
export class EventFrames implements AsyncIterable<string>, AsyncIterator<string, undefined> {
  readonly #reader: EventReader
  readonly #options: EventFramesOptions
  readonly #endsAt: number
  #after: EventCursor
  #hasBegun = false
  #isDone = false

  constructor(reader: EventReader, after: EventCursor, options: EventFramesOptions) {
    this.#reader = reader
    this.#after = after
    this.#options = options
    this.#endsAt = reader.clock.now() + STREAM_LIFE_MS
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<string, undefined>> {
    this.#reader.taken()
    if (this.#isDone) return { done: true, value: undefined }
    if (!this.#hasBegun) {
      this.#hasBegun = true
      return this.#handOver(`retry: ${RETRY_MS}\n\n`)
    }
    try {
      return await this.#more()
    } catch (error) {
      if (error instanceof Refusal) return this.#last(error.code, error.message)
      this.return()
      throw error
    }
  }

  return(): Promise<IteratorResult<string, undefined>> {
    this.#isDone = true
    this.#reader.close()
    return Promise.resolve({ done: true, value: undefined })
  }

  async #more(): Promise<IteratorResult<string, undefined>> {
    const { follow, mayGoOn } = this.#options
    const { clock } = this.#reader
    const heartbeatAt = Math.min(clock.now() + HEARTBEAT_MS, this.#endsAt)
    for (;;) {
      const { ended } = this.#reader
      if (ended !== undefined) return this.#ended(ended)
      if (!mayGoOn()) return this.#last('access_ended', 'The key is no longer valid, or the session is over.')
      const page = await this.#reader.read(this.#after, BATCH_EVENTS)
      this.#after = page.after
      if (page.parts.length > 0) return this.#handOver(eventFrames(page.parts))
      if (!follow) return this.return()
      if ((await this.#reader.wait(this.#after, heartbeatAt)) !== 'time') continue
      if (clock.now() >= this.#endsAt) return this.#last('connect_again', 'The connection is as old as it may get.')
      return this.#handOver(': alive\n\n')
    }
  }

  #ended(why: ReaderEnd): Promise<IteratorResult<string, undefined>> | IteratorResult<string, undefined> {
    if (why === 'stopping') return this.#last('shutting_down', 'The server is shutting down.')
    if (why === 'too_slow') return this.#last('too_slow', `Nothing was taken for ${STALL_MS / 1000} seconds.`)
    return this.return()
  }

  #handOver(value: string): IteratorResult<string, undefined> {
    this.#reader.handedOver()
    return { done: false, value }
  }

  /** Has no id: the client goes on after the last event that it got. */
  #last(code: string, message: string): IteratorResult<string, undefined> {
    this.#isDone = true
    this.#reader.close()
    return { done: false, value: `event: end\ndata: ${JSON.stringify({ code, message })}\n\n` }
  }
}
