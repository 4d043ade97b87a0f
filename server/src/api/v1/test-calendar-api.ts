import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { ManualClock } from '../../kernel/clock.ts'
import { OverrideStore } from '../../market/calendar/override-store.ts'
import { createCalendar, type TradingHours } from '../../market/exchange-calendar.ts'
import { moneyMigrations } from '../../storage/migrations/money/index.ts'
import { openDatabase } from '../../storage/open.ts'
import type { MoneyDatabase } from '../../storage/schema.ts'
import { call, testApi } from '../test-api.ts'
import { marketholidays, marketstatus, markettimings } from './calendar.ts'
import { marketoverrides, marketoverridesremove, marketoverridesset } from './calendar-overrides.ts'

/** An instant of exchange time. */
export const at = (text: string): number => Date.parse(`${text}+05:30`)
export const NOW = at('2026-11-26T10:00:00')

/** Servers that tell the calendar, all with the same overrides. */
export async function calendarServers() {
  const folder = mkdtempSync(join(tmpdir(), 'sauda-calendar-api-'))
  const money = await openDatabase<MoneyDatabase>(join(folder, 'money.db'), 'FULL', moneyMigrations, NOW)
  const start = async (now = NOW, hours: TradingHours = 'exchange'): Promise<FastifyInstance> => {
    const calendar = createCalendar({ hours })
    const clock = new ManualClock(now)
    const calendarOverrides = await OverrideStore.open({ money, calendar, clock, audit: () => undefined })
    const all = [
      marketholidays,
      markettimings,
      marketstatus,
      marketoverrides,
      marketoverridesset,
      marketoverridesremove,
    ]
    return testApi(all, { calendar, calendarOverrides }, { now })
  }
  return {
    start,
    /** One without overrides. */
    fresh: async (): Promise<FastifyInstance> => {
      await money.writer.write([money.compile(money.kysely.deleteFrom('calendar_override'))])
      return start()
    },
    close: async (): Promise<void> => {
      await money.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
export type CalendarServers = Awaited<ReturnType<typeof calendarServers>>

/** Exchange, beginning and end of each session of a day. */
export async function timingsOn(app: FastifyInstance, date: string, more: object = {}) {
  const { body } = await call(app, 'market/timings', { date, ...more })
  return (body.data as { exchange: string; start_time: number; end_time: number }[]).map((row) => [
    row.exchange,
    row.start_time,
    row.end_time,
  ])
}
