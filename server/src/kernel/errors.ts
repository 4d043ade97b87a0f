/**
 * An expected failure: something the caller asked for that can't be done. It carries a stable code that programs may
 * match on and a message for people that says what was wrong, with the value, and what would be right.
 * `api/errors.ts` alone turns it into wire format; anything else that is thrown is a bug.
 */
export type RefusalCode =
  | 'validation_failed'
  | 'malformed_json'
  | 'not_an_object'
  | 'malformed_request'
  | 'unsupported_media_type'
  | 'body_too_large'
  | 'api_key_missing'
  | 'api_key_invalid'
  | 'api_key_conflict'
  | 'api_key_expired'
  | 'user_disabled'
  | 'api_key_in_query'
  | 'address_not_allowed'
  | 'address_banned'
  | 'cross_origin'
  | 'csrf_failed'
  | 'session_missing'
  | 'already_set_up'
  | 'not_set_up'
  | 'login_failed'
  | 'login_locked'
  | 'reauthentication_required'
  | 'link_invalid'
  | 'totp_invalid'
  | 'totp_exists'
  | 'totp_missing'
  | 'last_admin'
  | 'key_exists'
  | 'account_not_found'
  | 'rate_limited'
  | 'semi_auto'
  | 'approval_decided'
  | 'session_required'
  | 'role_missing'
  | 'scope_missing'
  | 'not_found'
  | 'method_not_allowed'
  | 'symbol_not_found'
  | 'expiry_missing'
  | 'option_not_found'
  | 'offset_out_of_range'
  | 'contract_expired'
  | 'price_above_maximum'
  | 'no_data'
  | 'calendar_unknown'
  | 'store_damaged'
  | 'store_unwritable'
  | 'job_not_found'
  | 'job_over'
  | 'too_many_jobs'
  | 'file_not_found'
  | 'file_unreadable'
  | 'range_too_long'
  | 'quote_unavailable'
  | 'source_slow'
  | 'source_down'
  | 'not_subscribed'
  | 'too_many_preferences'
  | 'order_not_found'
  | 'idempotency_key_reused'
  | 'request_running'
  | 'order_rejected'
  | 'order_not_open'
  | 'order_unchangeable'
  | 'gtt_not_found'
  | 'gtt_unchangeable'
  | 'venue_unavailable'
  | 'no_live_venue'
  | 'account_stopped'
  | 'too_many_orders'
  | 'events_gone'
  | 'too_many_readers'
  | 'risk_unavailable'
  | 'risk_changed'
  | 'risk_halted'
  | 'risk_reduce_only'
  | 'risk_unprotected'
  | 'risk_address_unbound'
  | 'risk_order_value'
  | 'risk_order_quantity'
  | 'risk_open_orders'
  | 'risk_orders_per_second'
  | 'risk_segment_orders_per_second'
  | 'risk_orders_per_day'
  | 'risk_position_quantity'
  | 'risk_gross_exposure'
  | 'risk_net_exposure'
  | 'risk_daily_loss'
  | 'risk_price_distance_percent'
  | 'risk_market_protection_percent'
  | 'risk_quote_age_ms'
  | 'risk_exchanges'
  | 'risk_products'
  | 'risk_symbols'
  | 'risk_trading_windows'
  | 'overloaded'
  | 'not_implemented'
  | 'shutting_down'

export interface FieldError {
  /** Path of the field in the request, e.g. `symbols[2].exchange`. */
  readonly field: string
  readonly message: string
}

export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  /** Extra top-level fields of the reply, such as `orderid` of a rejected order. */
  readonly extra: Readonly<Record<string, unknown>>
  readonly errors: readonly FieldError[] | undefined

  constructor(
    code: RefusalCode,
    message: string,
    more: { extra?: Readonly<Record<string, unknown>>; errors?: readonly FieldError[] } = {},
  ) {
    super(message)
    this.code = code
    this.extra = more.extra ?? {}
    this.errors = more.errors
  }
}
