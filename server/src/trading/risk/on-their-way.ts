import { assert } from '../../kernel/assert.ts'

/** Counts the orders of one account that were allowed and that no venue has answered. */
export class OnTheirWay {
  #orders = 0
  #waiting: (() => void)[] = []

  get orders(): number {
    return this.#orders
  }

  leave(orders: number): void {
    this.#orders += orders
  }

  /** One of them has an answer, or won't be sent. */
  arrive(): void {
    assert(this.#orders > 0, 'an order is settled that was never allowed')
    this.#orders -= 1
    if (this.#orders > 0 || this.#waiting.length === 0) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Resolves when none is left. */
  idle(): Promise<void> {
    return this.#orders === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve))
  }
}
