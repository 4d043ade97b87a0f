/** At most `count` in `windowMs` milliseconds. */
export interface Rate {
  readonly count: number
  readonly windowMs: number
}

/** Limits that one text may join. */
export const RATES_MAX = 4
export const RATE_COUNT_MAX = 1_000_000_000
/** Longest window, in days. */
export const RATE_DAYS_MAX = 31

const UNITS_MS = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const
type Unit = keyof typeof UNITS_MS

const RATE = /^(\d{1,10})\s*(?:\/|\s+per\s+)\s*(?:(\d{1,7})\s*)?(second|minute|hour|day)s?$/i

/**
 * The limits of a text such as `10 per second; 1000 per day`, `10/second` or `5 per 2 minutes`; of text that names none,
 * a sentence that says what is wrong.
 */
export function parseRates(text: string): readonly Rate[] | string {
  const parts = text.split(';').map((part) => part.trim())
  if (parts.length > RATES_MAX) return `there are ${parts.length} limits, and at most ${RATES_MAX} may be joined`
  const rates: Rate[] = []
  for (const part of parts) {
    const rate = parseRate(part)
    if (typeof rate === 'string') return rate
    if (rates.some(({ windowMs }) => windowMs === rate.windowMs)) {
      return `two limits are per ${windowText(rate.windowMs)}; keep the smaller one`
    }
    rates.push(rate)
  }
  return rates
}

function parseRate(text: string): Rate | string {
  const [, countText, lengthText = '1', unit] = RATE.exec(text) ?? []
  if (countText === undefined || unit === undefined) {
    return `"${text.slice(0, 64)}" is no limit; write it as 10 per second, or 1000 per day`
  }
  const count = Number(countText)
  if (count < 1 || count > RATE_COUNT_MAX) return `"${text}" must let from 1 to ${RATE_COUNT_MAX} through`
  const windowMs = Number(lengthText) * UNITS_MS[unit.toLowerCase() as Unit]
  if (windowMs < UNITS_MS.second || windowMs > RATE_DAYS_MAX * UNITS_MS.day) {
    return `"${text}" must be per 1 second at least and ${RATE_DAYS_MAX} days at most`
  }
  return { count, windowMs }
}

/** As it is read: `10 per second`. */
export const rateText = ({ count, windowMs }: Rate): string => `${count} per ${windowText(windowMs)}`

/** As it is read: `second`, `2 minutes`. */
export function windowText(windowMs: number): string {
  for (const unit of ['day', 'hour', 'minute'] as const) {
    const length = windowMs / UNITS_MS[unit]
    if (Number.isInteger(length)) return length === 1 ? unit : `${length} ${unit}s`
  }
  return windowMs === UNITS_MS.second ? 'second' : `${windowMs / UNITS_MS.second} seconds`
}
