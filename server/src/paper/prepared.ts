import type { Command } from './command.ts'
import { applyPlace } from './machine.ts'
import { withRisks } from './portfolio.ts'
import { tryOrders } from './scratch.ts'
import type { AccountState } from './state.ts'

/**
 * A command as it is applied and journalled: with the arrays of contracts that are margined together, which are computed
 * here, once, with floats, from the state that it is applied to. Applying it only adds integers.
 */
export function prepared(state: AccountState, command: Command): Command {
  if (command.kind !== 'place-together') return withRisks(state, command)
  if (command.orders.every(({ terms }) => terms.reference === undefined)) return command
  return { ...command, orders: tryOrders(state, command.orders, applyPlace).commands }
}
