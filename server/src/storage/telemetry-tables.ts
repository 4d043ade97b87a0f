import type { Generated } from 'kysely'

/** Tables of `telemetry.db`: best effort. */
export interface TelemetryDatabase {
  traffic: TrafficTable
  request_block: RequestBlockTable
  route_total: RouteTotalTable
}

export interface TrafficTable {
  id: Generated<number>
  at: number
  request_id: string
  method: string
  route: string
  path: string
  status: number
  code: string
  bytes_in: number
  bytes_out: number
  duration_us: number
  address: string
  user_id: string
  key_id: string
  user_agent: string
  trace_id: string
}

export interface RequestBlockTable {
  first_row: number
  last_row: number
  ids: Uint8Array
  /** A zero byte when no row has one; null in blocks from before migration 5, which may have any. */
  trace_ids: Uint8Array | null
}

export interface RouteTotalTable {
  route: string
  requests: number
  client_errors: number
  server_errors: number
  bytes_in: number
  bytes_out: number
  duration_us: number
  duration_us_max: number
  unanswered: number
}
