import { DAY_MS, dayNumberOf } from '../../kernel/exchange-time.ts'
import type { Instrument } from '../instrument.ts'
import { COMMODITIES } from './data/contracts.ts'
import { commodityExpiriesFrom } from './expiries.ts'

/**
 * Day to which the price of a contract's forward is carried: its own expiry, but for options on commodity futures the
 * expiry of that future.
 */
export function forwardDay(instrument: Instrument): number {
  const expiry = dayNumberOf(instrument.expiry ?? '1970-01-01')
  if (instrument.kind === 'FUT') return expiry
  const rules = COMMODITIES.find((row) => row.exchange === instrument.exchange && row.root === instrument.name)
  return rules === undefined ? expiry : (commodityExpiriesFrom(rules, expiry, 1)[0] ?? expiry)
}

export const yearsUntil = (at: number, end: number): number => Math.max(0, end - at) / (365 * DAY_MS)
