import { expect, test } from 'vitest'
import { parseRates, rateText } from './rates.ts'

test.each([
  ['10 per second', [{ count: 10, windowMs: 1_000 }]],
  ['10/second', [{ count: 10, windowMs: 1_000 }]],
  ['1 / Minutes', [{ count: 1, windowMs: 60_000 }]],
  ['3 per hours', [{ count: 3, windowMs: 3_600_000 }]],
  ['1000000000 per day', [{ count: 1_000_000_000, windowMs: 86_400_000 }]],
  ['5 per 2 minutes', [{ count: 5, windowMs: 120_000 }]],
  ['5 per 31 days', [{ count: 5, windowMs: 31 * 86_400_000 }]],
  [
    ' 10 per second ;1000 per day',
    [
      { count: 10, windowMs: 1_000 },
      { count: 1_000, windowMs: 86_400_000 },
    ],
  ],
])('"%s" is a limit', (text, rates) => {
  expect(parseRates(text)).toEqual(rates)
})

test.each([
  ['', '"" is no limit; write it as 10 per second, or 1000 per day'],
  ['10', '"10" is no limit; write it as 10 per second, or 1000 per day'],
  ['10 per second;', '"" is no limit; write it as 10 per second, or 1000 per day'],
  ['ten per second', '"ten per second" is no limit; write it as 10 per second, or 1000 per day'],
  ['10per second', '"10per second" is no limit; write it as 10 per second, or 1000 per day'],
  ['-1 per second', '"-1 per second" is no limit; write it as 10 per second, or 1000 per day'],
  ['1.5 per second', '"1.5 per second" is no limit; write it as 10 per second, or 1000 per day'],
  ['10 per week', '"10 per week" is no limit; write it as 10 per second, or 1000 per day'],
  ['0 per second', '"0 per second" must let from 1 to 1000000000 through'],
  ['1000000001 per second', '"1000000001 per second" must let from 1 to 1000000000 through'],
  ['1 per 0 seconds', '"1 per 0 seconds" must be per 1 second at least and 31 days at most'],
  ['1 per 32 days', '"1 per 32 days" must be per 1 second at least and 31 days at most'],
  ['1 per second; 2 per 1 second', 'two limits are per second; keep the smaller one'],
  ['1/second; 1/minute; 1/hour; 1/day; 1 per 2 days', 'there are 5 limits, and at most 4 may be joined'],
])('"%s" is none, and it is said why', (text, problem) => {
  expect(parseRates(text)).toBe(problem)
})

test.each([
  ['10/second', '10 per second'],
  ['1 per 90 seconds', '1 per 90 seconds'],
  ['1 per 60 seconds', '1 per minute'],
  ['7 per 120 minutes', '7 per 2 hours'],
  ['7 per day', '7 per day'],
])('"%s" reads "%s"', (text, shown) => {
  const rates = parseRates(text)
  expect(typeof rates === 'string' ? rates : rates.map(rateText)).toEqual([shown])
})
