import type { Effective } from './effective.ts'
import { type Needs, needsOf } from './needs.ts'
import { type Subjects, subjectsOf } from './recent-orders.ts'

/** Joined limits that are kept ready; all are dropped when there are more. */
const READY_MAX = 10_000

/** All that holds for the orders of one account, key and strategy, and what it takes to judge them. */
export interface InForce extends Effective {
  readonly needs: Needs
  readonly subjects: Subjects
}

type Join = (account: string, keyId: string, strategy: string) => Effective

/** Limits as they are joined for each account, key and strategy, until what is set changes. */
export class ReadyLimits {
  readonly #join: Join
  /** One name made of all three would cost more to make than to look up. */
  readonly #ready = new Map<string, Map<string, Map<string, InForce>>>()
  #size = 0

  constructor(join: Join) {
    this.#join = join
  }

  get(account: string, keyId: string, strategy: string): InForce {
    return this.#ready.get(account)?.get(keyId)?.get(strategy) ?? this.#add(account, keyId, strategy)
  }

  clear(): void {
    this.#ready.clear()
    this.#size = 0
  }

  #add(account: string, keyId: string, strategy: string): InForce {
    if (this.#size >= READY_MAX) this.clear()
    this.#size += 1
    const effective = this.#join(account, keyId, strategy)
    const inForce = { ...effective, needs: needsOf(effective), subjects: subjectsOf(account, keyId, strategy) }
    const byKey = entryOf(this.#ready, account, () => new Map<string, Map<string, InForce>>())
    entryOf(byKey, keyId, () => new Map<string, InForce>()).set(strategy, inForce)
    return inForce
  }
}

function entryOf<Value>(map: Map<string, Value>, name: string, made: () => Value): Value {
  let found = map.get(name)
  if (found === undefined) {
    found = made()
    map.set(name, found)
  }
  return found
}
