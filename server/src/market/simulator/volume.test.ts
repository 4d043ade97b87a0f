import { describe, expect, test } from 'vitest'
import { VolumeCurve } from './volume.ts'

describe.each([
  ['an exchange session', 22_500],
  ['a session that ends within a quarter of an hour', 23_100],
  ['a round-the-clock session', 86_400],
])('volume over %s', (_, seconds) => {
  test('never falls, from nothing to all', () => {
    const curve = new VolumeCurve(77, seconds)
    let before = 0
    for (let second = 0; second <= seconds; second += 1) {
      const share = curve.shareUntil(second)
      if (share < before) throw new Error(`falls at second ${second}`)
      before = share
    }
    expect(curve.shareUntil(0)).toBe(0)
    expect(before).toBe(1)
  })
})
