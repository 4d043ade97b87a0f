import { describe, expect, it } from 'vitest'
import { effectiveOf } from './effective.ts'
import type { Limits } from './limits.ts'
import { rule } from './test-check.ts'
import { NO_RULES } from './test-rules.ts'

describe('the exchanges’ rules', () => {
  it('hold an account to their threshold until a registration is stated', () => {
    const of = (limits: Limits, algoRegistration = '') =>
      effectiveOf({ ...NO_RULES, exchangeRules: true, account: { ...rule(limits), algoRegistration } }).account.numbers
        .segment_orders_per_second?.value
    expect(of({})).toBe(10)
    expect(of({ segment_orders_per_second: 4 })).toBe(4)
    expect(of({ segment_orders_per_second: 50 })).toBe(10)
    expect(of({ segment_orders_per_second: 50 }, 'NSE-1234')).toBe(50)
    expect(of({}, 'NSE-1234')).toBe(undefined)
  })
  it('don’t apply where they aren’t asked for', () => {
    expect(effectiveOf(NO_RULES).isOpen).toBe(true)
    expect(effectiveOf({ ...NO_RULES, exchangeRules: true }).isOpen).toBe(false)
  })
})
