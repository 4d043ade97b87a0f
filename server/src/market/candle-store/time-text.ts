import { dayNumberOf, dayStartAt } from '../../kernel/exchange-time.ts'

const SECONDS = /^\d{9,10}(?:\.0+)?$/
const MILLISECONDS = /^\d{12,13}(?:\.0+)?$/
const DATE = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/

/** What `instantOf` reads, for messages. */
export const TIME_FORMS =
  '2026-08-03 09:15 (in the exchange’s zone), 2026-08-03T09:15:00+05:30, 2026-08-03, or seconds or milliseconds since 1970'

/**
 * The instant that a text of a file names; undefined when it isn't one, or has a part of a second. Without a zone it is
 * the exchange's time, as traders write it; a date alone is its 00:00 there.
 */
export function instantOf(given: string): number | undefined {
  const text = given.trim()
  if (SECONDS.test(text)) return Math.trunc(Number(text)) * 1000
  if (MILLISECONDS.test(text)) return wholeSecond(Math.trunc(Number(text)))
  const [, date, hour = '00', minute = '00', second = '00', fraction = '', zone] = DATE.exec(text) ?? []
  if (date === undefined) return undefined
  const utc = Date.parse(`${date}T${hour}:${minute}:${second}Z`)
  // `Date.parse` takes the 31st of any month for a day of the next
  if (Number.isNaN(utc) || new Date(utc).toISOString().slice(0, 10) !== date || /[1-9]/.test(fraction)) return undefined
  const offset = zone === undefined ? undefined : offsetMs(zone)
  if (offset !== undefined) return utc - offset
  return dayStartAt(dayNumberOf(date)) + (utc - Date.parse(`${date}T00:00:00Z`))
}

const wholeSecond = (at: number): number | undefined => (at % 1000 === 0 ? at : undefined)

function offsetMs(zone: string): number {
  if (zone === 'Z') return 0
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0')
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))
  return (zone.startsWith('-') ? -1 : 1) * minutes * 60_000
}
