export { QUOTE_DEADLINE_MS, Quotes, type QuotesOptions, STALE_AFTER_MS } from './quotes.ts'
export { isSourceFailure, noPrice, notSubscribed, sourceDown, sourceSlow } from './source-failure.ts'
