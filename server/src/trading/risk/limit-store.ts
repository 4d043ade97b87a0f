import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import type { Database } from '../../storage/open.ts'
import type { MoneyDatabase, RiskRuleTable } from '../../storage/schema.ts'
import { effectiveOf, type RiskRule } from './effective.ts'
import { KeyUse } from './key-use.ts'
import { decodeLimits, type Limits } from './limits.ts'
import { type InForce, ReadyLimits } from './ready-limits.ts'
import { parseScope, RISK_STATES, type RiskScope, type RiskState, scopeKey, scopeName, stricter } from './scope.ts'

/** Scopes that something may be set for. */
export const RULES_MAX = 1_000
/** The kill switch may add as many again: it is never refused for want of room that limits take. */
export const HALTS_MAX = 2 * RULES_MAX

/** What a kill switch has yet to do, so that the next start goes on with it. */
export interface Sweep {
  readonly squareOff: boolean
}

export interface StoredRule extends RiskRule {
  readonly sweep: Sweep | undefined
  /** Grows by 1 with each change of this scope. */
  readonly version: number
  readonly changedAt: number
  readonly changedBy: string
}

/** Who changes something. */
export interface RiskActor {
  readonly name: string
  readonly address: string
  readonly requestId: string
}

export interface RuleChange {
  /** Limits to set; null takes one away. What isn't named stays. */
  readonly limits?: { readonly [Name in keyof Limits]?: Limits[Name] | null }
  /** Not `halted`: that is the kill switch's, which also cancels. */
  readonly state?: Exclude<RiskState, 'halted'> | undefined
  readonly algoId?: string | undefined
  readonly algoRegistration?: string | undefined
  /** Refuses when the scope has another version by now. */
  readonly ifVersion?: number | undefined
}

export interface LimitStoreOptions {
  readonly money: Database<MoneyDatabase>
  readonly clock: Clock
  readonly audit: (entry: {
    readonly actor: string
    readonly action: string
    readonly target: string
    readonly address: string
    readonly requestId: string
    readonly detail: Readonly<Record<string, unknown>>
  }) => void
  /** Whether the exchanges' rules for algorithmic orders apply to an account. */
  readonly exchangeRules: (account: string) => boolean
  /** Whether a key may be used from some addresses only. */
  readonly isBound: (keyId: string) => boolean
  readonly onError: (error: unknown) => void
}

/**
 * Limits and states, in memory as well as on disk. A change is on disk before it is answered. What stops orders counts
 * at once, what allows more counts when it is on disk. When it isn't certain what is set, `doubt` says why, and nothing
 * may be sent.
 */
