import { expect, it } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { PULSE_STALLED_MS, Pulse } from './pulse.ts'

function start() {
  const clock = new ManualClock(1_790_000_000_000)
  const asked: PromiseWithResolvers<string | undefined>[] = []
  const ask = () => {
    const question = Promise.withResolvers<string | undefined>()
    asked.push(question)
    return question.promise
  }
  const pulse = new Pulse({ clock, intervalMs: 1_000, ask })
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve))
  return { clock, asked, pulse, settled }
}

it('asks at once and then regularly, one question at a time', async () => {
  const { clock, asked, pulse, settled } = start()
  expect(asked).toHaveLength(1)
  clock.advance(5_000)
  expect(asked).toHaveLength(1)
  asked[0]?.resolve(undefined)
  await settled()
  clock.advance(1_000)
  expect(asked).toHaveLength(2)
  asked[1]?.resolve(undefined)
  await settled()
  pulse.close()
  clock.advance(5_000)
  expect(asked).toHaveLength(2)
})

it('knows how long the last answer took, and that one is out for longer', async () => {
  const { clock, asked, pulse, settled } = start()
  expect(pulse.lagMs).toBe(0)
  clock.advance(40)
  expect(pulse.lagMs).toBe(40)
  asked[0]?.resolve(undefined)
  await settled()
  clock.moveTo(clock.now() + 960)
  expect(asked).toHaveLength(2)
  expect(pulse.lagMs).toBe(40)
  clock.advance(100)
  expect(pulse.lagMs).toBe(100)
})

it('knows what is wrong until the next answer is right', async () => {
  const { clock, asked, pulse, settled } = start()
  asked[0]?.resolve('closed')
  await settled()
  expect(pulse.problem).toBe('closed')
  clock.advance(1_000)
  expect(pulse.problem).toBe('closed')
  asked[1]?.reject(new Error('gone'))
  await settled()
  expect(pulse.problem).toBe('gone')
  clock.advance(1_000)
  asked[2]?.resolve(undefined)
  await settled()
  expect(pulse.problem).toBeUndefined()
})

it('takes no answer for too long as a problem, and a late one as the end of it', async () => {
  const { clock, asked, pulse, settled } = start()
  clock.advance(PULSE_STALLED_MS)
  expect(pulse.problem).toBeUndefined()
  clock.advance(1)
  expect(pulse.problem).toBe('no answer for 10 s')
  asked[0]?.resolve(undefined)
  await settled()
  expect(pulse.problem).toBeUndefined()
})
