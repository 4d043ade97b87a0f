/** So many are done at once rather than wait for the end of the turn. */
const WAITING_MAX = 16

/**
 * Has what comes in one turn of the event loop done one right after the other, in order. Requests that are each read, judged
 * and answered by itself push each other's code out of the processor's cache, and an answer that leaves by itself wakes its
 * reader, which takes more of the processor than the request did.
 */
export class Gathering<Item> {
  readonly #act: (item: Item) => void
  readonly #done: (() => void) | undefined
  #waiting: Item[] = []

  /** `act` never throws; `done` is called after each time that some were done. */
  constructor(act: (item: Item) => void, done?: () => void) {
    this.#act = act
    this.#done = done
  }

  /** Has it done before anything else is waited for. */
  add(item: Item): void {
    this.#waiting.push(item)
    if (this.#waiting.length === 1) setImmediate(() => this.flush())
    else if (this.#waiting.length >= WAITING_MAX) this.flush()
  }

  /** Has all that wait done now. */
  flush(): void {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    for (const item of waiting) this.#act(item)
    this.#done?.()
  }
}
