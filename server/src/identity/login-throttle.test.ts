import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { CODE_FAILURES_MAX, CodeLimit } from './code-limit.ts'
import { ENTRIES_MAX, FailureCounts } from './failure-counts.ts'
import {
  FAILURES_OF_ATTACKED_NAME,
  FORGOTTEN_MS,
  FREE_TRIES,
  FREE_TRIES_OF_ADDRESS,
  LoginThrottle,
  WAIT_MS_MAX,
} from './login-throttle.ts'
import type { User } from './users.ts'

let clock: ManualClock
let throttle: LoginThrottle
beforeEach(() => {
  clock = new ManualClock(1_700_000_000_000)
  throttle = new LoginThrottle(clock, new FailureCounts())
})

/** Seconds to wait before the next try; 0 when it was let through, and failed. */
function fail(name: string, address: string): number {
  return waitOf(() => throttle.attempt(name, undefined, address))
}

function waitOf(act: () => unknown): number {
  try {
    act()
    return 0
  } catch (error) {
    if (error instanceof Refusal && error.code === 'login_locked') return Number(error.extra['retry_after'])
    throw error
  }
}

test('a name may fail a few times; then each failure doubles the wait, up to a quarter of an hour', () => {
  for (let tries = 0; tries < FREE_TRIES; tries += 1) expect(fail('asha', '192.0.2.1')).toBe(0)
  const waits: number[] = []
  for (let tries = 0; tries < 11; tries += 1) {
    const wait = fail('asha', '192.0.2.1')
    waits.push(wait)
    clock.advance(wait * 1000 - 1)
    expect(fail('asha', '192.0.2.1')).toBe(1)
    clock.advance(1)
    expect(fail('asha', '192.0.2.1')).toBe(0)
  }
  expect(waits).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900])
  expect(WAIT_MS_MAX).toBe(900_000)
})

test('who is locked here is not locked elsewhere, and others are not locked here', () => {
  for (let tries = 0; tries < FREE_TRIES; tries += 1) fail('asha', '192.0.2.1')
  expect(fail(' ASHA ', '192.0.2.1')).toBeGreaterThan(0)
  expect(fail('asha', '192.0.2.2')).toBe(0)
  expect(fail('ravi', '192.0.2.1')).toBe(0)
})

