import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ManualClock } from './clock.ts'
import { RateLimiter } from './rate-limiter.ts'
import { RATE_ALGORITHMS } from './rate-meter.ts'
import { parseRates } from './rates.ts'

const START = 1_000

function limiterOf(text: string, more: Partial<ConstructorParameters<typeof RateLimiter>[0]> = {}) {
  const rates = parseRates(text)
  if (typeof rates === 'string') throw new Error(rates)
  const clock = new ManualClock(START)
  return { clock, limiter: new RateLimiter({ name: 'order', algorithm: 'sliding-window', rates, clock, ...more }) }
}

/** How many of so many requests that cost 1 pass. */
const passing = (limiter: RateLimiter, key: string, count: number): number =>
  Array.from({ length: count }, () => limiter.take(key)).filter(({ allowed }) => allowed).length

describe.each(RATE_ALGORITHMS)('%s', (algorithm) => {
  test('each key has its own budget', () => {
    const { limiter } = limiterOf('3 per second', { algorithm })
    expect(['a', 'b', 'a'].map((key) => passing(limiter, key, 5))).toEqual([3, 3, 0])
  })

  test('a verdict tells what is left and when it is whole again', () => {
    const { limiter, clock } = limiterOf('4 per second', { algorithm })
    expect(limiter.take('a')).toMatchObject({ allowed: true, remaining: 3, limit: { name: 'order', count: 4 } })
    expect(limiter.take('a', 3)).toMatchObject({
      allowed: true,
      remaining: 0,
      resetMs: 1_000,
      policy: '"order";q=4;w=1',
    })
    clock.advance(100)
    expect(limiter.take('a', 4)).toMatchObject({
      allowed: false,
      cost: 4,
      retryAfterMs: expect.closeTo(900, 6),
    })
    clock.advance(900)
    expect(limiter.take('a', 4).allowed).toBe(true)
  })

  test('all limits hold together, and a refused request takes from none', () => {
    const { limiter, clock } = limiterOf('2 per second; 3 per minute', { algorithm })
    expect(passing(limiter, 'a', 5)).toBe(2)
    clock.advance(1_000)
    // Had the three refused ones counted, the minute would be over
    expect(limiter.take('a', 2)).toMatchObject({ allowed: false, limit: { name: 'order-minute' }, remaining: 1 })
    expect(limiter.take('a')).toMatchObject({ allowed: true, limit: { name: 'order-minute' }, remaining: 0 })
    expect(limiter.ask('a')).toMatchObject({ allowed: false, limit: { name: 'order-minute' } })
  })

  test('what costs more than a limit passes when nothing of it is used, and is made up for', () => {
    const { limiter, clock } = limiterOf('100 per minute; 3 per second', { algorithm })
    expect(limiter.take('a').allowed).toBe(true)
    // A bucket has filled again before a window has passed
    const wholeMs = algorithm === 'token-bucket' ? 1_000 / 3 : 1_000
    expect(limiter.take('a', 7)).toMatchObject({
      allowed: false,
      cost: 7,
      retryAfterMs: expect.closeTo(wholeMs, 6),
      limit: { name: 'order-second', count: 3 },
    })
    clock.advance(1_000)
    expect(limiter.take('a')).toMatchObject({ allowed: true, remaining: 2 })
    expect(limiter.take('a', 6, 1)).toMatchObject({ allowed: true, remaining: 0, limit: { name: 'order-second' } })
    // 7 at 3 a second
    clock.advance(1_333)
    expect(limiter.take('a').allowed).toBe(false)
    const verdict = limiter.ask('a', 3)
    clock.advance(verdict.allowed ? expect.fail('it is owed') : verdict.retryAfterMs + 1e-6)
    expect(limiter.take('a', 3).allowed).toBe(true)
    expect(limiter.ask('a', 1, 0)).toMatchObject({ allowed: false })
  })

  test('no more passes on average than the limit says, whatever things cost', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ gap: fc.nat(1_500), cost: fc.integer({ min: 1, max: 20 }) }), { maxLength: 60 }),
        (steps) => {
          const { limiter, clock } = limiterOf('4 per second', { algorithm })
          let passed = 0
          for (const { gap, cost } of steps) {
            clock.advance(gap)
            if (!limiter.take('a', cost).allowed) continue
            // Whatever was owed was made up for before, and once the count may pass beyond that
            const windows = (clock.now() - START) / 1_000
            expect(passed).toBeLessThanOrEqual(4 * (windows + 1) + 1e-6)
            passed += cost
          }
        },
      ),
    )
  })

  test('what is refused for its cost passes once it has waited as long as it was told', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 20 }), (costs) => {
        const { limiter, clock } = limiterOf('4 per second', { algorithm })
        for (const cost of costs) {
          const verdict = limiter.take('a', cost)
          if (verdict.allowed) continue
          clock.advance(verdict.retryAfterMs + 1e-6)
          expect(limiter.take('a', cost).allowed).toBe(true)
        }
      }),
    )
  })

  test('asking takes nothing', () => {
    const { limiter } = limiterOf('2 per second', { algorithm })
    expect([1, 2, 3].map(() => limiter.ask('a', 2).allowed)).toEqual([true, true, true])
    expect(limiter.take('a')).toMatchObject({ remaining: 1 })
    expect(limiter.ask('a', 2)).toMatchObject({ allowed: false, remaining: 1 })
  })

  test('a clock that goes back gives nobody more', () => {
    const { limiter, clock } = limiterOf('3 per second', { algorithm })
    expect(passing(limiter, 'a', 3)).toBe(3)
    clock.moveTo(START - 900)
    expect(limiter.take('a')).toMatchObject({ allowed: false })
    expect(passing(limiter, 'b', 5)).toBe(3)
    clock.moveTo(START + 1_000)
    expect(passing(limiter, 'a', 5)).toBe(3)
  })

  test('what was used before a clock went back is not forgotten sooner for it', () => {
    const { limiter, clock } = limiterOf('100 per second', { algorithm })
    expect(limiter.take('a', 50).allowed).toBe(true)
    clock.moveTo(START - 500)
    expect(limiter.take('a', 50).allowed).toBe(true)
    clock.moveTo(START + 10)
    expect(limiter.take('a', 2).allowed).toBe(false)
    clock.moveTo(START + 501)
    expect(limiter.take('a', 100).allowed).toBe(false)
  })

  test('filling the memory with other keys gives nobody a fresh budget', () => {
    const { limiter, clock } = limiterOf('2 per minute', { algorithm, keysMax: 10 })
    expect(passing(limiter, 'victim', 3)).toBe(2)
    for (let n = 0; n < 5_000; n++) limiter.take(`flood-${n}`)
    expect(limiter.size).toBe(10)
    expect(limiter.take('victim').allowed).toBe(false)
    clock.advance(60_000)
    expect(passing(limiter, 'victim', 3)).toBe(2)
  })

  test('without room, further keys share a few budgets, and one that gets room keeps what it has used', () => {
    const { limiter, clock } = limiterOf('2 per minute', { algorithm, keysMax: 1 })
    expect(limiter.take('first').allowed).toBe(true)
    clock.advance(59_000)
    expect(passing(limiter, 'second', 3)).toBe(2)
    expect(limiter.size).toBe(1)
    const keys = Array.from({ length: 3_000 }, (_, n) => `further-${n}`)
    const passed = keys.filter((key) => limiter.take(key).allowed && limiter.take(key).allowed).length
    expect(passed).toBeLessThanOrEqual(1_024)
    expect(passed).toBeGreaterThan(500)
    clock.advance(1_000)
    expect(limiter.take('second').allowed).toBe(false)
    expect(limiter.size).toBe(1)
    clock.advance(59_000)
    expect(passing(limiter, 'second', 3)).toBe(2)
  })

  test('idle keys make room', () => {
    const { limiter, clock } = limiterOf('2 per second', { algorithm, keysMax: 100 })
    for (let n = 0; n < 100; n++) limiter.take(`old-${n}`)
    clock.advance(1_000)
    for (let n = 0; n < 100; n++) expect(passing(limiter, `new-${n}`, 3)).toBe(2)
    expect(limiter.size).toBeLessThanOrEqual(100)
    for (let n = 0; n < 100; n++) expect(limiter.take(`new-${n}`).allowed).toBe(false)
  })

  test('keys that come once do not stay', () => {
    const { limiter, clock } = limiterOf('2 per second', { algorithm })
    for (let n = 0; n < 20_000; n++) {
      limiter.take(`once-${n}`)
      clock.advance(10)
    }
    expect(limiter.size).toBeLessThan(300)
  })
})

