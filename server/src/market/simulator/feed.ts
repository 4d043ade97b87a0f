import type { Clock } from '../../kernel/clock.ts'
import { Refusal, type RefusalCode } from '../../kernel/errors.ts'
import type { Instrument } from '../instrument.ts'
import type { Quote, QuoteStream } from '../market-data.ts'
import { QuoteQueue, subscribable } from '../quotes/quote-queue.ts'

/** How often subscribers are told; the simulated market's prices change once a second. */
const TICK_MS = 1000

interface Follower {
  readonly queue: QuoteQueue
  readonly instruments: readonly Instrument[]
  /** Instant of the quote, or code of the refusal, that was offered last, in the order of the instruments. */
  readonly told: (number | RefusalCode | undefined)[]
}

/** Subscriptions to the simulated market. While there is none, the clock has no task. */
export class Feed {
  readonly #clock: Clock
  readonly #quoteNow: (instrument: Instrument) => Quote
  readonly #followers = new Set<Follower>()
  #stop: (() => void) | undefined

  constructor(clock: Clock, quoteNow: (instrument: Instrument) => Quote) {
    this.#clock = clock
    this.#quoteNow = quoteNow
  }

  subscribe(instruments: readonly Instrument[], wake: () => void): QuoteStream {
    const wanted = subscribable(instruments, this.#followers.size)
    const queue = new QuoteQueue(wake, () => this.#end(follower))
    const follower: Follower = { queue, instruments: wanted, told: wanted.map(() => undefined) }
    this.#followers.add(follower)
    this.#stop ??= this.#clock.every(TICK_MS, () => {
      for (const each of [...this.#followers]) this.#tell(each)
    })
    this.#tell(follower)
    return queue
  }

  #tell({ queue, instruments, told }: Follower): void {
    for (let index = 0; index < instruments.length; index += 1) {
      const instrument = instruments[index]
      if (instrument === undefined || queue.closed) return
      const quote = this.#quoteOf(instrument)
      const mark = quote instanceof Refusal ? quote.code : quote.at
      if (mark === told[index]) continue
      told[index] = mark
      queue.offer(instrument, quote)
    }
  }

  #quoteOf(instrument: Instrument): Quote | Refusal {
    try {
      return this.#quoteNow(instrument)
    } catch (error) {
      if (error instanceof Refusal) return error
      throw error
    }
  }

  #end(follower: Follower): void {
    this.#followers.delete(follower)
    if (this.#followers.size > 0) return
    this.#stop?.()
    this.#stop = undefined
  }
}
