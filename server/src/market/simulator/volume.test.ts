import { describe, expect, test } from 'vitest'
import { volumeShare } from './volume.ts'

describe.each([
  ['an exchange session', 22_500],
  ['a session that ends within a quarter of an hour', 23_100],
  ['a round-the-clock session', 86_400],
])('volume over %s', (_, seconds) => {
  test('never falls, from nothing to all', () => {
    let before = 0
    for (let second = 0; second <= seconds; second += 1) {
      const share = volumeShare(77, second, seconds)
      if (share < before) throw new Error(`falls at second ${second}`)
      before = share
    }
    expect(volumeShare(77, 0, seconds)).toBe(0)
    expect(before).toBe(1)
  })
})
