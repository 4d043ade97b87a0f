import { integer } from '../field.ts'
import { makeField, problem, shown } from '../field-type.ts'

export const PAGE_ROWS_MAX = 1_000
export const PAGE_ROWS = 100
/** A reader with a wrong one would begin again and again at the newest row. */
const CURSOR = /^\d{0,15}$/

/** Fields of a list that is read a page at a time, newest first. */
export const paging = {
  limit: integer({ min: 1, max: PAGE_ROWS_MAX, description: 'Rows of one page at most.' }).optional(
    PAGE_ROWS,
    PAGE_ROWS,
  ),
  cursor: makeField<string, string>(
    { type: 'string' },
    { description: '`next_cursor` of the page before; left out for the newest rows.' },
    (value) =>
      typeof value === 'string' && CURSOR.test(value)
        ? value
        : problem(`Not a cursor. Got ${shown(value)}; send next_cursor of the page before as it is.`),
  ).optional(''),
}

/** The id that a cursor goes on below. */
export const belowOf = (cursor: string): number | undefined => (cursor === '' ? undefined : Number(cursor))

export const cursorOf = (below: number | undefined): string | null => (below === undefined ? null : String(below))

/** An instant as epoch milliseconds, or as ISO 8601 with its zone. */
export const instant = (description: string) =>
  makeField<number | string, number>({ type: ['integer', 'string'] }, { description }, (value) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
    if (typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value)
    if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:?\d\d)$/.test(value)) {
      const at = Date.parse(value)
      if (!Number.isNaN(at)) return at
    }
    return problem(`Not an instant. Got ${shown(value)}; send epoch milliseconds, or 2026-11-25T09:15:00+05:30.`)
  })

/** A status such as 404, or a class such as 4xx. */
export const status = makeField<string, readonly [number, number]>(
  { type: 'string' },
  { description: 'A status such as 404, or all of a class: 2xx, 4xx, 5xx.' },
  (value) => {
    const given = typeof value === 'number' ? String(value) : value
    if (typeof given === 'string' && /^[1-5]xx$/i.test(given)) {
      const first = Number(given[0]) * 100
      return [first, first + 99]
    }
    if (typeof given === 'string' && /^[1-5]\d\d$/.test(given)) return [Number(given), Number(given)]
    return problem(`Not a status. Got ${shown(value)}; send one such as 404, or a class such as 4xx.`)
  },
)
