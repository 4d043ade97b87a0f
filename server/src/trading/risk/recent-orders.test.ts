import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PER_SECOND_MAX } from './limits.ts'
import { RecentOrders, SUBJECTS_MAX } from './recent-orders.ts'

test('counts the orders of the second that ends now', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(300), fc.constantFrom('a', 'b')), { maxLength: 200 }), (orders) => {
      const recent = new RecentOrders()
      const sent: { at: number; subject: string }[] = []
      let now = 0
      for (const [later, subject] of orders) {
        now += later
        recent.add(subject, now)
        sent.push({ at: now, subject })
        for (const asked of ['a', 'b'])
          expect(recent.count(asked, now)).toBe(
            sent.filter((one) => one.subject === asked && one.at > now - 1000).length,
          )
      }
    }),
  )
})

test('knows of more orders than any limit allows, and no more than that', () => {
  const recent = new RecentOrders()
  for (let order = 0; order < 3 * PER_SECOND_MAX; order += 1) recent.add('a', order / 10)
  expect(recent.count('a', (3 * PER_SECOND_MAX) / 10)).toBe(PER_SECOND_MAX + 1)
  expect(recent.count('a', 10_000)).toBe(0)
})

test('forgets the subject that came first when there are too many', () => {
  const recent = new RecentOrders()
  for (let subject = 0; subject <= SUBJECTS_MAX; subject += 1) recent.add(`s${subject}`, 0)
  expect([recent.count('s0', 0), recent.count('s1', 0)]).toEqual([0, 1])
})
