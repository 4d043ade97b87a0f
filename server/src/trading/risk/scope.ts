/** `reduce_only` lets through what makes a position smaller; `halted` nothing. */
export const RISK_STATES = ['active', 'reduce_only', 'halted'] as const
export type RiskState = (typeof RISK_STATES)[number]

/** Whom limits or a state are set for. A strategy is one account's. */
export type RiskScope =
  | { readonly kind: 'instance' }
  | { readonly kind: 'account'; readonly account: string }
  | { readonly kind: 'key'; readonly keyId: string }
  | { readonly kind: 'strategy'; readonly account: string; readonly strategy: string }

export const SCOPE_KINDS = ['instance', 'account', 'key', 'strategy'] as const

export const INSTANCE: RiskScope = { kind: 'instance' }

/** What a scope is stored and audited under. */
export function scopeKey(scope: RiskScope): string {
  switch (scope.kind) {
    case 'instance':
      return 'instance'
    case 'account':
      return `account:${scope.account}`
    case 'key':
      return `key:${scope.keyId}`
    case 'strategy':
      return `strategy:${scope.account}:${scope.strategy}`
  }
}

/** Undefined when the text is no scope's key. Ids of accounts have no colon, names of strategies may. */
export function parseScope(key: string): RiskScope | undefined {
  if (key === 'instance') return INSTANCE
  const [kind, id, ...rest] = key.split(':')
  if (id === undefined || id === '') return undefined
  if (kind === 'strategy' && rest.length > 0) return { kind, account: id, strategy: rest.join(':') }
  if (rest.length > 0) return undefined
  if (kind === 'account') return { kind, account: id }
  return kind === 'key' ? { kind, keyId: id } : undefined
}

/** A scope as messages name it. */
export function scopeName(scope: RiskScope): string {
  switch (scope.kind) {
    case 'instance':
      return 'this instance'
    case 'account':
      return `account ${scope.account}`
    case 'key':
      return `key ${scope.keyId}`
    case 'strategy':
      return scope.strategy === '' ? 'orders without a strategy' : `strategy "${scope.strategy}"`
  }
}

/** The stricter of two states. */
export const stricter = (one: RiskState, other: RiskState): RiskState =>
  RISK_STATES.indexOf(one) >= RISK_STATES.indexOf(other) ? one : other
