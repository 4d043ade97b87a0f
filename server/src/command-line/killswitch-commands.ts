import { OWNER } from '../identity/audit.ts'
import { Refusal } from '../kernel/errors.ts'
import type { SweptAccount } from '../trading/risk/kill-switch.ts'
import type { LimitStore, RiskActor, StoredRule } from '../trading/risk/limit-store.ts'
import type { RiskScope } from '../trading/risk/scope.ts'
import type { ControlCommands } from './control.ts'

type HaltScope = Exclude<RiskScope, { kind: 'key' }>

/** What was cancelled and closed at once; empty without a server, whose next start does it. */
export interface HaltResult {
  readonly orders: number
  readonly gtts: number
  readonly closed: number
  /** What couldn't be cancelled or closed, and why. */
  readonly failures: readonly string[]
}

export interface HaltedScope {
  readonly scope: RiskScope
  readonly since: number
  readonly by: string
}

/** What each command answers. */
export interface KillSwitchResults {
  readonly 'killswitch-on': HaltResult
  readonly 'killswitch-off': { readonly released: boolean }
  readonly 'killswitch-status': { readonly halted: readonly HaltedScope[]; readonly doubt: string | null }
}

export interface KillSwitchRooms {
  readonly limits: LimitStore
  /** Halts and sweeps. */
  readonly engage: (scope: HaltScope, squareOff: boolean, actor: RiskActor) => Promise<HaltResult>
  readonly isAccount: (account: string) => boolean
}

/** The kill switch for the command line: run by the server when one runs, else by the command line itself. */
export function killSwitchCommands({ limits, engage, isAccount }: KillSwitchRooms): ControlCommands & {
  readonly [K in keyof KillSwitchResults]: (args: unknown) => Promise<KillSwitchResults[K]>
} {
  const scopeOf = (args: unknown): HaltScope => {
    const account = field(args, 'account')
    const strategy = field(args, 'strategy')
    if (account === undefined && strategy === undefined) return { kind: 'instance' }
    const meant = account ?? 'default'
    if (!isAccount(meant)) throw new Refusal('not_found', `There is no account "${meant}".`)
    return strategy === undefined ? { kind: 'account', account: meant } : { kind: 'strategy', account: meant, strategy }
  }
  return {
    'killswitch-on': async (args) => engage(scopeOf(args), flag(args, 'squareOff'), OWNER),
    'killswitch-off': async (args) => {
      await limits.release(scopeOf(args), OWNER)
      return { released: true }
    },
    'killswitch-status': async () => ({
      halted: limits.rules().filter(isHalted).map(shownHalt),
      doubt: limits.doubt ?? null,
    }),
  }
}

/** What a kill switch did, summed up. */
export function haltResult({ accounts }: { readonly accounts: readonly SweptAccount[] }): HaltResult {
  const sum = (count: (swept: SweptAccount) => number): number => accounts.reduce((all, one) => all + count(one), 0)
  return {
    orders: sum(({ cancelledOrders }) => cancelledOrders.length),
    gtts: sum(({ cancelledGtts }) => cancelledGtts.length),
    closed: sum(({ closed }) => closed.filter(({ failure }) => failure === undefined).length),
    failures: accounts.flatMap(({ account, failed, closed, onTheirWay }) => [
      ...failed.map(({ id, message }) => `${id} could not be cancelled: ${message}`),
      ...closed.flatMap(({ symbol, product, failure }) =>
        failure === undefined ? [] : [`${symbol} ${product} could not be closed: ${failure}`],
      ),
      ...(onTheirWay === 0 ? [] : [`${onTheirWay} orders of account ${account} were still on their way to the venue`]),
    ]),
  }
}

const isHalted = ({ state }: StoredRule): boolean => state === 'halted'
const shownHalt = ({ scope, changedAt, changedBy }: StoredRule): HaltedScope => ({
  scope,
  since: changedAt,
  by: changedBy,
})

function field(args: unknown, name: string): string | undefined {
  const value = typeof args === 'object' && args !== null ? (args as Partial<Record<string, unknown>>)[name] : undefined
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw new Refusal('validation_failed', `${name} must be text.`)
  return value
}

const flag = (args: unknown, name: string): boolean =>
  typeof args === 'object' && args !== null && (args as Partial<Record<string, unknown>>)[name] === true
