/** At most `count` in any `windowMs`. */
export interface Rate {
  readonly count: number
  readonly windowMs: number
}

export const RATES_MAX = 4
export const RATE_COUNT_MAX = 1_000_000_000

const UNIT_MS = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const
const PART = /^(\d{1,10})\s*(?:per|\/)\s*(second|minute|hour|day)s?$/i

/** Reads `10 per second; 1000 per day`: all parts hold together. Undefined for text that isn't of this form. */
export function parseRates(text: string): readonly Rate[] | undefined {
  const parts = text
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  if (parts.length === 0 || parts.length > RATES_MAX) return undefined
  const rates: Rate[] = []
  for (const part of parts) {
    const [, count = '', unit = ''] = PART.exec(part) ?? []
    const windowMs = UNIT_MS[unit.toLowerCase() as keyof typeof UNIT_MS]
    const number = Number(count)
    if (windowMs === undefined || number < 1 || number > RATE_COUNT_MAX) return undefined
    rates.push({ count: number, windowMs })
  }
  return rates
}
