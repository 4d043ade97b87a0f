import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Meter, newMeter, RATE_ALGORITHMS, type RateAlgorithm, SLICES } from './rate-meter.ts'
import type { Rate } from './rates.ts'

const SLOT = 5

interface Use {
  readonly at: number
  readonly cost: number
}

/** Asks at the given times and returns what was let through. */
function usesLetThrough(meter: Meter, asked: readonly Use[]): Use[] {
  return asked.filter(({ at, cost }) => {
    if (meter.waitMs(SLOT, cost, at) > 0) return false
    meter.take(SLOT, cost, at)
    return true
  })
}

const sumOf = (uses: readonly Use[]): number => uses.reduce((sum, { cost }) => sum + cost, 0)

const rates = fc.record({ count: fc.integer({ min: 1, max: 100 }), windowMs: fc.integer({ min: 1_000, max: 60_000 }) })

/** A rate and requests at rising times, dense enough to meet it. */
const scripts = rates.chain((rate) =>
  fc.record({
    rate: fc.constant(rate),
    asked: fc
      .array(
        fc.record({
          gap: fc.oneof(
            fc.constant(0),
            fc.double({ min: 0, max: (4 * rate.windowMs) / rate.count, noNaN: true }),
            fc.integer({ min: 0, max: 2 * rate.windowMs }),
          ),
          cost: fc.oneof({ arbitrary: fc.constant(1), weight: 3 }, fc.integer({ min: 1, max: rate.count })),
        }),
        { minLength: 1, maxLength: 300, size: 'max' },
      )
      .map((steps) => {
        let at = 1_000
        return steps.map(({ gap, cost }): Use => {
          at += gap
          return { at, cost }
        })
      }),
  }),
)

describe('a sliding window', () => {
  test('lets no more than its count through in any window, wherever it begins', () => {
    fc.assert(
      fc.property(scripts, ({ rate, asked }) => {
        const passed = usesLetThrough(newMeter('sliding-window', rate), asked)
        for (const { at } of passed) {
          const inWindow = passed.filter((use) => use.at >= at && use.at < at + rate.windowMs)
          expect(sumOf(inWindow)).toBeLessThanOrEqual(rate.count)
        }
      }),
    )
  })

  test('refuses nothing that fits, up to 32 uses exactly, and beyond to a 32nd of the window', () => {
    fc.assert(
      fc.property(scripts, ({ rate, asked }) => {
        const meter = newMeter('sliding-window', rate)
        const passed: Use[] = []
        const rememberedMs = rate.windowMs + (rate.count > SLICES ? rate.windowMs / SLICES : 0)
        for (const use of asked) {
          const [isPassed] = usesLetThrough(meter, [use])
          const recent = passed.filter(({ at }) => at + rememberedMs > use.at)
          if (isPassed === undefined) expect(sumOf(recent) + use.cost).toBeGreaterThan(rate.count)
          else passed.push(use)
        }
      }),
    )
  })
})

describe('uses that come close together in a sliding window', () => {
  test('are told apart while 32 are the most', () => {
    const meter = newMeter('sliding-window', { count: 32, windowMs: 3_200 })
    for (let nth = 0; nth < 32; nth++) meter.take(SLOT, 1, 1_000 + nth)
    expect(meter.remaining(SLOT, 4_199.9)).toBe(0)
    expect([0, 1, 30, 31].map((nth) => meter.remaining(SLOT, 4_200 + nth))).toEqual([1, 2, 31, 32])
  })

  test('are one with a greater count, for a 32nd of the window, and count until the last of them ends', () => {
    const meter = newMeter('sliding-window', { count: 33, windowMs: 3_200 })
    for (const at of [1_000, 1_099.9, 1_100]) meter.take(SLOT, 1, at)
    expect([4_200, 4_299.8, 4_299.9, 4_300].map((at) => meter.remaining(SLOT, at))).toEqual([30, 30, 32, 33])
  })
})

describe('a fixed window', () => {
  test('lets its count through in each window, which begins with its first use', () => {
    fc.assert(
      fc.property(scripts, ({ rate, asked }) => {
        const meter = newMeter('fixed-window', rate)
        let endsAt = 0
        let used = 0
        for (const use of asked) {
          if (use.at >= endsAt) used = 0
          const fits = used + use.cost <= rate.count
          expect(usesLetThrough(meter, [use])).toHaveLength(fits ? 1 : 0)
          if (!fits) continue
          if (use.at >= endsAt) endsAt = use.at + rate.windowMs
          used += use.cost
        }
      }),
    )
  })
})

