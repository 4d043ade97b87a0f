import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { dateOf, dayNumberOf, timestampOf } from '../../kernel/exchange-time.ts'
import { moneyMigrations } from '../../storage/migrations/money/index.ts'
import { type Database, openDatabase } from '../../storage/open.ts'
import type { MoneyDatabase } from '../../storage/schema.ts'
import { createCalendar, type ExchangeCalendar, type TradingHours } from '../exchange-calendar.ts'
import { EXCHANGES, type Exchange } from '../instrument.ts'
import { minuteOf, type Window } from './day.ts'
import { MARKETS, type Market } from './hours.ts'
import { overrideSet } from './override.ts'
import { OVERRIDES_MAX, OverrideStore } from './override-store.ts'

const START = Date.parse('2026-11-26T10:00:00+05:30')
const ADMIN = { name: 'asha', address: '198.51.100.7', requestId: 'r1' }

let folder: string
let money: Database<MoneyDatabase>
let audit: { actor: string; action: string; target: string; detail: unknown }[]
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-calendar-'))
  money = await openDatabase<MoneyDatabase>(join(folder, 'money.db'), 'FULL', moneyMigrations, START)
})
beforeEach(async () => {
  await money.writer.write([money.compile(money.kysely.deleteFrom('calendar_override'))])
  audit = []
})
afterAll(async () => {
  await money.close()
  rmSync(folder, { recursive: true, force: true })
})

async function open(hours: TradingHours = 'exchange') {
  const calendar = createCalendar({ hours })
  const store = await OverrideStore.open({
    money,
    calendar,
    clock: new ManualClock(START),
    audit: ({ actor, action, target, detail }) => void audit.push({ actor, action, target, detail }),
  })
  return { calendar, store }
}

const hours = (from: string, to: string): Window => ({ opensAtMinute: minuteOf(from), closesAtMinute: minuteOf(to) })
const wish = (date: string, exchanges: readonly Market[], window?: Window) => ({
  date,
  exchanges,
  window,
  reason: 'Told so',
})

function sessionText(calendar: ExchangeCalendar, exchange: Exchange, date: string): string {
  const session = calendar.session(exchange, date)
  return session === undefined ? 'closed' : `${timestampOf(session.opensAt)}, ${timestampOf(session.closesAt)}`
}

describe.each<TradingHours>(['exchange', 'always'])('with hours %s', (kept) => {
  test('a day is closed at once, for its indices too, and for no other exchange', async () => {
    const { calendar, store } = await open(kept)
    const before = sessionText(calendar, 'BSE', '2026-11-27')
    const { version } = calendar
    const told: number[] = []
    calendar.onChange(() => told.push(calendar.version))
    await store.set(wish('2026-11-27', ['NSE']), ADMIN)
    expect(
      ['NSE', 'NSE_INDEX', 'GLOBAL_INDEX'].map((name) => sessionText(calendar, name as Exchange, '2026-11-27')),
    ).toEqual(['closed', 'closed', 'closed'])
    expect(sessionText(calendar, 'BSE', '2026-11-27')).toBe(before)
    expect(calendar.exchangeWindows('NSE', dayNumberOf('2026-11-27'))).toEqual([])
    expect(told).toEqual([version + 1])
    expect(calendar.version).toBe(version + 1)
  })

  test('a holiday gets a session, a session other hours, and removal brings back what was', async () => {
    const { calendar, store } = await open(kept)
    const before = ['2026-12-25', '2026-11-30'].map((date) => sessionText(calendar, 'NFO', date))
    await store.set(wish('2026-12-25', ['NFO', 'NSE'], hours('10:00', '12:30')), ADMIN)
    await store.set(wish('2026-11-30', ['NFO'], hours('09:15', '13:00')), ADMIN)
    expect(sessionText(calendar, 'NFO', '2026-12-25')).toBe('2026-12-25 10:00:00, 2026-12-25 12:30:00')
    expect(sessionText(calendar, 'NFO', '2026-11-30')).toBe('2026-11-30 09:15:00, 2026-11-30 13:00:00')
    await store.remove('2026-12-25', ['NSE', 'NFO'], ADMIN)
    await store.remove('2026-11-30', ['NFO'], ADMIN)
    expect(['2026-12-25', '2026-11-30'].map((date) => sessionText(calendar, 'NFO', date))).toEqual(before)
    expect(store.list()).toEqual([])
  })

  test('it is on disk, and in force again after a restart', async () => {
    const first = await open(kept)
    await first.store.set(wish('2026-12-24', ['MCX'], hours('17:00', '23:55')), ADMIN)
    await first.store.set(wish('2026-11-27', ['CDS', 'BCD']), ADMIN)
    const second = await open(kept)
    expect(second.store.list()).toEqual(first.store.list())
    expect(second.store.list().map(({ date, exchange }) => `${exchange} ${date}`)).toEqual([
      'BCD 2026-11-27',
      'CDS 2026-11-27',
      'MCX 2026-12-24',
    ])
    expect(second.store.list(2027)).toEqual([])
    expect(sessionText(second.calendar, 'MCX', '2026-12-24')).toBe('2026-12-24 17:00:00, 2026-12-24 23:55:00')
    expect(sessionText(second.calendar, 'CDS', '2026-11-27')).toBe('closed')
  })
})