export class LimitStore {
  readonly #options: LimitStoreOptions
  readonly #rules = new Map<string, StoredRule>()
  readonly #ready: ReadyLimits
  readonly keyUse: KeyUse
  readonly #listeners = new Set<() => void>()
  #unreadable: string | undefined
  /** Grows with each halt, so that what was decided before one doesn't undo it. */
  #halts = 0
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(options: LimitStoreOptions) {
    this.#options = options
    this.keyUse = new KeyUse(options.money, options.onError)
    this.#ready = new ReadyLimits((account, keyId, strategy) =>
      effectiveOf({
        instance: this.#rules.get('instance'),
        account: this.rule({ kind: 'account', account }),
        key: keyId === '' ? undefined : this.rule({ kind: 'key', keyId }),
        strategy: this.rule({ kind: 'strategy', account, strategy }),
        exchangeRules: options.exchangeRules(account),
        isBound: keyId === '' || options.isBound(keyId),
      }),
    )
  }

  /** Opens what is stored. What can't be read doesn't stop the start: it leaves the store in doubt. */
  static async open(options: LimitStoreOptions): Promise<LimitStore> {
    const store = new LimitStore(options)
    try {
      for (const row of await options.money.kysely.selectFrom('risk_rule').selectAll().execute()) store.#take(row)
      await store.keyUse.load()
    } catch (error) {
      store.#unreadable = `they can't be read (${error instanceof Error ? error.message : String(error)})`
      options.onError(error)
    }
    return store
  }

  #take(row: RiskRuleTable): void {
    const scope = parseScope(row.scope)
    const state = RISK_STATES.find((each) => each === row.state)
    const limits = decodeLimits(row.limits)
    if (scope === undefined || state === undefined || limits === undefined) {
      this.#unreadable ??= `those of "${row.scope}" aren't as this version writes them`
      return
    }
    this.#rules.set(row.scope, {
      scope,
      state,
      limits,
      algoId: row.algo_id,
      algoRegistration: row.algo_registration,
      sweep: row.sweep === null ? undefined : { squareOff: row.sweep === 'square_off' },
      version: row.version,
      changedAt: row.changed_at,
      changedBy: row.changed_by,
    })
  }

  /** Why it isn't certain what is set; undefined while it is. */
  get doubt(): string | undefined {
    const { broken } = this.#options.money.writer
    return this.#unreadable ?? (broken === undefined ? undefined : `their file can't be written (${broken})`)
  }

  /** Throws risk_unavailable while the store is in doubt. */
  requireKnown(): void {
    const { doubt } = this
    if (doubt !== undefined)
      throw new Refusal(
        'risk_unavailable',
        `It isn't certain what the limits are: ${doubt}. Repair that, then restart Sauda.`,
      )
  }

  /** Called when the limits of a scope have changed. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  rule(scope: RiskScope): StoredRule | undefined {
    return this.#rules.get(scopeKey(scope))
  }

  rules(): readonly StoredRule[] {
    return [...this.#rules.values()]
  }

  /** Strategies of the account that something is set for. */
  strategies(account: string): string[] {
    return this.rules().flatMap(({ scope }) =>
      scope.kind === 'strategy' && scope.account === account ? [scope.strategy] : [],
    )
  }

  /** All that holds for an order. */
  effective(account: string, keyId: string, strategy: string): InForce {
    return this.#ready.get(account, keyId, strategy)
  }

  /** Whether an account's orders may be limited by anything, whatever their key and strategy. */
  isLimited(account: string): boolean {
    if (this.#options.exchangeRules(account)) return true
    return this.rules().some(
      ({ scope, state, limits }) =>
        (scope.kind === 'instance' || scope.kind === 'key' || scope.account === account) &&
        (state !== 'active' || Object.keys(limits).length > 0),
    )
  }

  /** State of an account, whatever the strategy. */
  accountState(account: string): RiskState {
    const own = this.rule({ kind: 'account', account })?.state ?? 'active'
    return stricter(this.#rules.get('instance')?.state ?? 'active', own)
  }

  /**
   * Changes what is set at a scope. Throws Refusal: risk_changed when it has another version, risk_unavailable when the
   * store is in doubt, validation_failed when there are too many scopes.
   */
  set(scope: RiskScope, change: RuleChange, actor: RiskActor): Promise<StoredRule> {
    return this.#inTurn(async () => {
      this.requireKnown()
      const before = this.#known(scope)
      if (change.ifVersion !== undefined && change.ifVersion !== before.version)
        throw new Refusal(
          'risk_changed',
          `The limits of ${scopeName(scope)} have version ${before.version} by now, not ${change.ifVersion}. Read them again and decide anew.`,
        )
      if (change.state !== undefined && before.state === 'halted')
        throw new Refusal(
          'risk_halted',
          `${scopeName(scope)} is halted; a state is set when killswitch/release has ended that.`,
        )
      const limits = changed(before.limits, change.limits ?? {})
      const next = {
        limits,
        algoId: change.algoId ?? before.algoId,
        algoRegistration: change.algoRegistration ?? before.algoRegistration,
      }
      const state = change.state ?? before.state
      const after = await this.#write({ ...before, ...next, state }, actor, () => ({
        ...next,
        // A kill switch may have come meanwhile
        state: this.rule(scope)?.state === 'halted' ? 'halted' : state,
      }))
      this.#tell(actor, 'risk.set', scope, {
        limits: change.limits ?? {},
        state: { from: before.state, to: after.state },
        algoId: after.algoId,
        algoRegistration: after.algoRegistration,
        version: after.version,
      })
      return after
    })
  }

  /** Halts a scope: in memory before this returns, on disk when it resolves, together with what is left to do. */
  async halt(scope: RiskScope, sweep: Sweep, actor: RiskActor): Promise<StoredRule> {
    this.#halts += 1
    this.#put({ ...this.#known(scope, HALTS_MAX), state: 'halted', sweep })
    return this.#inTurn(async () => {
      const from = this.#known(scope, HALTS_MAX)
      const after = await this.#write({ ...from, state: 'halted', sweep }, actor, () => ({ state: 'halted', sweep }))
      this.#tell(actor, 'risk.halted', scope, { squareOff: sweep.squareOff, version: after.version })
      return after
    })
  }

  /** All that a kill switch had to do is done. */
  swept(scope: RiskScope): Promise<void> {
    return this.#inTurn(async () => {
      const rule = this.rule(scope)
      if (rule?.sweep === undefined) return
      const halts = this.#halts
      await this.#write({ ...rule, sweep: undefined }, undefined, () =>
        this.#halts === halts ? { sweep: undefined } : {},
      )
    })
  }

  /** Ends a halt. Throws not_found when the scope isn't halted. */
  release(scope: RiskScope, actor: RiskActor): Promise<StoredRule> {
    return this.#inTurn(async () => {
      const rule = this.rule(scope)
      if (rule?.state !== 'halted')
        throw new Refusal('not_found', `${scopeName(scope)} isn't halted: it is ${rule?.state ?? 'active'}.`)
      const halts = this.#halts
      const after = await this.#write({ ...rule, state: 'active', sweep: undefined }, actor, () =>
        this.#halts === halts ? { state: 'active', sweep: undefined } : {},
      )
      this.#tell(actor, 'risk.released', scope, { version: after.version })
      return after
    })
  }

  #known(scope: RiskScope, rulesMax = RULES_MAX): StoredRule {
    const known = this.rule(scope)
    if (known !== undefined) return known
    if (this.#rules.size >= rulesMax)
      throw new Refusal(
        'validation_failed',
        `Limits are set for ${RULES_MAX} scopes, as many as may be: clear some first.`,
      )
    return {
      scope,
      state: 'active',
      limits: {},
      algoId: '',
      algoRegistration: '',
      sweep: undefined,
      version: 0,
      changedAt: 0,
      changedBy: '',
    }
  }

  /** Writes a rule, then takes over what of it counts from now on. Without an actor nobody has changed anything. */
  async #write(
    rule: StoredRule,
    actor: RiskActor | undefined,
    taken: () => Partial<Pick<StoredRule, 'state' | 'sweep' | 'limits' | 'algoId' | 'algoRegistration'>>,
  ): Promise<StoredRule> {
    const { kysely, writer, compile } = this.#options.money
    const version = actor === undefined ? rule.version : rule.version + 1
    const changed = actor === undefined ? rule : { changedAt: this.#options.clock.now(), changedBy: actor.name }
    const row = rowOf({ ...rule, version, changedAt: changed.changedAt, changedBy: changed.changedBy })
    const { scope: _, ...columns } = row
    const insert = kysely.insertInto('risk_rule').values(row)
    await writer.write([compile(insert.onConflict((on) => on.column('scope').doUpdateSet(columns)))])
    const after: StoredRule = {
      ...(this.rule(rule.scope) ?? rule),
      ...taken(),
      version,
      changedAt: row.changed_at,
      changedBy: row.changed_by,
    }
    this.#put(after)
    return after
  }

  #put(rule: StoredRule): void {
    const before = this.rule(rule.scope)
    this.#rules.set(scopeKey(rule.scope), rule)
    this.#ready.clear()
    if (before?.limits !== rule.limits) for (const listener of this.#listeners) listener()
  }

  /** One change after the other, so that none is computed from what another is about to replace. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(change)
    this.#turn = done.catch(() => undefined) // its own caller is told
    return done
  }

  #tell(actor: RiskActor, action: string, scope: RiskScope, detail: Readonly<Record<string, unknown>>): void {
    this.#options.audit({
      actor: actor.name,
      address: actor.address,
      requestId: actor.requestId,
      action,
      target: scopeKey(scope),
      detail,
    })
  }
}

function changed(before: Limits, change: NonNullable<RuleChange['limits']>): Limits {
  const all = Object.entries({ ...before, ...change }).filter(([, value]) => value !== null && value !== undefined)
  return Object.fromEntries(all) as Limits
}

const rowOf = (rule: StoredRule): RiskRuleTable => ({
  scope: scopeKey(rule.scope),
  state: rule.state,
  limits: JSON.stringify(rule.limits),
  algo_id: rule.algoId,
  algo_registration: rule.algoRegistration,
  sweep: rule.sweep === undefined ? null : rule.sweep.squareOff ? 'square_off' : 'cancel',
  version: rule.version,
  changed_at: rule.changedAt,
  changed_by: rule.changedBy,
})
