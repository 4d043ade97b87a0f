import type { Leg, LegOutcome, Plan } from '../plan.ts'
import { repeats } from './repeats.ts'

/** What orders of one plan that were sent mean for those that follow. */
export class Course {
  /** Of the story that they share: the first order's id. */
  root: string | undefined
  readonly #plan: Plan
  readonly #accepted = new Set<number>()
  #stopped: string | undefined

  constructor(plan: Plan) {
    this.#plan = plan
  }

  follow(outcome: LegOutcome): void {
    if (outcome.kind === 'placed') {
      this.#accepted.add(outcome.leg.position)
      this.root ??= outcome.report.root
    } else if (outcome.kind === 'refused') {
      this.root ??= outcome.orderId
      const { onRefusal } = this.#plan
      if (onRefusal === 'stop' || (onRefusal === 'stop-if-it-repeats' && repeats(outcome)))
        this.#stopped ??= `Not sent, because an order before it was refused: ${outcome.refusal.message}`
    }
  }

  /** Undefined when the leg is to be sent. */
  unsentBecause({ needs = [] }: Leg): string | undefined {
    if (this.#stopped !== undefined) return this.#stopped
    const missing = needs.filter((position) => !this.#accepted.has(position))
    if (missing.length === 0) return undefined
    const numbers = missing.map((position) => position + 1).join(', ')
    return `Not sent, because order ${numbers}, which it relies on, was not accepted.`
  }
}
