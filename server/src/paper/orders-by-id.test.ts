import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Order } from './order.ts'
import { OrdersById } from './orders-by-id.ts'

const id = fc.oneof(
  fc.stringMatching(/^\d{1,17}$/),
  fc.nat().map((number) => `26112600${String(number).padStart(6, '0')}`),
  fc.string(),
  fc.constantFrom('', '0', '00', '01', '1', ' 1', '1.0', '1e3', '1000', '9007199254740993', '9007199254740992'),
)

it('finds the orders that a Map of texts would, in the same order, whatever their ids', () => {
  fc.assert(
    fc.property(fc.array(id), fc.array(id), (placed, asked) => {
      const orders = new OrdersById()
      const texts = new Map<string, Order>()
      for (const one of placed) {
        const order = { id: one } as Order
        orders.set(order)
        texts.set(one, order)
      }
      expect([orders.size, [...orders.values()]]).toEqual([texts.size, [...texts.values()]])
      for (const one of [...placed, ...asked]) {
        expect(orders.get(one)).toBe(texts.get(one))
        expect(orders.has(one)).toBe(texts.has(one))
      }
      expect([...new OrdersById(orders.values()).values()]).toEqual([...texts.values()])
      orders.clear()
      expect(orders.size).toBe(0)
    }),
  )
})
