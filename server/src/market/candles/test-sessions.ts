import { dateOf, dayNumberOf, dayStartAt, MINUTE_MS } from '../../kernel/exchange-time.ts'
import { price, quantity } from '../../kernel/fixed.ts'
import { neverOpen, type Session, type TradingCalendar } from '../calendar.ts'
import type { Exchange } from '../instrument.ts'
import type { Candle } from '../market-data.ts'

/** Minutes of the day of opening and close; more than 1,440 is on the next day. For tests. */
export type Hours = readonly [number, number]

export const HOURS = {
  usual: [555, 930],
  half: [555, 720],
  evening: [1020, 1435],
  special: [1095, 1155],
  overnight: [1080, 1590],
  odd: [541, 928],
} as const satisfies Record<string, Hours>

/** Tuesday, the last day of a quarter. */
export const FIRST_DAY = dayNumberOf('2026-03-31')

/** A calendar whose days from FIRST_DAY on have these hours, undefined for a day off; all other days are off. */
export function calendarOf(days: readonly (Hours | undefined)[]): TradingCalendar & { readonly sessions: Session[] } {
  const sessionOn = (_exchange: Exchange, day: number): Session | undefined => {
    const hours = days[day - FIRST_DAY]
    if (hours === undefined) return undefined
    const startAt = dayStartAt(day)
    return { date: dateOf(day), opensAt: startAt + hours[0] * MINUTE_MS, closesAt: startAt + hours[1] * MINUTE_MS }
  }
  const sessions = days.flatMap((_, index) => sessionOn('MCX', FIRST_DAY + index) ?? [])
  return {
    version: 1,
    onChange: () => () => undefined,
    sessions,
    sessionOn,
    session: (exchange, date) => sessionOn(exchange, dayNumberOf(date)),
    sessionAt: (_exchange, at) => sessions.find(({ opensAt, closesAt }) => opensAt <= at && at < closesAt),
    nextSession: (exchange, at) => sessions.find(({ opensAt }) => opensAt > at) ?? neverOpen(exchange),
  }
}

/** Candles of that many seconds of all sessions; their figures depend on their start alone. */
export function candlesOfSessions(sessions: readonly Session[], seconds: number): Candle[] {
  const candles: Candle[] = []
  for (const { opensAt, closesAt } of sessions) {
    for (let at = opensAt; at < closesAt; at += seconds * 1000) candles.push(candleAt(at))
  }
  return candles
}

export function candleAt(startAt: number): Candle {
  const noise = (salt: number): number => Math.imul(startAt / 1000 + salt, 0x9e3779b1) >>> 20
  const [open, close] = [noise(1), noise(2)]
  return {
    startAt,
    open: price(open),
    high: price(Math.max(open, close) + (noise(3) % 50)),
    low: price(Math.min(open, close) - (noise(4) % 50)),
    close: price(close),
    volume: quantity(noise(5)),
    openInterest: quantity(noise(6)),
  }
}
