import Type from 'typebox'
import { type Money, toNumber } from '../../kernel/fixed.ts'
import type { Bounds } from '../../trading/risk/effective.ts'
import { ALGO_ID_LENGTH_MAX, EXCHANGE_RULES } from '../../trading/risk/exchange-rules.ts'
import { LIMIT_NAMES, type Limits, NUMBER_LIMITS } from '../../trading/risk/limits.ts'
import { SCOPE_KINDS } from '../../trading/risk/scope.ts'
import type { Use } from '../../trading/risk/use.ts'
import { choice, integer, list, text } from '../field.ts'
import { defineOperation } from '../operation.ts'
import { actorOf, success } from './caller.ts'
import { limitsField, limitsOf, shownNumber, windowText } from './risk-fields.ts'
import { ruleOut, scopeFields, scopeOf, shownRule } from './risk-scope.ts'

const useOut = {
  orders_in_second: Type.Integer({ description: 'In the last second, as far as a limit counts them.' }),
  orders_today: Type.Integer({ description: 'Of a key: as far as a limit counts them.' }),
}
const measuredOut = Type.Object({
  ...useOut,
  daily_loss: Type.Number({ description: 'Realised and open; 0 when it is a profit.' }),
  gross_exposure: Type.Number(),
  net_exposure: Type.Number(),
  open_orders: Type.Integer({ description: 'With those on their way.' }),
})
const shownUse = (use: Use) => ({
  daily_loss: toNumber.money(use.dailyLoss as Money),
  gross_exposure: toNumber.money(use.grossExposure as Money),
  net_exposure: toNumber.money(use.netExposure as Money),
  open_orders: use.openOrders,
  orders_in_second: use.ordersInSecond,
  orders_today: use.ordersToday,
})

const inForceOut = Type.Object({
  limit: Type.String(),
  measured_on: Type.String({ description: '`account`, `key` or `strategy`: whose orders and positions count.' }),
  source: Type.String({ description: 'Where it is set; of several, the tightest.' }),
  value: Type.Union([Type.Number(), Type.Array(Type.String())]),
})

function inForce({ numbers, allowed, windows }: Bounds, measuredOn: string) {
  const found: { limit: string; measured_on: string; source: string; value: number | string[] }[] = []
  for (const limit of NUMBER_LIMITS) {
    const bound = numbers[limit]
    if (bound === undefined) continue
    found.push({ limit, measured_on: measuredOn, source: bound.source, value: shownNumber(limit, bound.value) })
  }
  for (const { limit, values, source } of allowed)
    found.push({ limit, measured_on: measuredOn, source, value: [...values] })
  for (const { windows: open, source } of windows)
    found.push({ limit: 'trading_windows', measured_on: measuredOn, source, value: open.map(windowText) })
  return found
}

export const risk = defineOperation({
  name: 'risk',
  method: 'POST',
  tag: 'Risk',
  summary: 'Limits in force, where they come from, and what of them is used',
  description:
    'Every order passes them, whatever it came by. Limits may be set for the instance, an account, an API key and a strategy; of the same limit the tightest holds. Those of the instance, the account and the key are measured on the account, those of a strategy on its own orders and positions, and how often a key may order on its own orders.',
  access: 'read',
  rateClass: 'read',
  input: { strategy: scopeFields.strategy },
  output: Type.Object({
    data: Type.Object({
      account: Type.String(),
      algo_id: Type.String({ description: 'That orders of the strategy carry; empty without one.' }),
      exchange_rules: Type.Object({
        as_of: Type.String(),
        in_force: Type.Boolean({ description: 'Whether the rules for orders by API hold for this account.' }),
        key_is_bound: Type.Boolean({
          description: 'False when the rules hold and this key may be used from any address: its orders are denied.',
        }),
        orders_per_second_unregistered: Type.Integer(),
        source: Type.String(),
      }),
      limits: Type.Array(inForceOut),
      set: Type.Array(ruleOut, { description: 'What is set at each scope that concerns these orders.' }),
      state: Type.String({
        description: '`active`; `reduce_only`: only what makes a position smaller passes; `halted`: nothing does.',
      }),
      state_source: Type.String({ description: 'Who is in that state; empty while it is `active`.' }),
      use: Type.Object({
        account: measuredOut,
        key: Type.Object(useOut),
        strategy: Type.Union([measuredOut, Type.Null()], { description: 'null when nothing is set for the strategy.' }),
      }),
    }),
    status: success,
  }),
  example: { strategy: 'my-strategy' },
  refusals: ['risk_unavailable', 'account_stopped'],
  async handle({ strategy }, { account, caller, services }) {
    const { limits: store, gate } = services
    const keyId = caller.keyId ?? ''
    store.requireKnown()
    const effective = store.effective(account, keyId, strategy ?? '')
    const use = await gate.use({ account, keyId }, strategy)
    const rules = [
      store.rule({ kind: 'instance' }),
      store.rule({ kind: 'account', account }),
      store.rule({ kind: 'key', keyId }),
      strategy === undefined ? undefined : store.rule({ kind: 'strategy', account, strategy }),
    ].filter((rule) => rule !== undefined)
    return {
      data: {
        account,
        algo_id: effective.algoId,
        exchange_rules: {
          as_of: EXCHANGE_RULES.asOf,
          in_force: effective.protectionSource !== undefined,
          key_is_bound: effective.unboundSource === undefined,
          orders_per_second_unregistered: EXCHANGE_RULES.ordersPerSecondUnregistered,
          source: EXCHANGE_RULES.source,
        },
        limits: [
          ...inForce(effective.account, 'account'),
          ...inForce(effective.key, 'key'),
          ...(strategy === undefined ? [] : inForce(effective.strategy, 'strategy')),
        ],
        set: rules.map(shownRule),
        state: effective.state,
        state_source: effective.stateSource,
        use: {
          account: shownUse(use.account),
          key: { orders_in_second: use.key.ordersInSecond, orders_today: use.key.ordersToday },
          strategy: use.strategy === undefined ? null : shownUse(use.strategy),
        },
      },
      status: 'success' as const,
    }
  },
})

