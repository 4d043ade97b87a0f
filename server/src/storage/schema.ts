/** Tables of `money.db`. Instants are epoch milliseconds; bodies are JSON text. */
export interface MoneyDatabase {
  account: AccountTable
  api_key: ApiKeyTable
  journal: JournalTable
  snapshot: SnapshotTable
  id_block: IdBlockTable
  setting: SettingTable
}

export interface AccountTable {
  id: string
  /** Where its orders go: `paper`. */
  venue: string
  created_at: number
}

export interface ApiKeyTable {
  id: string
  account: string
  name: string
  /** Comma-separated: `read,trade`. */
  scopes: string
  /** Keyed hash of the key's text; the text itself is stored nowhere. */
  hash: string
  created_at: number
  revoked_at: number | null
}

/** What an account was told, in order: `seq` starts at 1 for each account and has no gaps. */
export interface JournalTable {
  account: string
  seq: number
  at: number
  kind: string
  body: string
}

/** An account as it was after the journal row `seq`. */
export interface SnapshotTable {
  account: string
  seq: number
  at: number
  body: string
}

/** The first number of each series that hasn't been handed to a writer yet. */
export interface IdBlockTable {
  name: string
  next: number
}

export interface SettingTable {
  name: string
  value: string
}

/** Tables of `record.db`: books of finished sessions. */
export interface RecordDatabase {
  paper_order: PaperOrderTable
  paper_trade: PaperTradeTable
}

export interface PaperOrderTable {
  account: string
  order_id: string
  /** `YYYY-MM-DD` in the exchange's zone. */
  session_date: string
  placed_at: number
  body: string
}

export interface PaperTradeTable {
  account: string
  trade_id: string
  order_id: string
  session_date: string
  traded_at: number
  body: string
}
