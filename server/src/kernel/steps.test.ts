import { expect, test } from 'vitest'
import { ManualClock } from './clock.ts'
import { STEPS, Steps } from './steps.ts'

test('each lap belongs to its step, a step that comes twice adds up, and what is skipped is in the total alone', () => {
  const clock = new ManualClock(1_000)
  const steps = new Steps(() => clock.elapsedMs())
  const spend = (ms: number) => clock.advance(ms)
  spend(1)
  steps.lap('read')
  spend(2)
  steps.lap('venue')
  spend(4)
  steps.skip()
  spend(8)
  steps.lap('venue')
  expect(Object.fromEntries(STEPS.map((step) => [step, steps[step]]))).toEqual({
    read: 1,
    authenticate: 0,
    validate: 0,
    risk: 0,
    venue: 10,
    journal: 0,
    serialise: 0,
  })
  expect(steps.totalMs()).toBe(15)
})
