import { dayStartAt, MINUTE_MS } from '../../kernel/exchange-time.ts'
import { hash, hash2, unit } from './noise.ts'
import type { Scenario } from './scenario.ts'
import type { Halt } from './trading-day.ts'

/** Time in which an event is placed: minutes of a session of 10:00 to 15:30, or of the middle of another one. */
interface Stage {
  /** Minutes from the session's opening. */
  readonly fromMinute: number
  /** Minutes of the session for each minute of the stage. */
  readonly scale: number
}

const STAGE_MINUTES = 330
const STAGE_OPENS_MS = 10 * 60 * MINUTE_MS

/** A session that covers the stage has it there; a shorter one is squeezed through it. */
function stageOf(day: number, opensAt: number, closesAt: number): Stage {
  const fromMinute = (dayStartAt(day) + STAGE_OPENS_MS - opensAt) / MINUTE_MS
  const minutes = (closesAt - opensAt) / MINUTE_MS
  if (fromMinute >= 15 && fromMinute + STAGE_MINUTES <= minutes) return { fromMinute, scale: 1 }
  const from = Math.floor(minutes * 0.12)
  return { fromMinute: from, scale: (minutes - from) / STAGE_MINUTES }
}

/** In scenario `halted` trading rests once in a session: from 10:30 … 12:10 for 60 to 90 minutes. */
export function plannedHalt(seed: number, day: number, opensAt: number, closesAt: number): Halt {
  const { fromMinute, scale } = stageOf(day, opensAt, closesAt)
  const drawn = hash2(seed, 0x4a17, day)
  const from = fromMinute + Math.floor((30 + 100 * unit(drawn)) * scale)
  const length = Math.max(5, Math.floor((60 + 30 * unit(hash(drawn, 1))) * scale))
  return { fromSecond: from * 60, toSecond: (from + length) * 60 }
}

/** A fall of the index of this share of its previous close halts the market of shares, their indices and contracts. */
export const BREAKER_FALL = 0.1
/** Length of that halt when it comes before 13:00, by the exchanges' rule for the first stage. */
export const BREAKER_MINUTES = 45
/** Shorter sessions have no circuit breaker. */
export const BREAKER_SESSION_MINUTES_MIN = 240

/** Knots of a crash, minutes with trading: a fall that takes back itself by the close, so that tomorrow has one too. */
const CRASH: readonly (readonly [minute: number, change: number])[] = [
  [20, 0],
  [45, -0.03],
  [75, -0.128],
  [120, -0.155],
  [170, -0.1],
  [260, 0],
]
const GAP_MIN = 0.015
const GAP_MAX = 0.045

/**
 * What the scenario's event has added to the market's price before each minute with trading, and after the last, as a
 * share of the opening price; undefined where there is none.
 */
export function eventOf(
  scenario: Scenario,
  seed: number,
  day: number,
  opensAt: number,
  closesAt: number,
  tradedMinutes: number,
): Float64Array | undefined {
  if (scenario === 'gap') return new Float64Array(tradedMinutes + 1).fill(gapOn(seed, day))
  if (scenario !== 'crash') return undefined
  const { fromMinute, scale } = stageOf(day, opensAt, closesAt)
  const shift = 15 * unit(hash2(seed, 0xc4a5, day))
  const changes = new Float64Array(tradedMinutes + 1)
  for (let minute = 0; minute <= tradedMinutes; minute += 1)
    changes[minute] = crashAt((minute - fromMinute) / scale - shift)
  return changes
}

/** In scenario `gap` the market's price stands away from its ordinary one by this share all day, up or down. */
export function gapOn(seed: number, day: number): number {
  const drawn = hash2(seed, 0x6a9, day)
  const size = GAP_MIN + (GAP_MAX - GAP_MIN) * unit(drawn)
  return (drawn & 1) === 0 ? size : -size
}

function crashAt(minute: number): number {
  let [fromMinute, from] = CRASH[0] ?? [0, 0]
  for (const [toMinute, to] of CRASH) {
    if (minute < toMinute) {
      return toMinute === fromMinute ? from : from + ((to - from) * (minute - fromMinute)) / (toMinute - fromMinute)
    }
    fromMinute = toMinute
    from = to
  }
  return from
}

/** A stretch in which the feed is lost: quotes stay those of before `fromAt`, and from `refusedFromAt` there are none. */
export interface Outage {
  readonly fromAt: number
  readonly refusedFromAt: number
  readonly untilAt: number
}

const HOUR_MS = 60 * MINUTE_MS

/**
 * In scenario `feed-loss` the feed is lost once in every hour of the clock, for 6 to 20 minutes that end before its 25th minute:
 * first nothing new comes, then nothing at all. Undefined outside that stretch.
 */
export function outageAt(seed: number, at: number): Outage | undefined {
  // Zone hours begin at half past in UTC; count from there.
  const hour = Math.floor((at - dayStartAt(0)) / HOUR_MS)
  const drawn = hash2(seed, 0xfeed, hour)
  const hourAt = dayStartAt(0) + hour * HOUR_MS
  const fromAt = hourAt + MINUTE_MS * Math.floor(1 + 4 * unit(drawn))
  const untilAt = fromAt + MINUTE_MS * Math.floor(6 + 14 * unit(hash(drawn, 1)))
  if (at < fromAt || at >= untilAt) return undefined
  return { fromAt, untilAt, refusedFromAt: fromAt + Math.floor((untilAt - fromAt) / 2 / MINUTE_MS) * MINUTE_MS }
}
