import type { Generated } from 'kysely'

/** Tables of `record.db`: books of finished sessions, logs, and what charts and downloads remember. */
export interface RecordDatabase {
  paper_order: PaperOrderTable
  paper_trade: PaperTradeTable
  paper_gtt: PaperGttTable
  audit: AuditTable
  order_log: OrderLogTable
  order_event: OrderEventTable
  chart_preference: ChartPreferenceTable
  candle_job: CandleJobTable
  candle_job_part: CandleJobPartTable
  login_failure: LoginFailureTable
}

/** Failed logins that still count. */
export interface LoginFailureTable {
  /** `pair`, `address`, `name` or `code`. */
  kind: string
  /** Of the name, the address or both, under the server's secret. */
  hash: string
  count: number
  at: number
}

/** What charts remember for a user. */
export interface ChartPreferenceTable {
  /** Empty for what was set before there was a user. */
  user_id: string
  key: string
  /** JSON. */
  value: string
  /** Of key and value, in UTF-8. */
  bytes: number
  updated_at: number
}

export interface PaperOrderTable {
  account: string
  order_id: string
  /** `YYYY-MM-DD` in the exchange's zone. */
  session_date: string
  placed_at: number
  body: string
  /** Of the intent behind the order; null when it has none. */
  tag: string | null
  /** Of its story; null when it is its own. */
  root: string | null
}

export interface PaperTradeTable {
  account: string
  trade_id: string
  order_id: string
  session_date: string
  traded_at: number
  body: string
}

/** A trigger that ended. */
export interface PaperGttTable {
  account: string
  gtt_id: string
  /** Of the session in which it ended: `YYYY-MM-DD` in the exchange's zone. */
  session_date: string
  placed_at: number
  status: string
  body: string
  /** Of the intent behind it; null when it has none. */
  tag: string | null
}

/** What was done to the instance and by whom. `hash` covers the row and the hash of the row before it. */
export interface AuditTable {
  seq: number
  at: number
  actor: string
  action: string
  target: string
  address: string
  request_id: string
  /** JSON. */
  detail: string
  hash: string
}

/** What some commands of an account in a row did: as JSON, from the one numbered `first_seq` to `last_seq`. */
export interface OrderEventTable {
  account: string
  first_seq: number
  last_seq: number
  /** Of the last one. */
  at: number
  /** JSON, compressed with Zstandard; of rows from before migration 10 the text itself. */
  body: Uint8Array | string
}

/** One order operation that was asked for, and what it answered. */
export interface OrderLogTable {
  id: Generated<number>
  at: number
  account: string
  mode: string
  operation: string
  strategy: string
  symbol: string
  exchange: string
  order_id: string
  request_id: string
  key_id: string
  status: number
  /** Error code; empty when it succeeded. */
  code: string
  request: string
  answer: string
}

/** One download of candles. */
export interface CandleJobTable {
  id: number
  state: string
  interval: string
  /** Days since 1970-01-01 in the exchange's zone, both included. */
  from_day: number
  to_day: number
  /** 1 when only candles that aren't stored are asked for. */
  only_missing: number
  created_at: number
  created_by: string
  started_at: number | null
  ended_at: number | null
}

/** What a download does for one symbol. */
export interface CandleJobPartTable {
  job: number
  position: number
  symbol: string
  exchange: string
  state: string
  /** All before this day is on the disk. */
  next_day: number
  requests: number
  received: number
  stored: number
  /** Candles that the calendar has and the source hadn't. */
  missing: number
  problem: string
}
