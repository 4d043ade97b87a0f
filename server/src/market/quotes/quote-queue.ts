import { Refusal } from '../../kernel/errors.ts'
import type { Instrument } from '../instrument.ts'
import {
  type Quote,
  type QuoteStream,
  type QuoteUpdate,
  SUBSCRIBED_INSTRUMENTS_MAX,
  SUBSCRIPTIONS_MAX,
} from '../market-data.ts'

/** The instruments of a subscription, each once. Refuses with `overloaded` what is too much. */
export function subscribable(instruments: readonly Instrument[], subscriptions: number): readonly Instrument[] {
  const wanted = [...new Map(instruments.map((instrument) => [instrument.id, instrument])).values()]
  if (wanted.length > SUBSCRIBED_INSTRUMENTS_MAX) {
    throw new Refusal(
      'overloaded',
      `A subscription follows at most ${SUBSCRIBED_INSTRUMENTS_MAX} instruments, not ${wanted.length}`,
    )
  }
  if (subscriptions >= SUBSCRIPTIONS_MAX) {
    throw new Refusal('overloaded', `There are ${subscriptions} subscriptions, and at most ${SUBSCRIPTIONS_MAX} may be`)
  }
  return wanted
}

/** A QuoteStream that a source fills: a newer update takes the place of one that wasn't taken yet. */
export class QuoteQueue implements QuoteStream {
  /** In the order in which they began to wait. */
  readonly #waiting = new Map<number, QuoteUpdate>()
  /** Instant of the newest quote that was offered, by instrument. */
  readonly #newestAt = new Map<number, number>()
  readonly #wake: () => void
  readonly #onClose: () => void
  #closed = false
  #wakes = false

  constructor(wake: () => void, onClose: () => void) {
    this.#wake = wake
    this.#onClose = onClose
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Gives the newest of an instrument. A quote that is older than one given before is dropped. */
  offer(instrument: Instrument, quote: Quote | Refusal): void {
    if (this.#closed) return
    const { id } = instrument
    if (!(quote instanceof Refusal)) {
      if (quote.at < (this.#newestAt.get(id) ?? Number.NEGATIVE_INFINITY)) return
      this.#newestAt.set(id, quote.at)
    }
    const wasEmpty = this.#waiting.size === 0
    this.#waiting.set(id, { instrument, quote }) // an instrument that waits keeps its place
    if (!wasEmpty || this.#wakes) return
    // Later, so that a subscriber is never called while it still subscribes or takes
    this.#wakes = true
    queueMicrotask(() => {
      this.#wakes = false
      if (this.#waiting.size > 0) this.#wake()
    })
  }

  take(most: number = SUBSCRIBED_INSTRUMENTS_MAX): QuoteUpdate[] {
    const taken: QuoteUpdate[] = []
    for (const [id, update] of this.#waiting) {
      if (taken.length >= most) break
      taken.push(update)
      this.#waiting.delete(id)
    }
    return taken
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#waiting.clear()
    this.#newestAt.clear()
    this.#onClose()
  }
}
