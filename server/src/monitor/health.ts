import type { Clock } from '../kernel/clock.ts'

export type HealthState = 'pass' | 'warn' | 'fail'

/** One thing that is looked at. */
export interface Reading {
  readonly state: HealthState
  readonly value: number
  readonly unit: string
  /** What is wrong and what to do; empty when nothing is. */
  readonly message: string
}

export interface Check {
  readonly name: string
  /** Whether the instance takes no requests while this fails. What is only scarce doesn't. */
  readonly isReadiness: boolean
  /** Now, however often it is asked. */
  readonly read: () => Reading
  /** Begins the next period of what is measured since the last regular look. */
  readonly renew?: () => void
}

export interface Alert {
  readonly id: number
  readonly name: string
  readonly state: 'warn' | 'fail'
  readonly message: string
  readonly openedAt: number
  /** Undefined while it lasts. */
  readonly resolvedAt: number | undefined
}

export interface Sample {
  readonly at: number
  readonly state: HealthState
  readonly readings: Readonly<Record<string, number>>
}

export const ALERTS_KEPT = 1_000
/** A day of looks that come at least so far apart; of looks that come faster some are kept. */
export const SAMPLE_EVERY_MS = 10_000
export const SAMPLES_KEPT = 8_640
/** An alert ends when things were well for so many looks in a row: what flickers is one alert, not many. */
const CALM_LOOKS = 3

export interface HealthOptions {
  readonly clock: Clock
  readonly checks: readonly Check[]
  readonly intervalMs: number
  /** Told once when an alert opens, once when a warning becomes a failure, and once when it ends. */
  readonly onAlert: (alert: Alert) => void
}

/** How the instance is doing: looked at regularly, with alerts when a limit is passed. */
export class Health {
  readonly #options: HealthOptions
  readonly #open = new Map<string, { alert: Alert; calm: number }>()
  readonly #alerts: Alert[] = []
  readonly #samples: Sample[] = []
  readonly #stop: () => void
  #nextAlert = 1
  #sampledMs = Number.NEGATIVE_INFINITY

  constructor(options: HealthOptions) {
    this.#options = options
    this.#stop = options.clock.every(options.intervalMs, () => this.look())
  }

  /** Every check, now. */
  read(): readonly (Reading & { readonly name: string; readonly isReadiness: boolean })[] {
    return this.#options.checks.map(({ name, isReadiness, read }) => ({ ...safely(read), name, isReadiness }))
  }

  /** Why the instance should get no requests now; empty when it should. */
  notReady(): readonly string[] {
    const readings = this.#options.checks
      .filter(({ isReadiness }) => isReadiness)
      .map(({ name, read }) => ({ ...safely(read), name }))
    return readings.filter(({ state }) => state === 'fail').map(({ name, message }) => `${name}: ${message}`)
  }

  /** Newest first. */
  alerts(limit: number): readonly Alert[] {
    return newest(this.#alerts, limit)
  }

  /** Newest first. */
  samples(limit: number): readonly Sample[] {
    return newest(this.#samples, limit)
  }

  /** Called by the clock. */
  look(): void {
    const at = this.#options.clock.now()
    const readings = this.read()
    for (const { renew } of this.#options.checks) renew?.()
    for (const reading of readings) this.#follow(reading.name, reading, at)
    this.#sample(readings, at)
  }

  close(): void {
    this.#stop()
  }

  #sample(readings: readonly (Reading & { readonly name: string })[], at: number): void {
    const nowMs = this.#options.clock.elapsedMs()
    if (nowMs - this.#sampledMs < SAMPLE_EVERY_MS) return
    this.#sampledMs = nowMs
    this.#samples.push({
      at,
      state: worst(readings.map(({ state }) => state)),
      readings: Object.fromEntries(readings.map(({ name, value }) => [name, value])),
    })
    if (this.#samples.length > SAMPLES_KEPT) this.#samples.shift()
  }

  #follow(name: string, { state, message }: Reading, at: number): void {
    const open = this.#open.get(name)
    if (state === 'pass') {
      if (open === undefined) return
      open.calm += 1
      if (open.calm < CALM_LOOKS) return
      this.#open.delete(name)
      this.#replace({ ...open.alert, resolvedAt: at })
      return
    }
    if (open === undefined) {
      const alert = { id: this.#nextAlert, name, state, message, openedAt: at, resolvedAt: undefined }
      this.#nextAlert += 1
      this.#open.set(name, { alert, calm: 0 })
      this.#alerts.push(alert)
      if (this.#alerts.length > ALERTS_KEPT) this.#alerts.shift()
      this.#options.onAlert(alert)
      return
    }
    open.calm = 0
    if (open.alert.state === 'warn' && state === 'fail') {
      open.alert = { ...open.alert, state, message }
      this.#replace(open.alert)
    }
  }

  #replace(alert: Alert): void {
    const index = this.#alerts.findIndex(({ id }) => id === alert.id)
    if (index >= 0) this.#alerts[index] = alert
    this.#options.onAlert(alert)
  }
}

const newest = <T>(list: readonly T[], limit: number): T[] => list.slice(Math.max(0, list.length - limit)).reverse()

export const worst = (states: readonly HealthState[]): HealthState =>
  states.includes('fail') ? 'fail' : states.includes('warn') ? 'warn' : 'pass'

/** A check that fails to look is a check that fails. */
function safely(read: () => Reading): Reading {
  try {
    return read()
  } catch (error) {
    return { state: 'fail', value: 0, unit: '', message: error instanceof Error ? error.message : String(error) }
  }
}

/** A reading that warns from a limit on. */
export function above(value: number, limit: number, unit: string, advice: string): Reading {
  if (value < limit) return { state: 'pass', value, unit, message: '' }
  return {
    state: 'warn',
    value,
    unit,
    message: `${value} ${unit}, and from ${limit} ${unit} on it is too much. ${advice}`,
  }
}

/** A reading that warns below a limit. */
export function below(value: number, limit: number, unit: string, advice: string): Reading {
  if (value >= limit) return { state: 'pass', value, unit, message: '' }
  return {
    state: 'warn',
    value,
    unit,
    message: `${value} ${unit}, and below ${limit} ${unit} it is too little. ${advice}`,
  }
}
