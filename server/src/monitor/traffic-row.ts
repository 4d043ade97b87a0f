import type { RowReader } from '../storage/packed-rows.ts'
import type { FinishedRequest } from './finished-request.ts'
import { REQUEST_PLACES as PLACES, type RequestColumn } from './request-rows.ts'

/** What the traffic log knows of a request. Its id is the number of the row. */
export interface TrafficRow extends Omit<FinishedRequest, 'steps'> {
  readonly id: number
}

export interface TrafficFilter {
  /** When requests began: from this instant on, and before that one. */
  readonly from?: number | undefined
  readonly until?: number | undefined
  readonly route?: string | undefined
  readonly method?: string | undefined
  /** Least and greatest status. */
  readonly status?: readonly [number, number] | undefined
  readonly code?: string | undefined
  readonly keyId?: string | undefined
  readonly userId?: string | undefined
  readonly address?: string | undefined
  readonly requestId?: string | undefined
  readonly traceId?: string | undefined
}

/** A packed row by its place, as the row of that number. */
export function trafficRow(rows: RowReader, place: number, id: number): TrafficRow {
  const text = (column: RequestColumn): string => rows.text(PLACES[column], place)
  const number = (column: RequestColumn): number => rows.number(PLACES[column], place)
  return {
    id,
    at: number('at'),
    requestId: text('request_id'),
    method: text('method'),
    route: text('route'),
    path: text('path'),
    status: number('status'),
    code: text('code'),
    bytesIn: number('bytes_in'),
    bytesOut: number('bytes_out'),
    durationMs: number('duration_us') / 1_000,
    address: text('address'),
    userId: text('user_id'),
    keyId: text('key_id'),
    userAgent: text('user_agent'),
    traceId: text('trace_id'),
  }
}

/** Places of the packed rows that fit and ended since an instant, newest first. Texts are compared once for all rows. */
export function placesOfMatches(rows: RowReader, filter: TrafficFilter, endedSince: number): readonly number[] {
  const texts = (
    [
      ['route', filter.route],
      ['method', filter.method],
      ['code', filter.code],
      ['key_id', filter.keyId],
      ['user_id', filter.userId],
      ['address', filter.address],
      ['request_id', filter.requestId],
      ['trace_id', filter.traceId],
    ] as const
  ).flatMap(([column, text]) => (text === undefined ? [] : [{ column: PLACES[column], places: rows.placesOf(text) }]))
  if (texts.some(({ places }) => places.size === 0)) return []
  const { from = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY } = filter
  const [least, greatest] = filter.status ?? [0, Number.POSITIVE_INFINITY]
  const matches: number[] = []
  for (let place = rows.count - 1; place >= 0; place -= 1) {
    const status = rows.number(PLACES.status, place)
    if (status < least || status > greatest) continue
    const at = rows.number(PLACES.at, place)
    if (at < from || at >= until || at + rows.number(PLACES.duration_us, place) / 1_000 < endedSince) continue
    if (texts.every(({ column, places }) => places.has(rows.number(column, place)))) matches.push(place)
  }
  return matches
}