test('with little room and much time, no key of many gets more than its limit in any window', () => {
  const keys = ['a', 'b', 'c', 'd', 'e']
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          gap: fc.constantFrom(0, 0, 1, 100, 400, 1_000),
          key: fc.constantFrom(...keys),
          cost: fc.integer({ min: 1, max: 2 }),
        }),
        { maxLength: 200, size: 'max' },
      ),
      fc.integer({ min: 1, max: 4 }),
      (steps, keysMax) => {
        const { limiter, clock } = limiterOf('3 per second; 5 per 3 seconds', { keysMax })
        const passed: { at: number; key: string; cost: number }[] = []
        for (const { gap, key, cost } of steps) {
          clock.advance(gap)
          if (limiter.take(key, cost).allowed) passed.push({ at: clock.now(), key, cost })
          expect(limiter.size).toBeLessThanOrEqual(keysMax)
        }
        for (const { at, key } of passed) {
          for (const [windowMs, count] of [
            [1_000, 3],
            [3_000, 5],
          ] as const) {
            const inWindow = passed.filter((use) => use.key === key && use.at >= at && use.at < at + windowMs)
            expect(inWindow.reduce((sum, { cost }) => sum + cost, 0)).toBeLessThanOrEqual(count)
          }
        }
      },
    ),
  )
})

