import Type from 'typebox'
import { Refusal } from '../../kernel/errors.ts'
import type { SweptAccount } from '../../trading/risk/kill-switch.ts'
import type { RiskScope } from '../../trading/risk/scope.ts'
import { choice, flag } from '../field.ts'
import { type Context, defineOperation } from '../operation.ts'
import { actorOf, success } from './caller.ts'
import { ruleOut, scopeFields, scopeOf, shownRule } from './risk-scope.ts'

const KINDS = ['instance', 'account', 'strategy'] as const
type Kind = (typeof KINDS)[number]

const input = {
  scope: choice(KINDS, { description: 'What is halted. `instance` needs the scope admin.' }).optional(
    'account',
    'account',
  ),
  ...scopeFields,
} as const

const sweptOut = Type.Object({
  account: Type.String(),
  cancelled_gtts: Type.Array(Type.String()),
  cancelled_orders: Type.Array(Type.String()),
  closed: Type.Array(
    Type.Object({
      exchange: Type.String(),
      message: Type.String({ description: 'Why it isn’t closed; empty when every closing order was accepted.' }),
      orderids: Type.Array(Type.String()),
      product: Type.String(),
      symbol: Type.String(),
    }),
  ),
  failed: Type.Array(Type.Object({ id: Type.String(), message: Type.String() }), {
    description: 'What couldn’t be cancelled, e.g. because it was filled meanwhile.',
  }),
  on_their_way: Type.Integer({ description: 'Orders from before the halt that no venue had answered in time.' }),
})
const shownSwept = (swept: SweptAccount) => ({
  account: swept.account,
  cancelled_gtts: [...swept.cancelledGtts],
  cancelled_orders: [...swept.cancelledOrders],
  closed: swept.closed.map(({ symbol, exchange, product, orderIds, failure = '' }) => ({
    exchange,
    message: failure,
    orderids: [...orderIds],
    product,
    symbol,
  })),
  failed: [...swept.failed],
  on_their_way: swept.onTheirWay,
})

/** Throws as `scopeOf`, and scope_missing when the instance is meant by who isn't an admin. */
function meant(
  { scope, account, strategy }: { scope: Kind; account: string | undefined; strategy: string | undefined },
  context: Context,
): Exclude<RiskScope, { kind: 'key' }> {
  const { caller } = context
  if (scope === 'instance' && !caller.scopes.has('admin'))
    throw new Refusal(
      caller.kind === 'key' ? 'scope_missing' : 'role_missing',
      'The whole instance may be halted with the scope admin only. Halt your account: scope "account".',
    )
  const found = scopeOf(scope, { account, strategy }, context)
  if (found.kind === 'key') throw new Refusal('validation_failed', 'A key isn’t halted, but its account.')
  return found
}

export const killswitch = defineOperation({
  name: 'killswitch',
  method: 'POST',
  tag: 'Risk',
  summary: 'Stop all trading at once',
  description:
    'From the moment it is received, no order passes, whatever it comes by: new ones, changes, triggers, approvals that wait. Then every working order and trigger is cancelled and, if asked, every position closed at market. It holds over restarts until killswitch/release. Limits of frequency and semi-automatic mode don’t hold it up. Closing at the end of a session and expiry go on.',
  access: 'trade',
  rateClass: 'killswitch',
  // A halt waits for no commit; asked for again after a crash it holds already, and what is left to do is done
  writesIntent: true,
  inSemiAuto: 'do',
  input: { ...input, square_off: flag({ description: 'Close what is held, too.' }).optional(false, false) },
  output: Type.Object({
    data: Type.Object({ accounts: Type.Array(sweptOut), rule: ruleOut }),
    message: Type.String(),
    status: success,
  }),
  example: { scope: 'strategy', strategy: 'my-strategy' },
  refusals: ['account_not_found', 'account_stopped', 'venue_unavailable'],
  async handle({ square_off: squareOff, ...named }, context) {
    const scope = meant(named, context)
    const { rule, accounts } = await context.services.killSwitch.engage(scope, squareOff, actorOf(context))
    const orders = accounts.reduce((sum, { cancelledOrders }) => sum + cancelledOrders.length, 0)
    const gtts = accounts.reduce((sum, { cancelledGtts }) => sum + cancelledGtts.length, 0)
    const closings = squareOff
      ? `, ${accounts.reduce((sum, { closed }) => sum + closed.length, 0)} positions closed`
      : ''
    return {
      data: { accounts: accounts.map(shownSwept), rule: shownRule(rule) },
      message: `Halted: ${orders} orders and ${gtts} triggers cancelled${closings}`,
      status: 'success' as const,
    }
  },
})

export const killswitchrelease = defineOperation({
  name: 'killswitch/release',
  method: 'POST',
  tag: 'Risk',
  summary: 'End a halt',
  description: 'Orders pass again when it is answered. What was cancelled stays so.',
  access: 'admin',
  rateClass: 'killswitch',
  input,
  output: Type.Object({ data: ruleOut, message: Type.String(), status: success }),
  example: { scope: 'strategy', strategy: 'my-strategy' },
  refusals: ['not_found', 'account_not_found', 'account_stopped'],
  async handle(named, context) {
    const rule = await context.services.killSwitch.release(meant(named, context), actorOf(context))
    return { data: shownRule(rule), message: 'Orders pass again', status: 'success' as const }
  },
})
