import type { Clock } from '../kernel/clock.ts'
import { STEPS, type Step, type Steps } from '../kernel/steps.ts'
import { turn } from '../kernel/turn.ts'
import { STATUS_UNANSWERED } from './finished-request.ts'
import { type Distribution, distributionOf, Histogram, type Summary } from './histogram.ts'

/** Full minutes that are kept besides the present one. */
export const MINUTES_KEPT = 60
/** Operations that are measured; what would be one more isn't. */
export const OPERATIONS_MAX = 300
/** Orders whose times are kept one by one, the newest. */
export const ORDERS_KEPT = 10_000
const MINUTE_MS = 60_000
/** Distributions put together before everything else has its turn: of an hour, some two milliseconds. */
export const READ_A_TURN = 8
const PERCENTILES = [50, 90, 99, 99.9]

export type Measured = Step | 'total'
export const MEASURED: readonly Measured[] = [...STEPS, 'total']

/** `start` is since the start; the others are the present minute and so many full ones before it. */
export const WINDOWS = ['start', '1m', '5m', '60m'] as const
export type Window = (typeof WINDOWS)[number]
const MINUTES_OF: Readonly<Record<Exclude<Window, 'start'>, number>> = { '1m': 1, '5m': 5, '60m': 60 }

export interface StepTimes {
  readonly operation: string
  readonly step: Measured
  readonly count: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

export interface OrderTimes {
  /** Grows with time. */
  readonly id: number
  readonly at: number
  readonly requestId: string
  readonly orderId: string
  readonly operation: string
  readonly account: string
  readonly symbol: string
  readonly status: number
  readonly totalMs: number
  /** At the venue, and waiting for the disk; the rest is ours. */
  readonly venueMs: number
  readonly journalMs: number
}

/** An absent field fits every order. */
export type OrderFilter = {
  readonly [Field in 'account' | 'operation' | 'orderId' | 'requestId' | 'symbol']?: string | undefined
}

export interface Finished {
  readonly operation: string
  readonly steps: Steps
  readonly totalMs: number
  readonly status: number
}

class Series {
  /** All but the present minute. */
  readonly #start = new Histogram()
  readonly #present = new Histogram()
  #minute = -1
  /** Oldest first. */
  #past: { readonly minute: number; readonly summary: Summary }[] = []

  record(ms: number, minute: number): void {
    if (minute !== this.#minute) this.#turn(minute)
    this.#present.record(ms * 1000)
  }

