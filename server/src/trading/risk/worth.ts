import { type Multiplier, mulDiv, type Price, type Quantity, tradeValue } from '../../kernel/fixed.ts'

/** What sums of paise are kept below, so that they stay exact. */
const ROUGH_MAX = 8e15
const UNITS_PER_PAISA = 1e20

/** Price × quantity × multiplier in paise, rounded up; infinite where it couldn't be told exactly. Never negative. */
export function worth(price: Price, quantity: number, multiplier: Multiplier): number {
  if (quantity <= 0 || price <= 0) return 0
  if (price * quantity * multiplier > ROUGH_MAX * UNITS_PER_PAISA || !Number.isSafeInteger(quantity))
    return Number.POSITIVE_INFINITY
  return tradeValue(price, quantity as Quantity, multiplier, 'up')
}

/** How far one price is from another, in hundredths of a percent of the other, rounded up. */
export function deviation(price: Price, from: Price): number {
  const distance = Math.abs(price - from)
  if (distance > from * 1000) return Number.POSITIVE_INFINITY
  return mulDiv(distance, 10_000, from, 'up')
}
