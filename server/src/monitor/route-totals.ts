import type { Database } from '../storage/open.ts'
import type { TelemetryDatabase } from '../storage/schema.ts'
import type { Statement } from '../storage/writer.ts'
import { type FinishedRequest, STATUS_UNANSWERED } from './finished-request.ts'

/** What would be one more counts under the empty name, like paths that lead nowhere. */
export const ROUTES_MAX = 500

export interface Totals {
  readonly route: string
  readonly requests: number
  /** Answers of 400 to 499. */
  readonly clientErrors: number
  /** Answers of 500 and above. */
  readonly serverErrors: number
  /** Requests whose client left before the answer: neither a success nor an error. */
  readonly unanswered: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** Of all answered requests together. */
  readonly durationMs: number
  readonly durationMsMax: number
}

class Sums {
  requests = 0
  clientErrors = 0
  serverErrors = 0
  unanswered = 0
  bytesIn = 0
  bytesOut = 0
  durationUs = 0
  durationUsMax = 0

  add({ status, bytesIn, bytesOut }: FinishedRequest, durationUs: number): void {
    this.requests += 1
    this.bytesIn += bytesIn
    this.bytesOut += bytesOut
    if (status === STATUS_UNANSWERED) {
      this.unanswered += 1
      return
    }
    if (status >= 500) this.serverErrors += 1
    else if (status >= 400) this.clientErrors += 1
    this.durationUs += durationUs
    if (durationUs > this.durationUsMax) this.durationUsMax = durationUs
  }
}

interface Route {
  readonly name: string
  readonly ever: Sums
  readonly sinceStart: Sums
  isWritten: boolean
}

const UPSERT = `INSERT INTO route_total (requests, client_errors, server_errors, bytes_in, bytes_out, duration_us, duration_us_max, unanswered, route)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (route) DO UPDATE SET requests = excluded.requests, client_errors = excluded.client_errors,
    server_errors = excluded.server_errors, bytes_in = excluded.bytes_in, bytes_out = excluded.bytes_out,
    duration_us = excluded.duration_us, duration_us_max = excluded.duration_us_max,
    unanswered = excluded.unanswered`

const upsertOf = ({ name, ever }: Route): Statement => ({
  sql: UPSERT,
  parameters: [
    ever.requests,
    ever.clientErrors,
    ever.serverErrors,
    ever.bytesIn,
    ever.bytesOut,
    ever.durationUs,
    ever.durationUsMax,
    ever.unanswered,
    name,
  ],
})

/** What each route did, kept as requests come, so that nobody ever counts rows. */
export class RouteTotals {
  readonly #routes = new Map<string, Route>()

  static async open(telemetry: Database<TelemetryDatabase>): Promise<RouteTotals> {
    const totals = new RouteTotals()
    for (const row of await telemetry.kysely.selectFrom('route_total').selectAll().limit(ROUTES_MAX).execute()) {
      const { ever } = totals.#insert(row.route)
      ever.requests = row.requests
      ever.clientErrors = row.client_errors
      ever.serverErrors = row.server_errors
      ever.bytesIn = row.bytes_in
      ever.bytesOut = row.bytes_out
      ever.durationUs = row.duration_us
      ever.durationUsMax = row.duration_us_max
      ever.unanswered = row.unanswered
    }
    return totals
  }

  add(request: FinishedRequest): void {
    const durationUs = Math.round(request.durationMs * 1000)
    const route = this.#routeOf(request.route)
    route.ever.add(request, durationUs)
    route.sinceStart.add(request, durationUs)
    route.isWritten = false
  }

  /** Busiest first; routes without a request are left out. */
  read(since: 'ever' | 'start'): readonly Totals[] {
    const shown = Array.from(this.#routes.values(), ({ name, ever, sinceStart }) => {
      const { durationUs, durationUsMax, ...sums } = since === 'ever' ? ever : sinceStart
      return { route: name, ...sums, durationMs: durationUs / 1000, durationMsMax: durationUsMax / 1000 }
    })
    return shown.filter(({ requests }) => requests > 0).sort((one, other) => other.requests - one.requests)
  }

  /** Has `write` bring what changed to disk; what it can't write is written the next time. */
  async written(write: (statements: readonly Statement[]) => Promise<void>): Promise<void> {
    const changed = [...this.#routes.values()].filter(({ isWritten }) => !isWritten)
    for (const route of changed) route.isWritten = true
    try {
      await write(changed.map(upsertOf))
    } catch (error) {
      for (const route of changed) route.isWritten = false
      throw error
    }
  }

  #routeOf(name: string): Route {
    const known = this.#routes.get(name)
    if (known !== undefined) return known
    if (this.#routes.size < ROUTES_MAX) return this.#insert(name)
    return this.#routes.get('') ?? this.#insert('')
  }

  #insert(name: string): Route {
    const route: Route = { name, ever: new Sums(), sinceStart: new Sums(), isWritten: true }
    this.#routes.set(name, route)
    return route
  }
}
