import { EXCHANGES } from '../instrument.ts'
import type { InstrumentStore } from '../instrument-store.ts'

/** A load with less than this share of the instruments that were there is taken for an incomplete one. */
export const KEPT_SHARE_MIN = 0.7
/** The same of one exchange. More than of all: the day after an expiry lists much less of some. */
export const EXCHANGE_KEPT_SHARE_MIN = 0.4
/** An exchange with fewer instruments may lose any of them, but not all. */
const JUDGED_FROM = 50

/** Why the load is taken for an incomplete one; undefined when it isn't. */
export function shrinkageOf(before: InstrumentStore, after: InstrumentStore): string | undefined {
  if (after.size < before.size * KEPT_SHARE_MIN)
    return `there are ${after.size} instruments instead of ${before.size}; fewer than ${percent(KEPT_SHARE_MIN)} of them is taken for an incomplete load`
  for (const exchange of EXCHANGES) {
    const [had, has] = [before.countOf(exchange), after.countOf(exchange)]
    if (had > 0 && has === 0) return `${exchange} has no instruments any more; it had ${had}`
    if (had >= JUDGED_FROM && has < had * EXCHANGE_KEPT_SHARE_MIN)
      return `${exchange} has ${has} instruments instead of ${had}; fewer than ${percent(EXCHANGE_KEPT_SHARE_MIN)} of them is taken for an incomplete load`
  }
  return undefined
}

const percent = (share: number): string => `${Math.round(share * 100)} %`
