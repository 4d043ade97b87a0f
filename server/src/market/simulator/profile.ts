/** Sessions this long have no rush at opening and closing. */
export const ROUND_THE_CLOCK_MINUTES = 20 * 60

/** How a day's movement is shared out among its minutes: most after the opening, much before the closing. */
export interface Profile {
  /** Minutes after which the day has its closing price; contracts may trade a little longer than what they are on. */
  readonly closing: number
  /** Deviation of each minute's change; the squares of those before the closing add up to 1. */
  readonly step: Float64Array
  /** Share of the day's variance before each minute: from 0 to exactly 1 at the closing, and a little more after it. */
  readonly time: Float64Array
}

const OPENING = 1.3
const OPENING_SPAN = 0.05
const CLOSING = 0.5
const CLOSING_SPAN = 0.07

/** Lengths of sessions there are few; halts make some more. */
const PROFILES_MAX = 256
const profiles = new Map<string, Profile>()

/** The profile of a session of so many minutes with trading, whose closing price is that after `closing` of them. */
export function profileOf(minutes: number, closing: number): Profile {
  const key = `${minutes} ${closing}`
  const known = profiles.get(key)
  if (known !== undefined) return known
  if (profiles.size >= PROFILES_MAX) profiles.clear()
  const made = makeProfile(minutes, closing)
  profiles.set(key, made)
  return made
}

function makeProfile(minutes: number, closing: number): Profile {
  const step = new Float64Array(minutes)
  let variance = 0
  for (let minute = 0; minute < minutes; minute += 1) {
    const x = (minute + 0.5) / minutes
    const rush = OPENING * Math.exp(-x / OPENING_SPAN) + CLOSING * Math.exp((x - 1) / CLOSING_SPAN)
    const size = minutes >= ROUND_THE_CLOCK_MINUTES ? 1 : 0.8 + rush
    step[minute] = size
    if (minute < closing) variance += size * size
  }
  const time = new Float64Array(minutes + 1)
  const scale = 1 / Math.sqrt(variance)
  let sum = 0
  for (let minute = 0; minute < minutes; minute += 1) {
    const size = (step[minute] ?? 0) * scale
    step[minute] = size
    sum += size * size
    time[minute + 1] = minute + 1 === closing ? 1 : sum
  }
  return { closing, step, time }
}
