import type { Underlying } from './underlyings.ts'

/** Lowest and highest price of a day, in ticks; both inclusive. */
export interface Limits {
  readonly lower: number
  readonly upper: number
}

/** Shares with contracts may move so far from the base price at first, and by that much more each time they get there. */
const DYNAMIC_BAND = 0.1
const DYNAMIC_STEP = 0.05
/** A dynamic band widens when the price has come this close to it. */
const DYNAMIC_NEAR = 0.001

/** Lets what is whole but for rounding stay whole. */
const WHOLE = 1e-6

/** The fixed band of a share without contracts; undefined for what has none. */
export function fixedLimits({ band }: Underlying, baseTicks: number): Limits | undefined {
  return band === 0 ? undefined : limitsAround(baseTicks, band)
}

/** The band of a share with contracts after its price has been between `lowTicks` and `highTicks` today. */
export function dynamicLimits(baseTicks: number, lowTicks: number, highTicks: number): Limits {
  const reached = Math.max(highTicks / baseTicks - 1, 1 - lowTicks / baseTicks)
  const steps = Math.max(0, Math.floor((reached + DYNAMIC_NEAR - DYNAMIC_BAND) / DYNAMIC_STEP + WHOLE) + 1)
  return limitsAround(baseTicks, DYNAMIC_BAND + steps * DYNAMIC_STEP)
}

/** Rounded towards the base; a price is at least one tick. */
function limitsAround(baseTicks: number, band: number): Limits {
  return {
    lower: Math.max(1, Math.ceil(baseTicks * (1 - band) - WHOLE)),
    upper: Math.max(1, Math.floor(baseTicks * (1 + band) + WHOLE)),
  }
}
