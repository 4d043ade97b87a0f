import type { ManualClock } from '../../kernel/clock.ts'
import { dateAt, dayNumberOf } from '../../kernel/exchange-time.ts'
import { candleAt } from '../candles/test-sessions.ts'
import { ExchangeCalendar } from '../exchange-calendar.ts'
import type { Instrument } from '../instrument.ts'
import type { Candle, Interval } from '../market-data.ts'
import type { Series } from './candle-store.ts'
import { expectedParts } from './coverage.ts'
import type { DownloadWanted } from './downloads.ts'

export const CALENDAR = new ExchangeCalendar('exchange')
export const NOW = '2026-11-25T11:00:00+05:30'
export const AUGUST: DownloadWanted = {
  symbols: [{ symbol: 'SBIN', exchange: 'NSE' }],
  interval: '15m',
  fromDay: dayNumberOf('2026-08-01'),
  toDay: dayNumberOf('2026-09-30'),
  onlyMissing: false,
}
export const named = (...symbols: string[]) => symbols.map((symbol) => ({ symbol, exchange: 'NSE' as const }))
/** Of 41 sessions of August and September 2026. */
export const EXPECTED = [
  ...expectedParts(
    { symbol: '', exchange: 'NSE', interval: '15m' },
    CALENDAR,
    { fromAt: Date.parse('2026-08-01T00:00:00+05:30'), toAt: Date.parse('2026-10-01T00:00:00+05:30') },
    Date.parse(NOW),
  ),
].flatMap(({ starts }) => starts).length

/** A store in memory. */
export class MemoryStore {
  readonly #kept = new Map<string, Map<number, Candle>>()
  puts = 0
  onPut: () => Promise<void> = async () => undefined

  starts(series: Series, fromAt: number, toAt: number): Promise<Float64Array> {
    const all = [...(this.#kept.get(keyOf(series))?.keys() ?? [])].sort((a, b) => a - b)
    return Promise.resolve(Float64Array.from(all.filter((at) => at >= fromAt && at < toAt)))
  }

  async put(series: Series, candles: readonly Candle[]) {
    this.puts += 1
    await this.onPut()
    const kept = this.#kept.get(keyOf(series)) ?? new Map<number, Candle>()
    this.#kept.set(keyOf(series), kept)
    let added = 0
    for (const candle of candles) {
      if (!kept.has(candle.startAt)) added += 1
      kept.set(candle.startAt, candle)
    }
    return { months: 1, added, changed: 0 }
  }

  count(symbol = 'SBIN', interval: Interval = '15m'): number {
    return this.#kept.get(keyOf({ symbol, exchange: 'NSE', interval }))?.size ?? 0
  }

  forget(symbol: string, at: number): boolean {
    return this.#kept.get(keyOf({ symbol, exchange: 'NSE', interval: '15m' }))?.delete(at) ?? false
  }
}
const keyOf = ({ symbol, exchange, interval }: Series): string => `${symbol} ${exchange} ${interval}`

/** A source that has every candle of the calendar, unless it is told otherwise. */
export class FakeSource {
  readonly name = 'test'
  readonly intervals: readonly Interval[] = ['15m', 'D']
  readonly asked: string[] = []
  /** What a request meets; undefined is an answer. */
  trouble: (symbol: string, fromAt: number) => Error | undefined = () => undefined
  keep: (candle: Candle) => boolean = () => true
  onAsk: () => Promise<void> = async () => undefined
  readonly #clock: ManualClock

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  async candles(of: Instrument, interval: Interval, fromAt: number, toAt: number): Promise<Candle[]> {
    this.asked.push(`${of.symbol} ${dateAt(fromAt)}`)
    await this.onAsk()
    const trouble = this.trouble(of.symbol, fromAt)
    if (trouble !== undefined) throw trouble
    const series = { symbol: of.symbol, exchange: of.exchange, interval }
    // The candle that is running is given too, as sources do
    const now = this.#clock.now() + 15 * 60_000
    const starts = [...expectedParts(series, CALENDAR, { fromAt, toAt }, now)].flatMap((part) => part.starts)
    return starts.map(candleAt).filter(this.keep)
  }
}
