import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { dayNumberOf, type ExchangeDate, formatTimeOfDay, timestampOf } from '../../kernel/exchange-time.ts'
import { InTurn } from '../../kernel/turns.ts'
import type { Database } from '../../storage/open.ts'
import type { CalendarOverrideTable, MoneyDatabase } from '../../storage/schema.ts'
import type { Statement } from '../../storage/writer.ts'
import { ExchangeCalendar } from '../exchange-calendar.ts'
import type { Window } from './day.ts'
import { MARKETS, type Market } from './hours.ts'
import { type CalendarOverride, overrideSet } from './override.ts'

/** Overrides that are kept. */
export const OVERRIDES_MAX = 2_000
export const OVERRIDE_REASON_LENGTH_MAX = 200
/** Days in a row that an exchange may be closed; what looks for the next session looks little further. */
export const CLOSED_RUN_MAX = 20
/** Shortest session, and how far into the next day one may last. */
export const SESSION_MINUTES_MIN = 15
export const CLOSES_AT_MINUTE_MAX = 30 * 60

/** Who changes the calendar. */
export interface CalendarActor {
  readonly name: string
  readonly address: string
  readonly requestId: string
}

export interface OverrideStoreOptions {
  readonly money: Database<MoneyDatabase>
  readonly calendar: ExchangeCalendar
  readonly clock: Clock
  readonly audit: (entry: {
    readonly actor: string
    readonly action: string
    readonly target: string
    readonly address: string
    readonly requestId: string
    readonly detail: Readonly<Record<string, unknown>>
  }) => void
}

export interface OverrideWish {
  readonly date: ExchangeDate
  readonly exchanges: readonly Market[]
  /** Hours of the session; undefined when the exchanges are closed. */
  readonly window: Window | undefined
  readonly reason: string
}

const keyOf = ({ exchange, date }: { readonly exchange: Market; readonly date: ExchangeDate }): string =>
  `${date} ${MARKETS.indexOf(exchange)}`

/** What admins have said of single days: on disk, and from then on in force for every user of the calendar. */
export class OverrideStore {
  readonly #options: OverrideStoreOptions
  readonly #turns = new InTurn()
  #overrides: ReadonlyMap<string, CalendarOverride> = new Map()

  private constructor(options: OverrideStoreOptions) {
    this.#options = options
  }

  /** Puts into force what is stored. Throws on a row that this version doesn't write. */
  static async open(options: OverrideStoreOptions): Promise<OverrideStore> {
    const store = new OverrideStore(options)
    const rows = await options.money.kysely.selectFrom('calendar_override').selectAll().execute()
    if (rows.length > 0) store.#take(new Map(rows.map(overrideOf).map((override) => [keyOf(override), override])))
    return store
  }