describe('a user of two names', () => {
  const ASHA = { id: 'usr_a', name: 'asha', email: 'asha@example.com' }
  const NAMES = [ASHA.name, ASHA.email] as const
  /** Seconds to wait, or whether a try that was let through must fail whatever it is. */
  const outcome = (name: string, address = '192.0.2.1', id: string | undefined = ASHA.id): number | boolean => {
    let isTooSoon = false
    const wait = waitOf(() => {
      isTooSoon = throttle.attempt(name, id, address).isTooSoon
    })
    return wait > 0 ? wait : isTooSoon
  }

  test('has no more tries by both than by one, and is told to wait for the name that failed alone', () => {
    for (let tries = 0; tries < FREE_TRIES; tries += 1) expect(outcome(NAMES[tries % 2] ?? '')).toBe(false)
    const [name, email] = NAMES
    expect([name, email, email].map((each) => outcome(each))).toEqual([true, true, true])
    expect([name, email].map((each) => outcome(each))).toEqual([2, 2])
  })

  test('waits no longer for tries that came too soon, and none elsewhere', () => {
    for (let tries = 0; tries < FREE_TRIES + 1; tries += 1) {
      expect(outcome('asha')).toBe(false)
      clock.advance(tries < FREE_TRIES - 1 ? 0 : 2_000)
    }
    expect(outcome('asha@example.com')).toBe(true)
    clock.advance(1_999)
    expect(outcome('ASHA@example.com')).toBe(true)
    expect(outcome('asha@example.com', '192.0.2.2')).toBe(false)
    clock.advance(1)
    expect(outcome(' asha@Example.com ')).toBe(false)
  })

  test('that fails everywhere by either has one try at each address, by both together', () => {
    for (let tries = 0; tries < FAILURES_OF_ATTACKED_NAME; tries += 1)
      expect(outcome(NAMES[tries % 2] ?? '', `198.51.100.${tries}`)).toBe(false)
    for (let address = 0; address < 50; address += 1) {
      expect(outcome(NAMES[address % 2] ?? '', `203.0.113.${address}`)).toBe(false)
      expect(outcome(NAMES[(address + 1) % 2] ?? '', `203.0.113.${address}`)).toBe(true)
    }
  })

  test('who is signed in, or had the password right, has the same tries and is told to wait for each name', () => {
    const proved = () => waitOf(() => throttle.attemptOf(ASHA as User, '192.0.2.1'))
    expect(outcome('asha@example.com')).toBe(false)
    expect([proved(), proved(), proved()]).toEqual([0, 0, 2])
    expect([outcome('asha'), outcome('asha@example.com')]).toEqual([true, 2])
  })

  test('is told nothing that two names of nobody are not told', () => {
    const steps = fc.array(fc.tuple(fc.nat(1), fc.nat(3), fc.constantFrom(0, 500, 2_000, 60_000)), { maxLength: 120 })
    fc.assert(
      fc.property(steps, (tries) => {
        const told = (id: string | undefined) => {
          clock = new ManualClock(1_700_000_000_000)
          throttle = new LoginThrottle(clock, new FailureCounts())
          return tries.map(([name, address, wait]) => {
            clock.advance(wait)
            const seen = outcome(NAMES[name] ?? '', `198.51.100.${address}`, id)
            return seen === true ? false : seen // as a wrong password, which each of these is
          })
        }
        expect(told(ASHA.id)).toEqual(told(undefined))
      }),
      { numRuns: 100 },
    )
  })

  test('gets no try from an address beyond those of one name there', () => {
    const steps = fc.array(fc.tuple(fc.nat(1), fc.constantFrom(0, 500, 2_000, 60_000)), { maxLength: 120 })
    fc.assert(
      fc.property(steps, (tries) => {
        const examined = (nameOf: (name: number) => string) => {
          clock = new ManualClock(1_700_000_000_000)
          throttle = new LoginThrottle(clock, new FailureCounts())
          return tries.filter(([name, wait]) => {
            clock.advance(wait)
            return outcome(nameOf(name)) === false
          }).length
        }
        expect(examined((name) => NAMES[name] ?? '')).toBeLessThanOrEqual(examined(() => 'asha'))
      }),
      { numRuns: 100 },
    )
  })
})

test('tries that name nobody count for their address alone, with the names that fail there', () => {
  const at = (address: string) => waitOf(() => throttle.attemptAt(address))
  for (let tries = 1; tries < FREE_TRIES_OF_ADDRESS; tries += 1) expect(at('2001:db8::1')).toBe(0)
  throttle.attemptAt('2001:db8::1').undone()
  expect(fail('asha', '2001:db8::2')).toBe(0)
  expect([at('2001:db8::3'), fail('ravi', '2001:db8::3'), at('2001:db9::3')]).toEqual([2, 2, 0])
  clock.advance(2_000)
  expect([at('2001:db8::4'), at('2001:db8::4')]).toEqual([0, 4])
})

test('an address that fails with many names must wait with all of them', () => {
  for (let tries = 0; tries < FREE_TRIES_OF_ADDRESS; tries += 1) expect(fail(`name-${tries}`, '192.0.2.1')).toBe(0)
  expect(fail('somebody-else', '192.0.2.1')).toBe(2)
  expect(fail('somebody-else', '192.0.2.2')).toBe(0)
})

test('an IPv6 network of 64 bits is one address', () => {
  for (let tries = 0; tries < FREE_TRIES; tries += 1) fail('asha', `2001:db8:1:2::${tries}`)
  expect(fail('asha', '2001:db8:1:2:ffff::9')).toBe(2)
  expect(fail('asha', '2001:db8:1:3::1')).toBe(0)
})

test('a name that fails everywhere gives each address one try, and then a minute to wait; never less than one try', () => {
  for (let tries = 0; tries < FAILURES_OF_ATTACKED_NAME; tries += 1) fail('asha', `198.51.100.${tries}`)
  for (let address = 0; address < 200; address += 1) expect(fail('asha', `203.0.113.${address}`)).toBe(0)
  expect(fail('asha', '203.0.113.7')).toBe(60)
  expect(fail('ravi', '203.0.113.7')).toBe(0)
})