test('who said what is in the audit log', async () => {
  const { store } = await open()
  await store.set(wish('2026-11-27', ['NSE', 'BSE']), ADMIN)
  await store.set(wish('2026-11-27', ['NSE'], hours('18:00', '24:15')), ADMIN)
  await store.remove('2026-11-27', ['BSE'], ADMIN)
  expect(audit).toEqual([
    {
      actor: 'asha',
      action: 'calendar.overridden',
      target: 'NSE 2026-11-27',
      detail: { hours: 'closed', reason: 'Told so' },
    },
    {
      actor: 'asha',
      action: 'calendar.overridden',
      target: 'BSE 2026-11-27',
      detail: { hours: 'closed', reason: 'Told so' },
    },
    {
      actor: 'asha',
      action: 'calendar.overridden',
      target: 'NSE 2026-11-27',
      detail: { hours: '18:00-24:15', reason: 'Told so' },
    },
    { actor: 'asha', action: 'calendar.override_removed', target: 'BSE 2026-11-27', detail: { reason: 'Told so' } },
  ])
  expect(store.list()).toMatchObject([{ exchange: 'NSE', setAt: START, setBy: 'asha' }])
})

describe('is refused, and nothing changes:', () => {
  const refused = async (done: Promise<unknown>, message: string | RegExp, code = 'validation_failed') => {
    const error = await done.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(Refusal)
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
    expect(audit).toEqual([])
  }

  test('a session that another one of the exchange would overlap', async () => {
    const { calendar, store } = await open()
    await store.set(wish('2026-11-27', ['CRYPTO'], hours('06:00', '24:00')), ADMIN)
    audit.length = 0
    const { version } = calendar
    await refused(
      store.set(wish('2026-11-28', ['CRYPTO'], hours('18:00', '25:00')), ADMIN),
      /^CRYPTO would have two sessions at once: that of 2026-11-28 lasts until 2026-11-29 01:00:00 IST, that of 2026-11-29 begins at 2026-11-29 00:00:00 IST\.$/,
    )
    await store.set(wish('2026-11-26', ['CRYPTO'], hours('06:00', '29:00')), ADMIN)
    audit.length = 0
    await refused(store.remove('2026-11-27', ['CRYPTO'], ADMIN), /two sessions at once/)
    expect(calendar.version).toBe(version + 1)
  })

  test('an exchange that would be closed for weeks, whichever hours are kept', async () => {
    const { store } = await open('always')
    for (let day = dayNumberOf('2026-11-30'); day <= dayNumberOf('2026-12-16'); day += 1)
      await store.set(wish(dateOf(day), ['NSE']), ADMIN)
    audit.length = 0
    // With Saturday 28 and Sunday 29 of November before it, and the weekend after it
    await store.set(wish('2026-12-17', ['NSE']), ADMIN)
    audit.length = 0
    await refused(store.set(wish('2026-12-18', ['NSE']), ADMIN), 'NSE would be closed for more than 20 days in a row')
    expect(store.list().at(-1)?.date).toBe('2026-12-17')
  })

  test('to remove what nobody has said', async () => {
    const { store } = await open()
    await store.set(wish('2026-11-27', ['NSE']), ADMIN)
    audit.length = 0
    await refused(
      store.remove('2026-11-27', ['NSE', 'BSE'], ADMIN),
      'Nothing is overridden for BSE on 2026-11-27',
      'not_found',
    )
    expect(store.list()).toHaveLength(1)
  })

  test('more than there may be', async () => {
    const { kysely, compile, writer } = money
    const first = dayNumberOf('2030-01-01')
    const row = (index: number) => ({
      date: dateOf(first + index),
      exchange: 'NSE',
      opens_at_minute: 600,
      closes_at_minute: 700,
      reason: '',
      set_at: 0,
      set_by: '',
    })
    await writer.write(
      Array.from({ length: OVERRIDES_MAX }, (_, index) =>
        compile(kysely.insertInto('calendar_override').values(row(index))),
      ),
    )
    const { store } = await open()
    await refused(store.set(wish('2026-11-27', ['NSE']), ADMIN), /^There are 2000 overrides, at most 2000 may be kept/)
    await store.set(wish('2030-01-01', ['NSE']), ADMIN)
    expect(store.list()).toHaveLength(OVERRIDES_MAX)
  })
})

test('whatever overrides say that are taken, sessions are apart and the next one is found', async () => {
  const { store } = await open()
  const someWish = fc.record({
    exchange: fc.constantFrom(...MARKETS),
    day: fc.integer({ min: dayNumberOf('2026-11-20'), max: dayNumberOf('2026-12-20') }),
    window: fc.option(
      fc.record({ opensAtMinute: fc.integer({ min: 0, max: 1439 }), length: fc.integer({ min: 15, max: 1440 }) }),
      { nil: undefined },
    ),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(someWish, { minLength: 5, maxLength: 25 }), async (wishes) => {
      for (const { exchange, day, window } of wishes) {
        const taken = window && {
          opensAtMinute: window.opensAtMinute,
          closesAtMinute: Math.min(window.opensAtMinute + window.length, 1800),
        }
        try {
          await store.set(wish(dateOf(day), [exchange], taken), ADMIN)
        } catch (error) {
          expect(error).toMatchObject({ code: 'validation_failed' })
        }
      }
      for (const hoursKept of ['exchange', 'always'] as const) {
        const all = createCalendar({ hours: hoursKept })
        all.override(overrideSet(store.list()))
        for (const exchange of EXCHANGES) {
          let closedUntil = 0
          for (let day = dayNumberOf('2026-11-15'); day < dayNumberOf('2026-12-28'); day += 1) {
            const session = all.sessionOn(exchange, day)
            if (session === undefined) continue
            expect(session.opensAt).toBeGreaterThanOrEqual(closedUntil)
            expect(all.nextSession(exchange, session.opensAt - 1)).toBe(session)
            closedUntil = session.closesAt
          }
        }
      }
    }),
    { numRuns: 8 },
  )
})