describe('a token bucket', () => {
  test('lets no more through than its count and what flowed in since, and refuses nothing that is in it', () => {
    fc.assert(
      fc.property(scripts, ({ rate, asked }) => {
        const meter = newMeter('token-bucket', rate)
        const passed: Use[] = []
        let tokens = rate.count
        let last = 0
        for (const use of asked) {
          tokens = Math.min(rate.count, tokens + ((use.at - last) * rate.count) / rate.windowMs)
          last = use.at
          const [isPassed] = usesLetThrough(meter, [use])
          if (isPassed === undefined) expect(use.cost).toBeGreaterThan(tokens)
          else {
            passed.push(use)
            tokens -= use.cost
          }
        }
        for (const [first, { at: from }] of passed.entries()) {
          let taken = 0
          for (const { at, cost } of passed.slice(first)) {
            taken += cost
            if (taken > rate.count + ((at - from) * rate.count) / rate.windowMs + 1e-3) expect.fail('too much at once')
          }
        }
      }),
    )
  })

  test('keeps its rate where a token is worth less than the clock can tell', () => {
    const meter = newMeter('token-bucket', { count: 1_000_000_000, windowMs: 1_000 })
    const now = 1_700_000_000_000
    for (let taken = 0; taken < 1_000; taken++) meter.take(SLOT, 1_000, now)
    expect(meter.remaining(SLOT, now)).toBe(999_000_000)
    expect(meter.resetMs(SLOT, now)).toBeCloseTo(1, 9)
  })
})

describe.each(RATE_ALGORITHMS)('%s', (algorithm: RateAlgorithm) => {
  test('what it tells to wait is enough, and less is not', () => {
    fc.assert(
      fc.property(scripts, fc.integer({ min: 1, max: 100 }), ({ rate, asked }, wanted) => {
        const meter = newMeter(algorithm, rate)
        usesLetThrough(meter, asked)
        const now = asked.at(-1)?.at ?? 0
        const cost = Math.min(wanted, rate.count)
        const waitMs = meter.waitMs(SLOT, cost, now)
        fc.pre(waitMs > 0.1)
        expect(waitMs).toBeLessThanOrEqual(rate.windowMs + 1e-6)
        expect(meter.waitMs(SLOT, cost, now + waitMs - 0.1)).toBeGreaterThan(0)
        expect(meter.waitMs(SLOT, cost, now + waitMs + 1e-6)).toBe(0)
      }),
    )
  })

  test('remaining is what may be taken, and no more', () => {
    fc.assert(
      fc.property(scripts, ({ rate, asked }) => {
        const meter = newMeter(algorithm, rate)
        usesLetThrough(meter, asked)
        const now = asked.at(-1)?.at ?? 0
        const remaining = meter.remaining(SLOT, now)
        expect(Number.isInteger(remaining)).toBe(true)
        if (remaining > 0) expect(meter.waitMs(SLOT, remaining, now)).toBe(0)
        if (remaining < rate.count) expect(meter.waitMs(SLOT, remaining + 1, now)).toBeGreaterThan(0)
      }),
    )
  })

  test('once reset, a slot is as if unused, and not before', () => {
    fc.assert(
      fc.property(scripts, ({ rate, asked }) => {
        const meter = newMeter(algorithm, rate)
        usesLetThrough(meter, asked)
        const now = asked.at(-1)?.at ?? 0
        const resetMs = meter.resetMs(SLOT, now)
        expect(resetMs).toBeGreaterThan(0)
        expect(meter.remaining(SLOT, now)).toBeLessThan(rate.count)
        const after = now + resetMs + 1e-6
        expect(meter.resetMs(SLOT, after)).toBe(0)
        expect(meter.remaining(SLOT, after)).toBe(rate.count)
      }),
    )
  })

  test('slots do not know of each other, and a copy goes its own way', () => {
    const rate: Rate = { count: 3, windowMs: 1_000 }
    const meter = newMeter(algorithm, rate)
    const now = 10
    meter.take(1, 2, now)
    meter.take(5_000, 1, now)
    meter.copy(1, 5_000)
    meter.take(1, 1, now)
    expect([0, 1, 2, 5_000].map((slot) => meter.remaining(slot, now))).toEqual([3, 0, 3, 1])
  })
})

test('a sliding window of a great count remembers any number of uses in as little memory', () => {
  const meter = newMeter('sliding-window', { count: 1_000_000, windowMs: 1_000 })
  let passed = 0
  for (let at = 1; at < 5_000; at += 0.25) {
    if (meter.waitMs(SLOT, 100, at) > 0) continue
    meter.take(SLOT, 100, at)
    passed += 100
  }
  expect(passed).toBe(20_000 * 100 - 400)
})
