import type { Order } from './order.ts'

/**
 * A session's orders by id, oldest first. An id of digits is kept as the number it is: a Map looks for a text that it hasn't
 * seen in the engine's table of all texts first, which, with some 100,000 orders, takes as long as the rest of placing one.
 */
export class OrdersById {
  readonly #orders = new Map<number | string, Order>()

  constructor(orders: Iterable<Order> = []) {
    for (const order of orders) this.set(order)
  }

  get size(): number {
    return this.#orders.size
  }

  get(id: string): Order | undefined {
    return this.#orders.get(keyOf(id))
  }

  has(id: string): boolean {
    return this.#orders.has(keyOf(id))
  }

  set(order: Order): void {
    this.#orders.set(keyOf(order.id), order)
  }

  clear(): void {
    this.#orders.clear()
  }

  values(): MapIterator<Order> {
    return this.#orders.values()
  }
}

/** Numbers that no other text of digits is: without zeros in front, and exact. */
const NUMBER = /^[1-9]\d{0,14}$/

const keyOf = (id: string): number | string => (NUMBER.test(id) ? Number(id) : id)