  read(window: Window, minute: number): Distribution | undefined {
    if (window === 'start') return distributionOf([this.#start, this.#present], PERCENTILES)
    if (minute !== this.#minute) this.#turn(minute)
    const from = minute - MINUTES_OF[window]
    const past = this.#past.filter((kept) => kept.minute >= from).map(({ summary }) => summary)
    return distributionOf([...past, this.#present], PERCENTILES)
  }

  #turn(minute: number): void {
    const summary = this.#present.summary()
    if (summary.counts.length > 0) this.#past.push({ minute: this.#minute, summary })
    this.#past = this.#past.filter((kept) => kept.minute >= minute - MINUTES_KEPT)
    this.#start.add(this.#present)
    this.#present.reset()
    this.#minute = minute
  }
}

/** Of one operation; those of steps that never took time are never made. */
class OperationSeries {
  readonly #series: (Series | undefined)[] = MEASURED.map(() => undefined)

  /** Written out: on the way of every request, finding each step by its name would take as long as counting it. */
  record(steps: Steps, totalMs: number, minute: number): void {
    this.#record(0, steps.read, minute)
    this.#record(1, steps.authenticate, minute)
    this.#record(2, steps.validate, minute)
    this.#record(3, steps.risk, minute)
    this.#record(4, steps.venue, minute)
    this.#record(5, steps.journal, minute)
    this.#record(6, steps.serialise, minute)
    this.#series[TOTAL] ??= new Series()
    this.#series[TOTAL].record(totalMs, minute)
  }

  of(step: Measured): Series | undefined {
    return this.#series[MEASURED.indexOf(step)]
  }

  #record(index: number, ms: number, minute: number): void {
    if (ms === 0) return
    let series = this.#series[index]
    if (series === undefined) {
      series = new Series()
      this.#series[index] = series
    }
    series.record(ms, minute)
  }
}
const TOTAL = MEASURED.indexOf('total')

/** How long operations take, step by step, and each order by itself. */
export class LatencyMonitor {
  readonly #clock: Pick<Clock, 'elapsedMs'>
  readonly #series = new Map<string, OperationSeries>()
  /** A ring, in which each stands at its number. */
  readonly #orders: Omit<OrderTimes, 'id'>[] = []
  #nextOrder = 0

  /** Minutes are counted from the start by a clock that is never set, so that none comes twice or is left out. */
  constructor(clock: Pick<Clock, 'elapsedMs'>) {
    this.#clock = clock
  }

  /**
   * What a limit refused, or whose client left, says nothing about how long an answer takes, and isn't recorded. `atMs` is
   * now, by the monitor's own clock, for who has just read it.
   */
  record({ operation, steps, totalMs, status }: Finished, atMs = this.#clock.elapsedMs()): void {
    if (status === 429 || status === STATUS_UNANSWERED) return
    let series = this.#series.get(operation)
    if (series === undefined) {
      if (this.#series.size >= OPERATIONS_MAX) return
      series = new OperationSeries()
      this.#series.set(operation, series)
    }
    series.record(steps, totalMs, minuteOf(atMs))
  }

  recordOrder(order: Omit<OrderTimes, 'id'>): void {
    this.#orders[this.#nextOrder % ORDERS_KEPT] = order
    this.#nextOrder += 1
  }

  /** Of one operation or of all, each step that took time. Some at a time: what comes in meanwhile may count or not. */
  async times(window: Window, operation?: string): Promise<readonly StepTimes[]> {
    const rows: StepTimes[] = []
    let read = 0
    for (const [name, series] of this.#series) {
      if (operation !== undefined && name !== operation) continue
      for (const step of MEASURED) {
        const ofStep = series.of(step)
        if (ofStep === undefined) continue
        read += 1
        if (read % READ_A_TURN === 0) await turn()
        const found = ofStep.read(window, minuteOf(this.#clock.elapsedMs()))
        if (found === undefined) continue
        const [p50 = 0, p90 = 0, p99 = 0, p999 = 0] = found.percentiles
        rows.push({
          operation: name,
          step,
          count: found.count,
          meanMs: Math.round(found.mean) / 1000,
          p50Ms: p50 / 1000,
          p90Ms: p90 / 1000,
          p99Ms: p99 / 1000,
          p999Ms: p999 / 1000,
          maxMs: found.max / 1000,
        })
      }
    }
    return rows
  }

  /** Newest first, from below an id; those that fit every field of the filter. */
  orders(limit: number, below: number | undefined, filter: OrderFilter = {}): readonly OrderTimes[] {
    const rows: OrderTimes[] = []
    const newest = Math.min(below ?? this.#nextOrder, this.#nextOrder) - 1
    const oldest = Math.max(0, this.#nextOrder - ORDERS_KEPT)
    for (let id = newest; id >= oldest && rows.length < limit; id -= 1) {
      const order = this.#orders[id % ORDERS_KEPT]
      if (order !== undefined && fits(order, filter)) rows.push({ ...order, id })
    }
    return rows
  }
}

const minuteOf = (elapsedMs: number): number => Math.floor(elapsedMs / MINUTE_MS)

function fits(order: Omit<OrderTimes, 'id'>, { account, operation, orderId, requestId, symbol }: OrderFilter): boolean {
  return (
    (account === undefined || order.account === account) &&
    (operation === undefined || order.operation === operation) &&
    (orderId === undefined || order.orderId === orderId) &&
    (requestId === undefined || order.requestId === requestId) &&
    (symbol === undefined || order.symbol === symbol)
  )
}

/** Text of the header `Server-Timing`: what a request spent its time on so far, in milliseconds. */
export function serverTiming(steps: Steps): string {
  const parts = STEPS.filter((step) => steps[step] > 0).map((step) => `${step};dur=${steps[step].toFixed(3)}`)
  return [...parts, `total;dur=${steps.totalMs().toFixed(3)}`].join(', ')
}
