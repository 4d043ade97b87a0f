import { dayNumberOf } from '../../kernel/exchange-time.ts'
import type { Exchange } from '../instrument.ts'
import type { CalendarYear, Holiday, SessionWindow, Window } from './day.ts'
import { type Market, publishedWindows } from './hours.ts'
import type { CalendarOverride } from './override.ts'

/** A day that isn't like any other, as it is with what overrides say of it. */
export interface ListedDay extends Holiday {
  /** Exchanges that an override counts for. */
  readonly overridden: readonly Market[]
}

/** Order of the exchanges within a day. */
const ORDER: readonly Exchange[] = ['NSE', 'BSE', 'NFO', 'BFO', 'CDS', 'BCD', 'MCX', 'NCO', 'NCDEX', 'CRYPTO']
const inOrder = (a: Exchange, b: Exchange): number => ORDER.indexOf(a) - ORDER.indexOf(b)

/** The listed days of a year, and those that the overrides of that year make different; ascending by date. */
export function listedDays(year: CalendarYear, overrides: readonly CalendarOverride[]): ListedDay[] {
  const days = new Map<string, ListedDay>(year.days.map((day) => [day.date, { ...day, overridden: [] }]))
  for (const override of overrides) {
    const listed = days.get(override.date)
    if (listed !== undefined) days.set(override.date, overriding(listed, override))
    else if (changesAnything(override)) days.set(override.date, overriding(ordinary(override), override))
  }
  return [...days.values()].sort((a, b) => dayNumberOf(a.date) - dayNumberOf(b.date))
}

const ordinary = ({ date, reason }: CalendarOverride): ListedDay => ({
  date,
  description: reason,
  type: 'SPECIAL_SESSION',
  closed: [],
  open: [],
  overridden: [],
})

function overriding(day: ListedDay, { exchange, window }: CalendarOverride): ListedDay {
  const closed = day.closed.filter((other) => other !== exchange)
  const open: SessionWindow[] = day.open.filter((other) => other.exchange !== exchange)
  if (window === undefined) closed.push(exchange)
  else open.push({ exchange, ...window })
  const isOurs = day.overridden.length > 0 || (day.closed.length === 0 && day.open.length === 0)
  return {
    ...day,
    type: isOurs && closed.length > 0 ? 'TRADING_HOLIDAY' : day.type,
    closed: closed.sort(inOrder),
    open: open.sort((a, b) => inOrder(a.exchange, b.exchange)),
    overridden: [...day.overridden, exchange].sort(inOrder),
  }
}

function changesAnything({ date, exchange, window }: CalendarOverride): boolean {
  const published: readonly Window[] = publishedWindows(exchange, dayNumberOf(date))
  const [only] = published
  if (window === undefined) return only !== undefined
  return (
    published.length !== 1 ||
    only?.opensAtMinute !== window.opensAtMinute ||
    only.closesAtMinute !== window.closesAtMinute
  )
}
