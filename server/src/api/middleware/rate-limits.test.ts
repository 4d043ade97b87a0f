import { beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { ownerOf } from '../../kernel/networks.ts'
import type { Verdict } from '../../kernel/rate-limiter.ts'
import { parseRates, type Rate } from '../../kernel/rates.ts'
import { errorAnswer } from '../errors.ts'
import { type RateLimitSettings, RateLimits, rateLimitHeaders, rateLimitRefusal } from './rate-limits.ts'

function rates(text: string): readonly Rate[] {
  const read = parseRates(text)
  if (typeof read === 'string') throw new Error(read)
  return read
}

const SETTINGS: RateLimitSettings = {
  rateLimitAlgorithm: 'sliding-window',
  addressRateLimit: rates('9 per second'),
  apiRateLimit: rates('8 per second'),
  heavyRateLimit: rates('7 per minute'),
  orderRateLimit: rates('6 per second'),
  smartOrderRateLimit: rates('4 per second'),
  loginRateLimit: rates('3 per minute; 5 per hour'),
  resetRateLimit: rates('2 per hour'),
}

let clock: ManualClock
let limits: RateLimits
beforeEach(() => {
  clock = new ManualClock(1_000)
  limits = new RateLimits(SETTINGS, clock)
})

/** How many of 20 such requests pass. */
const passing = (ask: () => Verdict): number => Array.from({ length: 20 }, ask).filter(({ allowed }) => allowed).length

test.each([
  ['read', 8],
  ['heavy', 7],
  ['order', 6],
  ['smart-order', 4],
  ['login', 3],
  ['reset', 2],
] as const)('requests of class %s have the limit of its setting', (rateClass, count) => {
  expect(passing(() => limits.admit(rateClass, 'key_a'))).toBe(count)
  expect(passing(() => limits.admit(rateClass, 'key_b'))).toBe(count)
})

test('an address has the limit of its setting, whatever it asks for', () => {
  expect(passing(() => limits.admitAddress('192.0.2.1'))).toBe(9)
  expect(passing(() => limits.admitAddress('192.0.2.2'))).toBe(9)
})

test('all parts of a limit hold', () => {
  expect(passing(() => limits.admit('login', '192.0.2.1'))).toBe(3)
  clock.advance(60_000)
  expect(passing(() => limits.admit('login', '192.0.2.1'))).toBe(2)
})

test.each([
  ['fixed-window', 6],
  ['sliding-window', 1],
  ['token-bucket', 3],
] as const)('%s counts as it says', (rateLimitAlgorithm, count) => {
  limits = new RateLimits({ ...SETTINGS, rateLimitAlgorithm }, clock)
  limits.admit('order', 'key_a')
  clock.advance(500)
  expect(passing(() => limits.admit('order', 'key_a'))).toBe(rateLimitAlgorithm === 'token-bucket' ? 6 : 5)
  clock.advance(500)
  expect(passing(() => limits.admit('order', 'key_a'))).toBe(count)
})

describe('smart orders', () => {
  test('draw on the budget of all orders too', () => {
    expect(passing(() => limits.admit('order', 'key_a'))).toBe(6)
    expect(limits.admit('smart-order', 'key_a')).toMatchObject({ allowed: false, limit: { name: 'order' } })
  })

  test('leave the budget of all orders alone when their own is used up', () => {
    expect(passing(() => limits.admit('smart-order', 'key_a'))).toBe(4)
    expect(passing(() => limits.admit('order', 'key_a'))).toBe(2)
  })

  test('leave their own budget alone when that of all orders is used up', () => {
    limits = new RateLimits({ ...SETTINGS, orderRateLimit: rates('2 per second') }, clock)
    limits.admit('order', 'key_a', 2)
    expect(passing(() => limits.admit('smart-order', 'key_a'))).toBe(0)
    clock.advance(1_000)
    expect(limits.admit('smart-order', 'key_a', 2)).toMatchObject({ allowed: true })
  })

  test('tell both limits, and of the two the one that ends first', () => {
    const verdict = limits.admit('smart-order', 'key_a')
    expect(rateLimitHeaders(verdict)).toEqual({
      'ratelimit-policy': '"order";q=6;w=1, "smart-order";q=4;w=1',
      ratelimit: '"smart-order";r=3;t=1',
    })
    limits.admit('order', 'key_a', 4)
    expect(rateLimitHeaders(limits.admit('smart-order', 'key_a')).ratelimit).toBe('"order";r=0;t=1')
  })
})

test('legs count', () => {
  expect(limits.admit('order', 'key_a', 4)).toMatchObject({ allowed: true, remaining: 2 })
  expect(limits.admit('order', 'key_a', 3)).toMatchObject({ allowed: false, remaining: 2 })
  expect(limits.admit('order', 'key_a', 2)).toMatchObject({ allowed: true, remaining: 0 })
})

test('legs that come after the first was paid for pass together with it or not at all', () => {
  expect(limits.admit('order', 'key_a').allowed).toBe(true)
  expect(limits.admit('order', 'key_a', 5, 1)).toMatchObject({ allowed: true, remaining: 0 })
  expect(limits.admit('order', 'key_a', 5, 1)).toMatchObject({ allowed: false, retryAfterMs: 1_000, cost: 6 })
})

test('more legs than pass at once pass when nothing else was asked for, and what follows waits for them', () => {
  expect(limits.admit('order', 'key_a').allowed).toBe(true)
  expect(limits.admit('order', 'key_a').allowed).toBe(true)
  expect(limits.admit('order', 'key_a', 16, 1)).toMatchObject({ allowed: false, retryAfterMs: 1_000, cost: 17 })
  clock.advance(1_000)
  expect(limits.admit('order', 'key_a').allowed).toBe(true)
  expect(limits.admit('order', 'key_a', 16, 1)).toMatchObject({ allowed: true, remaining: 0 })
  // 17 at 6 a second
  clock.advance(2_999)
  expect(limits.admit('order', 'key_a')).toMatchObject({ allowed: false, retryAfterMs: 1 })
  clock.advance(1)
  expect(limits.admit('order', 'key_a')).toMatchObject({ allowed: true, remaining: 5 })
})

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['key_abc', 'key_abc'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
  ['2001:db8::6', '2001:db8:0:0::/64'],
  ['2001:db8::5:6:7:8:9', '2001:db8:0:5::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['fe80::', 'fe80:0:0:0::/64'],
])('%s draws on the budget of %s', (who, owner) => {
  expect(ownerOf(who)).toBe(owner)
})

test('a network of IPv6 is one client', () => {
  let next = 1
  expect(passing(() => limits.admitAddress(`2001:db8::${(next++).toString(16)}`))).toBe(9)
  expect(limits.admitAddress('2001:db8::ffff').allowed).toBe(false)
  expect(limits.admit('login', '2001:db8::1', 3).allowed).toBe(true)
  expect(limits.admit('login', '2001:db8::2').allowed).toBe(false)
  expect(limits.admitAddress('2001:db8:0:1::1').allowed).toBe(true)
})

test('headers name the limits, what is left, and the seconds until they are whole, rounded up', () => {
  expect(rateLimitHeaders(limits.admit('login', '192.0.2.1'))).toEqual({
    'ratelimit-policy': '"login-minute";q=3;w=60, "login-hour";q=5;w=3600',
    ratelimit: '"login-minute";r=2;t=60',
  })
  clock.advance(58_999)
  expect(rateLimitHeaders(limits.admit('login', '192.0.2.1', 2)).ratelimit).toBe('"login-minute";r=0;t=60')
  clock.advance(59_001)
  expect(rateLimitHeaders(limits.admit('login', '192.0.2.1', 2)).ratelimit).toBe('"login-minute";r=1;t=1')
})

test('a refusal says which limit and when to try again, in the body and in the header', () => {
  limits.admit('order', 'key_a', 6)
  clock.advance(10)
  const verdict = limits.admit('order', 'key_a')
  if (verdict.allowed) expect.fail('it should have been refused')
  const { status, headers, text } = errorAnswer(rateLimitRefusal(verdict), 'request-1')
  expect(status).toBe(429)
  expect(headers['retry-after']).toBe('1')
  expect(JSON.parse(text)).toEqual({
    code: 'rate_limited',
    message: 'Too many requests: the limit "order" lets 6 per second through. Try again in 1 second.',
    request_id: 'request-1',
    retry_after: 1,
    status: 'error',
  })
  expect(rateLimitHeaders(verdict).ratelimit).toBe('"order";r=0;t=1')
})

test('waiting as long as a refusal says is enough', () => {
  limits.admit('heavy', 'key_a', 7)
  clock.advance(12_345)
  const verdict = limits.admit('heavy', 'key_a', 2)
  if (verdict.allowed) expect.fail('it should have been refused')
  const refusal = rateLimitRefusal(verdict)
  expect(refusal.message).toBe(
    'Too many requests for one that counts as 2: the limit "heavy" lets 7 per minute through. Try again in 48 seconds.',
  )
  expect(refusal.extra).toEqual({ retry_after: 48 })
  clock.advance(48_000)
  expect(limits.admit('heavy', 'key_a', 2).allowed).toBe(true)
})

test('a refusal never says to try again at once', () => {
  limits.admit('order', 'key_a', 6)
  clock.advance(999.9999999)
  const verdict = limits.admit('order', 'key_a')
  if (verdict.allowed) expect.fail('it should have been refused')
  expect(rateLimitRefusal(verdict).extra).toEqual({ retry_after: 1 })
})
