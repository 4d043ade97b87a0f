import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import type { Instrument } from '../instrument.ts'
import { sourceSlow } from './source-failure.ts'

/** Longest that an answer is given again, counted from the instant for which the source's data hold. */
export const HELD_MS_MAX = 1_000
/** Answers kept; more than one second's worth of any source. */
const HELD_MAX = 20_000
/** Instruments that wait for the source at the same time. */
export const WAITING_MAX = 10_000
/** Requests that a source is sent at the same time. */
export const REQUESTS_AT_ONCE = 4
/** How often it is looked whether the source is late. */
const LATE_CHECK_MS = 100

export interface SharedRequestsOptions<T> {
  /** What messages call the source. */
  readonly source: string
  /** Most instruments of one request. */
  readonly batchMax: number
  readonly deadlineMs: number
  readonly clock: Clock
  /** One answer for each instrument, in order. */
  readonly ask: (instruments: readonly Instrument[], signal: AbortSignal) => Promise<readonly (T | Error)[]>
  /** The answer as it may be given, or why it may not. */
  readonly accept: (answer: T, instrument: Instrument) => T | Refusal
  /** Instant of the answer's data. */
  readonly dataAt: (answer: T) => number
}

interface Waiting<T> {
  readonly instrument: Instrument
  readonly dueMs: number
  readonly answer: Promise<T | Refusal>
  readonly resolve: (answer: T | Refusal) => void
  /** Of a bug. */
  readonly reject: (error: unknown) => void
}

interface Held<T> {
  readonly answer: T
  /** Instant for which it is known to be right. */
  readonly knownAt: number
}

/**
 * Asks a source about instruments so that it is asked no more than necessary: whoever asks for an instrument that is being
 * asked for waits for the same answer, an answer is given again for at most HELD_MS_MAX by the age of its data, and all
 * that is asked for in one turn goes out together, in requests of at most `batchMax`. An instrument without an answer at
 * its deadline is `source_slow`; a request that nobody waits for any more is aborted.
 */
export class SharedRequests<T> {
  readonly #options: SharedRequestsOptions<T>
  readonly #held = new Map<number, Held<T>>()
  /** In the order in which they were asked for, which is also that of their deadlines. */
  readonly #waiting = new Map<number, Waiting<T>>()
  #unsent: Waiting<T>[] = []
  readonly #running = new Map<AbortController, readonly Waiting<T>[]>()
  #sends = false
  #stopLooking: (() => void) | undefined

  constructor(options: SharedRequestsOptions<T>) {
    this.#options = options
  }

  /** Instruments that an answer is waited for. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** The instrument's answer, at once when one is held. Rejects only for a bug of the source. */
  get(instrument: Instrument): T | Refusal | Promise<T | Refusal> {
    const { id } = instrument
    const held = this.#held.get(id)
    if (held !== undefined) {
      const ageMs = this.#options.clock.now() - held.knownAt
      if (ageMs >= 0 && ageMs < HELD_MS_MAX) return held.answer
      this.#held.delete(id)
    }
    return this.#waiting.get(id)?.answer ?? this.#enqueue(instrument)
  }

  /** Answers nobody any more, and stops what runs. */
  close(): void {
    const why = new Refusal('shutting_down', 'The server is shutting down. Send the request again in a few seconds.')
    for (const waiting of [...this.#waiting.values()]) this.#settle(waiting, why)
    this.#abortForgotten()
    this.#held.clear()
  }

  #enqueue(instrument: Instrument): Promise<T | Refusal> | Refusal {
    const { source, clock, deadlineMs } = this.#options
    if (this.#waiting.size >= WAITING_MAX) {
      return new Refusal(
        'overloaded',
        `${WAITING_MAX} instruments already wait for the market data source ${source}: try again later`,
      )
    }
    const { promise, resolve, reject } = Promise.withResolvers<T | Refusal>()
    const waiting = { instrument, dueMs: clock.elapsedMs() + deadlineMs, answer: promise, resolve, reject }
    this.#waiting.set(instrument.id, waiting)
    this.#unsent.push(waiting)
    this.#stopLooking ??= clock.every(LATE_CHECK_MS, () => this.#giveUpLate())
    if (!this.#sends) {
      this.#sends = true
      queueMicrotask(() => {
        this.#sends = false
        this.#send()
      })
    }
    return promise
  }

  #send(): void {
    while (this.#unsent.length > 0 && this.#running.size < REQUESTS_AT_ONCE) {
      const batch = this.#unsent.slice(0, this.#options.batchMax)
      this.#unsent = this.#unsent.slice(batch.length)
      void this.#request(batch)
    }
  }

  /** Never rejects: what goes wrong is told to who waits. */
  async #request(batch: readonly Waiting<T>[]): Promise<void> {
    const { ask, clock } = this.#options
    const controller = new AbortController()
    this.#running.set(controller, batch)
    const askedAt = clock.now()
    const instruments = batch.map(({ instrument }) => instrument)
    try {
      // The source should end by itself when aborted; one that doesn't must not keep others from being asked.
      const answers = await Promise.race([ask(instruments, controller.signal), aborted(controller.signal)])
      if (answers !== 'aborted') this.#answer(batch, answers, askedAt)
    } catch (error) {
      for (const waiting of batch) this.#settle(waiting, error)
    } finally {
      this.#running.delete(controller)
      this.#send()
    }
  }

  #answer(batch: readonly Waiting<T>[], answers: readonly (T | Error)[], askedAt: number): void {
    const { accept, dataAt, clock, source } = this.#options
    if (answers.length !== batch.length)
      throw new Error(`${source} was asked for ${batch.length} instruments and answered ${answers.length}`)
    for (const [index, waiting] of batch.entries()) {
      const given = answers[index]
      const answer = given instanceof Error || given === undefined ? given : accept(given, waiting.instrument)
      if (answer !== undefined && !(answer instanceof Error)) {
        if (this.#held.size >= HELD_MAX) this.#held.clear()
        const knownAt = Math.max(askedAt, Math.min(dataAt(answer), clock.now()))
        this.#held.set(waiting.instrument.id, { answer, knownAt })
      }
      this.#settle(waiting, answer)
    }
  }

  /** Does nothing for who isn't waiting any more. */
  #settle(waiting: Waiting<T>, answer: unknown): void {
    const { id } = waiting.instrument
    if (this.#waiting.get(id) !== waiting) return
    this.#waiting.delete(id)
    if (this.#waiting.size === 0) {
      this.#stopLooking?.()
      this.#stopLooking = undefined
    }
    if (answer instanceof Refusal || !(answer instanceof Error)) waiting.resolve(answer as T | Refusal)
    else waiting.reject(answer)
  }

  #giveUpLate(): void {
    const { clock, source, deadlineMs } = this.#options
    const nowMs = clock.elapsedMs()
    const [first] = this.#waiting.values()
    if (first === undefined || first.dueMs > nowMs) return
    const late = sourceSlow(source, deadlineMs)
    for (const waiting of [...this.#waiting.values()]) {
      if (waiting.dueMs > nowMs) break
      this.#settle(waiting, late)
    }
    this.#abortForgotten()
  }

  #abortForgotten(): void {
    const isWaiting = (waiting: Waiting<T>): boolean => this.#waiting.get(waiting.instrument.id) === waiting
    this.#unsent = this.#unsent.filter(isWaiting)
    for (const [controller, batch] of this.#running) if (!batch.some(isWaiting)) controller.abort()
  }
}

const aborted = (signal: AbortSignal): Promise<'aborted'> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve('aborted'), { once: true })
  })
