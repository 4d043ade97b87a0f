import { DAY_MS, dayNumberOf } from '../../kernel/exchange-time.ts'
import type { Instrument } from '../instrument.ts'
import { COMMODITIES } from './data/contracts.ts'
import { commodityExpiriesFrom, currencyMonthlies } from './expiries.ts'

/**
 * Day to which the price of a contract's forward is carried: its own expiry, but for options on commodities and
 * currencies the expiry of the future behind them.
 */
export function forwardDay(instrument: Instrument): number {
  const { exchange, kind, name } = instrument
  const expiry = dayNumberOf(instrument.expiry ?? '1970-01-01')
  if (kind === 'FUT') return expiry
  if (exchange === 'CDS' || exchange === 'BCD') return currencyMonthlies(expiry, 1)[0]?.expiryDay ?? expiry
  const rules = COMMODITIES.find((row) => row.exchange === exchange && row.root === name)
  return rules === undefined ? expiry : (commodityExpiriesFrom(rules, expiry, 1)[0] ?? expiry)
}

export const yearsUntil = (at: number, end: number): number => Math.max(0, end - at) / (365 * DAY_MS)
