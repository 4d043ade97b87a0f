import { EXCHANGE_RULES } from './exchange-rules.ts'
import {
  LIST_LIMITS,
  type Limits,
  type ListLimit,
  NUMBER_LIMITS,
  type NumberLimit,
  type TradingWindow,
} from './limits.ts'
import { type RiskScope, type RiskState, scopeName, stricter } from './scope.ts'

/** What is set at one scope. */
export interface RiskRule {
  readonly scope: RiskScope
  readonly state: RiskState
  readonly limits: Limits
  /** Carried by the orders of a strategy; empty without one. */
  readonly algoId: string
  /** Number under which an exchange registered it: above the exchanges' threshold of speed only with one. */
  readonly algoRegistration: string
}

/** A limit in force and where it comes from. */
export interface Bound {
  readonly value: number
  readonly source: string
}

export interface AllowedValues {
  readonly limit: ListLimit
  readonly values: ReadonlySet<string>
  readonly source: string
}

/** Limits that are measured on the same orders and positions, the tightest of each. */
export interface Bounds {
  readonly numbers: { readonly [Name in NumberLimit]?: Bound }
  readonly allowed: readonly AllowedValues[]
  readonly windows: readonly { readonly windows: readonly TradingWindow[]; readonly source: string }[]
  readonly isEmpty: boolean
}

/**
 * All that holds for one order. The limits of the instance, the account and the key are measured on the account; those of
 * the strategy on the strategy's own orders and positions; how often a key may order on the key's own orders.
 */
export interface Effective {
  readonly state: RiskState
  /** Whose state it is. */
  readonly stateSource: string
  readonly account: Bounds
  readonly key: Bounds
  readonly strategy: Bounds
  readonly algoId: string
  /** Set where the exchanges' rules apply: orders at market must be protected. */
  readonly protectionSource: string | undefined
  /** Set where the exchanges' rules apply, and the key is bound to no address: its orders aren't taken. */
  readonly unboundSource: string | undefined
  /** Nothing limits anything. */
  readonly isOpen: boolean
}

/** Limits that count orders of a key, not of its account. */
const KEY_COUNTS: ReadonlySet<string> = new Set([
  'orders_per_second',
  'segment_orders_per_second',
  'orders_per_day',
] satisfies NumberLimit[])

export interface Sources {
  readonly instance: RiskRule | undefined
  readonly account: RiskRule | undefined
  readonly key: RiskRule | undefined
  readonly strategy: RiskRule | undefined
  /** Whether the exchanges' rules for algorithmic orders apply to the account. */
  readonly exchangeRules: boolean
  /** Whether what sends the orders is bound to addresses; a session needn't be. */
  readonly isBound: boolean
}

/** Joins what is set at all scopes of an order. */
export function effectiveOf({ instance, account, key, strategy, exchangeRules, isBound }: Sources): Effective {
  const shared = [instance, account].filter((rule) => rule !== undefined)
  const keyLimits = Object.entries(key?.limits ?? {})
  const onAccount = { ...key, limits: Object.fromEntries(keyLimits.filter(([name]) => !KEY_COUNTS.has(name))) }
  const onKey = { ...key, limits: Object.fromEntries(keyLimits.filter(([name]) => KEY_COUNTS.has(name))) }
  const ruled = exchangeRules && [account, strategy].every((rule) => (rule?.algoRegistration ?? '') === '')
  const byAccount = boundsOf([...shared, ...(key === undefined ? [] : [{ ...key, ...onAccount }])], ruled)
  const byKey = boundsOf(key === undefined ? [] : [{ ...key, ...onKey }])
  const byStrategy = boundsOf(strategy === undefined ? [] : [strategy])
  let state: RiskState = 'active'
  let stateSource = ''
  for (const rule of [instance, account, strategy]) {
    if (rule === undefined || stricter(state, rule.state) === state) continue
    state = rule.state
    stateSource = scopeName(rule.scope)
  }
  const protectionSource =
    exchangeRules && EXCHANGE_RULES.marketOrdersNeedProtection ? EXCHANGE_RULES.source : undefined
  const unboundSource = exchangeRules && EXCHANGE_RULES.staticAddress && !isBound ? EXCHANGE_RULES.source : undefined
  return {
    state,
    stateSource,
    account: byAccount,
    key: byKey,
    strategy: byStrategy,
    algoId: strategy?.algoId || account?.algoId || '',
    protectionSource,
    unboundSource,
    isOpen:
      state === 'active' &&
      protectionSource === undefined &&
      unboundSource === undefined &&
      byAccount.isEmpty &&
      byKey.isEmpty &&
      byStrategy.isEmpty,
  }
}

function boundsOf(rules: readonly RiskRule[], exchangeRules = false): Bounds {
  const numbers: { [Name in NumberLimit]?: Bound } = {}
  const allowed: AllowedValues[] = []
  const windows: { windows: readonly TradingWindow[]; source: string }[] = []
  const tighten = (name: NumberLimit, value: number, source: string): void => {
    const known = numbers[name]
    if (known === undefined || value < known.value) numbers[name] = { value, source }
  }
  if (exchangeRules) {
    const { ordersPerSecondUnregistered, source } = EXCHANGE_RULES
    tighten('segment_orders_per_second', ordersPerSecondUnregistered, `the exchanges' rules (${source})`)
  }
  for (const { limits, scope } of rules) {
    const source = scopeName(scope)
    for (const name of NUMBER_LIMITS) {
      const value = limits[name]
      if (value !== undefined) tighten(name, value, source)
    }
    for (const limit of LIST_LIMITS) {
      const values = limits[limit]
      if (values !== undefined) allowed.push({ limit, values: new Set<string>(values), source })
    }
    if (limits.trading_windows !== undefined) windows.push({ windows: limits.trading_windows, source })
  }
  const isEmpty = Object.keys(numbers).length === 0 && allowed.length === 0 && windows.length === 0
  return { numbers, allowed, windows, isEmpty }
}