test('with room, every key gets exactly its limit, however often keys come and go', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ gap: fc.constantFrom(0, 0, 0, 100, 300, 1_000), key: fc.integer({ min: 0, max: 9 }) }), {
        minLength: 50,
        maxLength: 300,
        size: 'max',
      }),
      (steps) => {
        const { limiter, clock } = limiterOf('2 per second')
        const passed: { at: number; key: number }[] = []
        for (const { gap, key } of steps) {
          clock.advance(gap)
          const at = clock.now()
          const recent = passed.filter((use) => use.key === key && use.at + 1_000 > at).length
          expect(limiter.take(`key-${key}`).allowed).toBe(recent < 2)
          if (recent < 2) passed.push({ at, key })
        }
      },
    ),
  )
})

test('of limits with as much left, the longest is told', () => {
  const { limiter } = limiterOf('2 per minute; 2 per hour; 2 per second')
  expect(limiter.policy).toBe('"order-minute";q=2;w=60, "order-hour";q=2;w=3600, "order-second";q=2;w=1')
  expect(limiter.take('a')).toMatchObject({ limit: { name: 'order-hour' }, remaining: 1 })
  expect(limiter.take('a')).toMatchObject({ limit: { name: 'order-hour' }, remaining: 0 })
  expect(limiter.take('a')).toMatchObject({ limit: { name: 'order-hour' }, retryAfterMs: 3_600_000 })
})

test.each([0, -1, 0.5, Number.NaN])('a cost of %s is a bug of the caller', (cost) => {
  const { limiter } = limiterOf('2 per second')
  expect(() => limiter.take('a', cost)).toThrow('a cost is a whole number above 0')
})