export const riskset = defineOperation({
  name: 'risk/set',
  method: 'POST',
  tag: 'Risk',
  summary: 'Set or clear limits',
  description:
    'On disk before it is answered, and in force from then on. `algo_registration` states that an exchange has registered the strategy, or the account: without, the exchanges’ rules hold it to their threshold of orders a second where they apply.',
  access: 'admin',
  rateClass: 'read',
  input: {
    scope: choice(SCOPE_KINDS, { description: 'Whom it is for.', example: 'strategy' }),
    ...scopeFields,
    key_id: text({ min: 1, max: 64, description: 'Of scope `key`.' }).optional(),
    limits: limitsField.optional(),
    clear: list(choice(LIMIT_NAMES), {
      min: 0,
      max: LIMIT_NAMES.length,
      description: 'Limits to take away.',
    }).optional(),
    state: choice(['active', 'reduce_only'], { description: 'To halt, use killswitch.' }).optional(),
    algo_id: text({ max: ALGO_ID_LENGTH_MAX, description: 'That its orders carry.' }).optional(),
    algo_registration: text({
      max: ALGO_ID_LENGTH_MAX,
      description: 'Number it is registered under; "" takes it away.',
    }).optional(),
    version: integer({
      min: 0,
      description: 'Refuse when somebody has changed it since: the version as read; 0 for nothing set.',
    }).optional(),
  },
  check: ({ scope, state, limits, clear, algo_id, algo_registration }) => {
    const problems = []
    if (scope === 'key' && state !== undefined)
      problems.push({ field: 'state', message: 'A key has no state: revoke it, or set the state of its account.' })
    if (scope === 'key' && (algo_id ?? algo_registration) !== undefined)
      problems.push({ field: 'algo_id', message: 'Algo ids and registrations are of strategies and accounts.' })
    const isEmpty = [limits, clear, state, algo_id, algo_registration].every((one) => one === undefined)
    if (isEmpty) problems.push({ field: 'limits', message: 'There is nothing to set: send limits, clear or state.' })
    for (const name of clear ?? []) {
      if (limits?.[name] !== undefined)
        problems.push({ field: 'clear', message: `${name} is both set and cleared: send one of the two.` })
    }
    return problems
  },
  output: Type.Object({ data: ruleOut, status: success }),
  example: { scope: 'strategy', strategy: 'my-strategy', limits: { orders_per_day: 1000, order_value: 500000 } },
  refusals: ['not_found', 'account_not_found', 'risk_changed', 'risk_halted', 'risk_unavailable'],
  async handle(input, context) {
    const scope = scopeOf(input.scope, input, context)
    const cleared = Object.fromEntries((input.clear ?? []).map((name) => [name, null]))
    const limits: Limits = input.limits === undefined ? {} : limitsOf(input.limits)
    const change = {
      limits: { ...limits, ...cleared },
      state: input.state,
      algoId: input.algo_id,
      algoRegistration: input.algo_registration,
      ifVersion: input.version,
    }
    const rule = await context.services.limits.set(scope, change, actorOf(context))
    return { data: shownRule(rule), status: 'success' as const }
  },
})
