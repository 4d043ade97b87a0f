import Type from 'typebox'
import { ACCOUNT_NAME_LENGTH_MAX, type Account, ORDER_MODES } from '../../identity/accounts.ts'
import type { Caller } from '../../identity/caller.ts'
import { Refusal } from '../../kernel/errors.ts'
import { choice, text } from '../field.ts'
import { defineOperation } from '../operation.ts'
import { actorOf, instantOut, success, userIdOf } from './caller.ts'

const accountOut = Type.Object({
  created_at: instantOut,
  id: Type.String(),
  name: Type.String(),
  order_mode: Type.String({ description: '`semi_auto`: orders sent by key wait for a person.' }),
  venue: Type.String({ description: 'Where its orders go: `paper`.' }),
})
const shownAccount = ({ id, name, venue, orderMode, createdAt }: Account) => ({
  created_at: createdAt,
  id,
  name,
  order_mode: orderMode,
  venue,
})

export const accounts = defineOperation({
  name: 'accounts',
  method: 'GET',
  tag: 'Users and keys',
  summary: 'Your trading accounts',
  description: 'Each has its own book and funds. A key is shown the one account that it trades for.',
  access: 'read',
  rateClass: 'read',
  input: {},
  output: Type.Object({ data: Type.Array(accountOut), status: success }),
  example: {},
  handle(_input, context) {
    const { caller, account, services } = context
    const own = [services.accounts.find(account)].filter((found) => found !== undefined)
    const shown = caller.kind === 'session' ? services.accounts.list(userIdOf(context)) : own
    return { data: shown.map(shownAccount), status: 'success' as const }
  },
})

/** What is done to an account decides on orders. Throws role_missing. */
function requireTrader({ scopes, role }: Caller): void {
  if (!scopes.has('trade'))
    throw new Refusal('role_missing', `The role ${role} may not trade: this needs one that may.`)
}

export const accountscreate = defineOperation({
  name: 'accounts/create',
  method: 'POST',
  tag: 'Users and keys',
  summary: 'Open another account on paper',
  description: 'With the capital that the settings give a new account.',
  access: 'session',
  rateClass: 'heavy',
  input: {
    name: text({
      min: 1,
      max: ACCOUNT_NAME_LENGTH_MAX,
      description: 'Unique among your accounts.',
      example: 'options',
    }),
  },
  output: Type.Object({ data: accountOut, status: success }),
  example: { name: 'options' },
  async handle(input, context) {
    requireTrader(context.caller)
    const account = await context.services.accounts.create(userIdOf(context), input.name, actorOf(context))
    return { data: shownAccount(account), status: 'success' as const }
  },
})

export const accountsordermode = defineOperation({
  name: 'accounts/order-mode',
  method: 'POST',
  tag: 'Users and keys',
  summary: 'Let orders sent by key wait for a person, or not',
  description:
    'In `semi_auto`, orders sent by key are checked and then wait in approvals; changes and cancellations by key are refused. In `auto` they go to the venue at once.',
  access: 'session',
  rateClass: 'read',
  input: {
    account: text({ min: 1, max: 32, description: 'Id of your account.', example: 'default' }),
    mode: choice(ORDER_MODES, { description: 'auto or semi_auto.', example: 'semi_auto' }),
  },
  output: Type.Object({ data: accountOut, status: success }),
  example: { account: 'default', mode: 'auto' },
  refusals: ['account_not_found'],
  async handle(input, context) {
    const { services, caller } = context
    requireTrader(caller)
    const account = services.accounts.find(input.account)
    if (account === undefined || (account.userId !== caller.userId && caller.role !== 'admin'))
      throw new Refusal('account_not_found', `You have no account "${input.account}".`)
    const changed = await services.accounts.setOrderMode(input.account, input.mode, actorOf(context))
    return { data: shownAccount(changed), status: 'success' as const }
  },
})
