import { expect, it } from 'vitest'
import { ManualClock } from './clock.ts'
import { withDeadline } from './deadline.ts'

const late = () => new Error('late')

it('gives what the work gives, and leaves no timer behind', async () => {
  const clock = new ManualClock(0)
  expect(await withDeadline(clock, 1_000, async () => 5, late)).toBe(5)
  await expect(withDeadline(clock, 1_000, () => Promise.reject(new TypeError('no')), late)).rejects.toThrow(TypeError)
  clock.advance(5_000) // a timer that was left would reject here, unheard
})

it('gives up when time is up, not before, and tells the work', async () => {
  const clock = new ManualClock(0)
  const signals: AbortSignal[] = []
  const endless = new Promise<never>(() => {})
  const answer = withDeadline(
    clock,
    1_000,
    (signal) => {
      signals.push(signal)
      return endless
    },
    late,
  )
  const refused = expect(answer).rejects.toThrow('late')
  clock.advance(900)
  expect(signals[0]?.aborted).toBe(false)
  clock.advance(100)
  await refused
  expect(signals[0]?.aborted).toBe(true)
})
