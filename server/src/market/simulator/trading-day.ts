import { assert } from '../../kernel/assert.ts'

/** Stretch of a session without trading, in whole minutes: [fromSecond, toSecond) counted from the opening. */
export interface Halt {
  readonly fromSecond: number
  readonly toSecond: number
}

/**
 * Hours in which one family of underlyings moves on one day. Seconds are counted in two ways: those of the session on
 * the clock, and those in which there is trading; they differ after a halt.
 */
export class TradingDay {
  readonly day: number
  readonly opensAt: number
  readonly closesAt: number
  /** Seconds of the session on the clock. */
  readonly seconds: number
  readonly halt: Halt | undefined
  /** Seconds with trading. */
  readonly tradedSeconds: number

  constructor(day: number, opensAt: number, closesAt: number, halt: Halt | undefined) {
    this.day = day
    this.opensAt = opensAt
    this.closesAt = closesAt
    this.seconds = (closesAt - opensAt) / 1000
    this.halt = halt
    const halted = halt === undefined ? 0 : halt.toSecond - halt.fromSecond
    assert(
      halt === undefined || (halt.fromSecond > 0 && halted > 0 && halt.toSecond < this.seconds),
      'a halt lies inside',
    )
    this.tradedSeconds = this.seconds - halted
  }

  /** Seconds with trading among the first `second` of the session. */
  tradedBefore(second: number): number {
    const { halt } = this
    if (halt === undefined || second <= halt.fromSecond) return second
    return second <= halt.toSecond ? halt.fromSecond : second - (halt.toSecond - halt.fromSecond)
  }

  /** Instant at which that second with trading begins. */
  instantOf(traded: number): number {
    const { halt } = this
    const second = halt === undefined || traded < halt.fromSecond ? traded : traded + halt.toSecond - halt.fromSecond
    return this.opensAt + second * 1000
  }
}