test('whatever anybody does elsewhere, the first try from an address that has not failed passes', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2), fc.nat(9), fc.nat(120_000)), { maxLength: 300 }), (tries) => {
      throttle = new LoginThrottle(clock, new FailureCounts())
      for (const [name, address, wait] of tries) {
        fail(`name-${name}`, `198.51.100.${address}`)
        clock.advance(wait)
      }
      for (const name of [0, 1, 2]) expect(fail(`name-${name}`, '203.0.113.1')).toBe(0)
    }),
    { numRuns: 50 },
  )
})

test('tries that are under way count, so that many at once do not pass', () => {
  const passed = Array.from({ length: 30 }, () => fail('asha', '192.0.2.1')).filter((wait) => wait === 0)
  expect(passed).toHaveLength(FREE_TRIES)
})

test('a success forgets the failures of the name here, not those of the address', () => {
  for (let tries = 0; tries < FREE_TRIES - 1; tries += 1) fail('asha', '192.0.2.1')
  throttle.attempt('asha', undefined, '192.0.2.1').succeeded()
  for (let tries = 0; tries < FREE_TRIES; tries += 1) expect(fail('asha', '192.0.2.1')).toBe(0)
  const others = FREE_TRIES_OF_ADDRESS - (2 * FREE_TRIES - 1)
  for (let tries = 0; tries < others; tries += 1) expect(fail(`name-${tries}`, '192.0.2.1')).toBe(0)
  expect(fail('another', '192.0.2.1')).toBe(2)
})

test('any number of successes costs an address nothing', () => {
  for (let tries = 0; tries < 100; tries += 1) throttle.attempt(`name-${tries}`, undefined, '192.0.2.1').succeeded()
  for (let tries = 0; tries < FREE_TRIES; tries += 1) expect(fail('asha', '192.0.2.1')).toBe(0)
})

test('a try that was cut short counts for nothing', () => {
  for (let tries = 0; tries < 100; tries += 1) throttle.attempt('asha', undefined, '192.0.2.1').undone()
  for (let tries = 0; tries < FREE_TRIES; tries += 1) expect(fail('asha', '192.0.2.1')).toBe(0)
  expect(fail('asha', '192.0.2.1')).toBe(2)
})

test('failures are forgotten after an hour without one', () => {
  for (let tries = 0; tries < 2 * FREE_TRIES; tries += 1) {
    fail('asha', '192.0.2.1')
    clock.advance(60_000)
  }
  clock.advance(FORGOTTEN_MS)
  for (let tries = 0; tries < FREE_TRIES; tries += 1) expect(fail('asha', '192.0.2.1')).toBe(0)
})

test('memory is bounded: who failed longest ago makes room', () => {
  for (let tries = 0; tries < FREE_TRIES; tries += 1) fail('asha', '192.0.2.1')
  for (let entry = 0; entry < ENTRIES_MAX - 1; entry += 1)
    fail(`name-${entry}`, `10.${entry >> 16}.${(entry >> 8) & 255}.${entry & 255}`)
  expect(fail('asha', '192.0.2.1')).toBe(2)
  fail('last', '10.255.255.254')
  expect(fail('asha', '192.0.2.1')).toBe(0)
})

describe('codes of one user', () => {
  test('may fail thirty times a day, wherever from', () => {
    const limit = new CodeLimit(clock, new FailureCounts())
    for (let tries = 0; tries < CODE_FAILURES_MAX; tries += 1) expect(waitOf(() => limit.attempt('usr_a'))).toBe(0)
    clock.advance(60_000)
    expect(waitOf(() => limit.attempt('usr_a'))).toBe(86_400 - 60)
    expect(waitOf(() => limit.attempt('usr_b'))).toBe(0)
    clock.advance(86_400_000 - 60_001)
    expect(waitOf(() => limit.attempt('usr_a'))).toBe(1)
    clock.advance(1)
    expect(waitOf(() => limit.attempt('usr_a'))).toBe(0)
  })

  test('start again after a right one', () => {
    const limit = new CodeLimit(clock, new FailureCounts())
    for (let tries = 0; tries < 10 * CODE_FAILURES_MAX; tries += 1) {
      limit.attempt('usr_a')
      if (tries % CODE_FAILURES_MAX === CODE_FAILURES_MAX - 1) limit.succeeded('usr_a')
    }
  })
})
