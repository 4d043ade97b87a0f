/**
 * Events from what happened to whoever wants to know, inside the process.
 * Each subscriber has a queue of its own and gets events in the order they were published. A subscriber that falls
 * `queueLengthMax` behind loses its oldest events; the loss is counted and told to it before the next event.
 */
export interface Subscription {
  readonly dropped: number
  close(): void
}

export interface SubscribeOptions<E> {
  readonly name: string
  readonly handle: (event: E) => void | Promise<void>
  readonly queueLengthMax?: number
  /** Called before the next event with how many were lost since the last call. */
  readonly onDropped?: (count: number) => void
  readonly onError: (error: unknown) => void
}

export const QUEUE_LENGTH_MAX = 10_000

export class EventBus<Events extends Record<string, unknown>> {
  readonly #topics = new Map<keyof Events, Set<Subscriber<never>>>()

  publish<T extends keyof Events>(topic: T, event: Events[T]): void {
    const subscribers = this.#topics.get(topic)
    if (subscribers === undefined) return
    for (const subscriber of subscribers) (subscriber as unknown as Subscriber<Events[T]>).push(event)
  }

  subscribe<T extends keyof Events>(topic: T, options: SubscribeOptions<Events[T]>): Subscription {
    const subscriber = new Subscriber(options, () => this.#topics.get(topic)?.delete(subscriber as never))
    let set = this.#topics.get(topic)
    if (set === undefined) {
      set = new Set()
      this.#topics.set(topic, set)
    }
    set.add(subscriber as never)
    return subscriber
  }
}

class Subscriber<E> implements Subscription {
  dropped = 0
  #untold = 0
  #running = false
  #closed = false
  readonly #queue: E[] = []
  readonly #options: SubscribeOptions<E>
  readonly #detach: () => void

  constructor(options: SubscribeOptions<E>, detach: () => void) {
    this.#options = options
    this.#detach = detach
  }

  push(event: E): void {
    if (this.#queue.length >= (this.#options.queueLengthMax ?? QUEUE_LENGTH_MAX)) {
      this.#queue.shift()
      this.dropped += 1
      this.#untold += 1
    }
    this.#queue.push(event)
    if (!this.#running) {
      this.#running = true
      queueMicrotask(() => this.#drain())
    }
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0 && !this.#closed) {
      const event = this.#queue.shift() as E // the queue isn't empty
      try {
        if (this.#untold > 0) {
          const count = this.#untold
          this.#untold = 0
          this.#options.onDropped?.(count)
        }
        const pending = this.#options.handle(event)
        if (pending !== undefined) await pending
      } catch (error) {
        this.#options.onError(error)
      }
    }
    this.#running = false
  }

  close(): void {
    this.#closed = true
    this.#queue.length = 0
    this.#detach()
  }
}
