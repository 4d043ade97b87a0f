import Type from 'typebox'
import { Refusal } from '../../kernel/errors.ts'
import type { StoredRule } from '../../trading/risk/limit-store.ts'
import type { RiskScope } from '../../trading/risk/scope.ts'
import type { Context } from '../operation.ts'
import { text } from '../text-fields.ts'
import { instantOut } from './caller.ts'
import { limitsOut, shownLimits } from './risk-fields.ts'

/** Fields that say whom a request about limits is about, besides `scope`. */
export const scopeFields = {
  account: text({
    min: 1,
    max: 32,
    description: 'Id of the account, for those that aren’t yours too if you are an admin. Your own when left out.',
    example: 'default',
  }).optional(),
  strategy: text({
    max: 100,
    description: 'Of scope `strategy`: the tag that its orders carry. "" is orders without one.',
    example: 'my-strategy',
  }).optional(),
} as const

interface Named {
  readonly account: string | undefined
  readonly strategy: string | undefined
  readonly key_id?: string | undefined
}

/** The scope that a request means. Throws validation_failed, account_not_found, not_found. */
export function scopeOf(kind: RiskScope['kind'], named: Named, context: Context): RiskScope {
  if (kind === 'instance') return { kind }
  if (kind === 'key') {
    const { key_id: keyId = '' } = named
    if (!context.services.keys.list().some(({ id }) => id === keyId))
      throw new Refusal('not_found', keyId === '' ? 'Scope key needs key_id.' : `There is no key ${keyId}.`)
    return { kind, keyId }
  }
  const account = accountOf(named.account, context)
  if (kind === 'account') return { kind, account }
  if (named.strategy === undefined) {
    const errors = [{ field: 'strategy', message: 'Scope strategy needs the name of one.' }]
    throw new Refusal('validation_failed', 'strategy: Scope strategy needs the name of one.', { errors })
  }
  return { kind, account, strategy: named.strategy }
}

/** Throws account_not_found unless it is the caller's own, or the caller an admin. */
function accountOf(named: string | undefined, { account, caller, services }: Context): string {
  if (named === undefined || named === account) return account
  const found = services.accounts.find(named)
  const isOwn = found !== undefined && found.userId === caller.userId && caller.kind === 'session'
  if (found === undefined || (!isOwn && !caller.scopes.has('admin')))
    throw new Refusal('account_not_found', `You have no account "${named}".`)
  return found.id
}

export const scopeOut = Type.Object({
  account: Type.Optional(Type.String()),
  key_id: Type.Optional(Type.String()),
  kind: Type.String({ description: '`instance`, `account`, `key` or `strategy`.' }),
  strategy: Type.Optional(Type.String()),
})

export function shownScope(scope: RiskScope) {
  switch (scope.kind) {
    case 'instance':
      return { kind: scope.kind }
    case 'account':
      return { account: scope.account, kind: scope.kind }
    case 'key':
      return { key_id: scope.keyId, kind: scope.kind }
    case 'strategy':
      return { account: scope.account, kind: scope.kind, strategy: scope.strategy }
  }
}

export const ruleOut = Type.Object({
  algo_id: Type.String(),
  algo_registration: Type.String(),
  changed_at: instantOut,
  changed_by: Type.String(),
  limits: limitsOut,
  scope: scopeOut,
  state: Type.String({ description: '`active`, `reduce_only` or `halted`.' }),
  version: Type.Integer({ description: 'Grows with each change.' }),
})

export const shownRule = (rule: StoredRule) => ({
  algo_id: rule.algoId,
  algo_registration: rule.algoRegistration,
  changed_at: rule.changedAt,
  changed_by: rule.changedBy,
  limits: shownLimits(rule.limits),
  scope: shownScope(rule.scope),
  state: rule.state,
  version: rule.version,
})
