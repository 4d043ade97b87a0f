/** Tables of `telemetry.db`: best effort. */
export interface TelemetryDatabase {
  traffic_pack: TrafficPackTable
  route_total: RouteTotalTable
}

export interface TrafficPackTable {
  first_row: number
  last_row: number
  /** Epoch milliseconds: when the first of its requests began, and when the last one ended. */
  first_began_at: number
  last_ended_at: number
  /** Which request ids its rows may have. */
  ids: Uint8Array
  /** Which traces they may belong to: a zero byte when none does. */
  trace_ids: Uint8Array
  /** Packed rows, compressed. */
  rows: Uint8Array
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
