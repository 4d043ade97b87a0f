import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BestOf } from './best-of.ts'

test('keeps the best few of any numbers, best first', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -50, max: 50 })), fc.nat(20), (values, most) => {
      const best = new BestOf(most, (a, b) => a - b)
      for (const value of values) best.add(value)
      expect(best.sorted()).toEqual([...values].sort((a, b) => a - b).slice(0, most))
    }),
  )
})
