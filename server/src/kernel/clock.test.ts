import { expect, test } from 'vitest'
import { ManualClock } from './clock.ts'

test('a manual clock runs due tasks at their own time, in order, and stands still otherwise', () => {
  const clock = new ManualClock('2026-11-25T03:45:00Z')
  const ran: [string, number][] = []
  const start = clock.now()
  clock.every(1_000, () => ran.push(['a', clock.now() - start]))
  const stop = clock.every(1_500, () => ran.push(['b', clock.now() - start]))
  clock.advance(3_000)
  expect(ran).toEqual([
    ['a', 1_000],
    ['b', 1_500],
    ['a', 2_000],
    ['a', 3_000],
    ['b', 3_000],
  ])
  stop()
  clock.advance(1_500)
  expect(ran.length).toBe(6)
  expect(clock.now() - start).toBe(4_500)
})
