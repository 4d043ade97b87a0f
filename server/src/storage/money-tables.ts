import type { Generated } from 'kysely'

/** Tables of `money.db`. Instants are epoch milliseconds; bodies are JSON text. */
export interface MoneyDatabase {
  account: AccountTable
  api_key: ApiKeyTable
  journal: JournalTable
  journal_account: JournalAccountTable
  snapshot: SnapshotTable
  id_block: IdBlockTable
  setting: SettingTable
  user: UserTable
  recovery_code: RecoveryCodeTable
  session: SessionTable
  login_challenge: LoginChallengeTable
  one_time_link: OneTimeLinkTable
  ban: BanTable
  approval: ApprovalTable
  risk_rule: RiskRuleTable
  idempotency: IdempotencyTable
  risk_use: RiskUseTable
  calendar_override: CalendarOverrideTable
}

export interface AccountTable {
  id: string
  /** Where its orders go: `paper`. */
  venue: string
  created_at: number
  /** Null until the first user adopts the account of a fresh instance. */
  user_id: string | null
  /** Unique for its user. */
  name: string
  /** `auto` or `semi_auto`. */
  order_mode: string
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
  /** In the future while a key that was replaced is still valid. */
  revoked_at: number | null
  /** Null while no user owns the instance. */
  user_id: string | null
  expires_at: number | null
  /** Comma-separated addresses and networks it may be used from; empty for all. */
  networks: string
  last_used_at: number | null
  /** Id of the key that took its place. */
  replaced_by: string | null
  /** Of who asked for it and of their id of the request, under the server's secret; null when it had none. */
  request_hash: string | null
}

export interface UserTable {
  id: string
  /** Unique whatever its case. */
  name: string
  email: string
  /** `admin`, `trader` or `viewer`. */
  role: string
  /** Argon2id, in PHC text form. */
  password_hash: string
  /** Encrypted under the server's secret; null without a second factor. */
  totp_secret: string | null
  /** Null while the secret was shown and no code has proved it. */
  totp_confirmed_at: number | null
  /** Last time step whose code was used: it and earlier ones are refused. */
  totp_last_step: number
  created_at: number
  password_changed_at: number
  disabled_at: number | null
}

export interface RecoveryCodeTable {
  user_id: string
  hash: string
  created_at: number
  used_at: number | null
}

/** A login that wasn't ended; its cookie's text is stored nowhere. */
export interface SessionTable {
  id: string
  hash: string
  user_id: string
  device: string
  address: string
  created_at: number
  /** When the password was last given. */
  confirmed_at: number
  last_seen_at: number
}

/** A login whose password was right and whose code is awaited; its token's text is stored nowhere. */
export interface LoginChallengeTable {
  hash: string
  user_id: string
  /** Of the password's hash when it was given, under the server's secret. */
  password_mark: string
  expires_at: number
  /** Codes that were tried. */
  tries: number
}

/** A link that works once: `set-up` of the instance, or `reset` of a password. */
export interface OneTimeLinkTable {
  hash: string
  purpose: string
  user_id: string | null
  expires_at: number
  used_at: number | null
}

/** Every ban that ever was; one is in force while it isn't lifted and hasn't expired. */
export interface BanTable {
  id: Generated<number>
  address: string
  reason: string
  /** `manual`, `not_found`, `bad_key` or `failed_login`. */
  cause: string
  created_by: string
  created_at: number
  /** Null for ever. */
  expires_at: number | null
  lifted_at: number | null
  lifted_by: string | null
}

/** An order that waits, or waited, for a person's yes. */
export interface ApprovalTable {
  id: number
  account: string
  operation: string
  /** The request's fields as JSON, without the key. */
  input: string
  key_id: string
  request_id: string
  /** `pending`, `executing`, `executed`, `failed`, `rejected` or `expired`. */
  status: string
  created_at: number
  expires_at: number
  decided_at: number | null
  decided_by: string | null
  reason: string
  /** Comma-separated. */
  order_ids: string
  /** Tag of the request that its client named; null without a name. */
  intent: string | null
}

/** A request that its client named. */
export interface IdempotencyTable {
  account: string
  key: string
  /** Of what it asks for. */
  hash: string
  operation: string
  /** Carried by the orders that it led to. */
  tag: string
  created_at: number
  /** Null until it was answered. */
  status: number | null
  /** JSON. */
  answer: string | null
  /** JSON of what had been decided when it began; null once it was answered, and when its answer came with its commit. */
  work: string | null
}

/** What is set for one scope of orders: `instance`, `account:…`, `key:…` or `strategy:…`. */
export interface RiskRuleTable {
  scope: string
  /** `active`, `reduce_only` or `halted`. */
  state: string
  /** JSON. */
  limits: string
  algo_id: string
  algo_registration: string
  /** What a kill switch has yet to do: `cancel`, or `square_off` too; null when nothing. */
  sweep: string | null
  version: number
  changed_at: number
  changed_by: string
}

/** Orders that a key with a limit per day has sent on a date. */
export interface RiskUseTable {
  /** The key's id. */
  scope: string
  date: string
  orders: number
}

/** What an admin says of one exchange and date, instead of what the exchange has published. */
export interface CalendarOverrideTable {
  date: string
  exchange: string
  /** Minutes since 00:00 of the date; both null when the exchange is closed. */
  opens_at_minute: number | null
  closes_at_minute: number | null
  reason: string
  set_at: number
  set_by: string
}

/** What an account was told, in order: `seq` starts at 1 for each account and has no gaps. */
export interface JournalTable {
  /** `number` of the account × 2³⁶ + `seq`: in the order in which rows are read, and appended. */
  id: number
  account: string
  seq: number
  at: number
  kind: string
  body: string
}

/** An account that has a journal. */
export interface JournalAccountTable {
  number: Generated<number>
  account: string
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
