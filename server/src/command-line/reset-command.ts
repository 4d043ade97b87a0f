import { Refusal } from '../kernel/errors.ts'
import type { Money } from '../kernel/fixed.ts'
import { formatMoney } from '../kernel/fixed.ts'
import type { ControlCommands } from './control.ts'

export interface Resettable {
  venue(account: string): { reset(capital: Money): Promise<void> } | undefined
}

/** Starts a paper account again; run by the server, which alone writes it. */
export function resetCommand(paper: Resettable, config: { readonly paperCapital: Money }): ControlCommands {
  return {
    'paper-reset': async (args) => {
      const account = typeof args === 'object' && args !== null && 'account' in args ? args.account : undefined
      const venue = typeof account === 'string' ? paper.venue(account) : undefined
      if (venue === undefined) throw new Refusal('not_found', `There is no paper account ${JSON.stringify(account)}.`)
      await venue.reset(config.paperCapital)
      return { account, capital: formatMoney(config.paperCapital) }
    },
  }
}