  /** All of a year, or of every year; ascending by date. */
  list(year?: number): readonly CalendarOverride[] {
    const all = [...this.#overrides.keys()].sort().flatMap((key) => this.#overrides.get(key) ?? [])
    return year === undefined ? all : all.filter(({ date }) => Number(date.slice(0, 4)) === year)
  }

  /**
   * Says what these exchanges do on a date, in place of what was said before. Throws Refusal: validation_failed when a
   * session would overlap another, an exchange would be closed for too long, or there are too many overrides.
   */
  set(wish: OverrideWish, actor: CalendarActor): Promise<readonly CalendarOverride[]> {
    return this.#turns.run(async () => {
      const { money, clock } = this.#options
      const { date, window, reason } = wish
      const setAt = clock.now()
      const after = new Map(this.#overrides)
      const set = wish.exchanges.map(
        (exchange): CalendarOverride => ({ date, exchange, window, reason, setAt, setBy: actor.name }),
      )
      for (const override of set) after.set(keyOf(override), override)
      if (after.size > OVERRIDES_MAX)
        throw new Refusal(
          'validation_failed',
          `There are ${this.#overrides.size} overrides, at most ${OVERRIDES_MAX} may be kept: remove some that are over.`,
        )
      requireSane(after, wish.exchanges, date, this.#options.calendar)
      await money.writer.write(set.map((override) => this.#putting(override)))
      this.#take(after)
      const told = window === undefined ? 'closed' : hoursText(window)
      for (const { exchange } of set) this.#tell(actor, 'calendar.overridden', exchange, date, { hours: told, reason })
      return set
    })
  }

  /**
   * Lets what the exchanges have published count again on a date. Throws Refusal: not_found when nothing is said of one
   * of them, validation_failed as `set`.
   */
  remove(date: ExchangeDate, exchanges: readonly Market[], actor: CalendarActor): Promise<readonly CalendarOverride[]> {
    return this.#turns.run(async () => {
      const { money } = this.#options
      const after = new Map(this.#overrides)
      const removed = exchanges.map((exchange) => {
        const override = after.get(keyOf({ exchange, date }))
        if (override === undefined)
          throw new Refusal(
            'not_found',
            `Nothing is overridden for ${exchange} on ${date}; market/overrides lists all.`,
          )
        after.delete(keyOf(override))
        return override
      })
      requireSane(after, exchanges, date, this.#options.calendar)
      await money.writer.write(removed.map((override) => this.#removing(override)))
      this.#take(after)
      for (const { exchange, reason } of removed)
        this.#tell(actor, 'calendar.override_removed', exchange, date, { reason })
      return removed
    })
  }

  #take(overrides: ReadonlyMap<string, CalendarOverride>): void {
    this.#overrides = overrides
    this.#options.calendar.override(overrideSet(overrides.values()))
  }

  #putting({ date, exchange, window, reason, setAt, setBy }: CalendarOverride): Statement {
    const { kysely, compile } = this.#options.money
    const columns = {
      opens_at_minute: window?.opensAtMinute ?? null,
      closes_at_minute: window?.closesAtMinute ?? null,
      reason,
      set_at: setAt,
      set_by: setBy,
    }
    const insert = kysely.insertInto('calendar_override').values({ date, exchange, ...columns })
    return compile(insert.onConflict((on) => on.columns(['date', 'exchange']).doUpdateSet(columns)))
  }

  #removing({ date, exchange }: CalendarOverride): Statement {
    const { kysely, compile } = this.#options.money
    return compile(kysely.deleteFrom('calendar_override').where('date', '=', date).where('exchange', '=', exchange))
  }

  #tell(
    actor: CalendarActor,
    action: string,
    exchange: Market,
    date: ExchangeDate,
    detail: Readonly<Record<string, unknown>>,
  ): void {
    const { name, address, requestId } = actor
    this.#options.audit({ actor: name, action, target: `${exchange} ${date}`, address, requestId, detail })
  }
}

/** `18:00-24:15` */
export const hoursText = ({ opensAtMinute, closesAtMinute }: Window): string =>
  `${formatTimeOfDay(opensAtMinute)}-${formatTimeOfDay(closesAtMinute)}`

/** Throws validation_failed when sessions around `date` would overlap or an exchange would be closed for too long. */
function requireSane(
  overrides: ReadonlyMap<string, CalendarOverride>,
  exchanges: readonly Market[],
  date: ExchangeDate,
  { hours }: ExchangeCalendar,
): void {
  const set = overrideSet(overrides.values())
  const day = dayNumberOf(date)
  // Under the exchanges' hours too while they aren't kept: the setting may change
  const published = new ExchangeCalendar('exchange', set)
  for (const exchange of exchanges) {
    requireApart(published, exchange, day)
    for (const calendar of hours === 'exchange' ? [published] : [published, new ExchangeCalendar('always', set)])
      requireOpenSoon(calendar, exchange, day)
  }
}

function requireApart(calendar: ExchangeCalendar, exchange: Market, day: number): void {
  for (const second of [day, day + 1]) {
    const before = calendar.sessionOn(exchange, second - 1)
    const after = calendar.sessionOn(exchange, second)
    if (before === undefined || after === undefined || before.closesAt <= after.opensAt) continue
    throw new Refusal(
      'validation_failed',
      `${exchange} would have two sessions at once: that of ${before.date} lasts until ${timestampOf(before.closesAt)} IST, ` +
        `that of ${after.date} begins at ${timestampOf(after.opensAt)} IST.`,
    )
  }
}

function requireOpenSoon(calendar: ExchangeCalendar, exchange: Market, day: number): void {
  let first = day
  let last = day
  if (calendar.sessionOn(exchange, day) !== undefined) return
  while (last - first < CLOSED_RUN_MAX && calendar.sessionOn(exchange, first - 1) === undefined) first -= 1
  while (last - first < CLOSED_RUN_MAX && calendar.sessionOn(exchange, last + 1) === undefined) last += 1
  if (last - first + 1 <= CLOSED_RUN_MAX) return
  throw new Refusal(
    'validation_failed',
    `${exchange} would be closed for more than ${CLOSED_RUN_MAX} days in a row, which is taken for a mistake.`,
  )
}

function overrideOf(row: CalendarOverrideTable): CalendarOverride {
  const exchange = MARKETS.find((market) => market === row.exchange)
  const { opens_at_minute: opensAtMinute, closes_at_minute: closesAtMinute } = row
  if (exchange === undefined) throw new Error(`calendar_override has a row for "${row.exchange}", which is no exchange`)
  return {
    date: row.date,
    exchange,
    window: opensAtMinute === null || closesAtMinute === null ? undefined : { opensAtMinute, closesAtMinute },
    reason: row.reason,
    setAt: row.set_at,
    setBy: row.set_by,
  }
}
