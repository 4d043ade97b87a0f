import { describe, expect, test } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { type Quantity, quantityOf } from '../kernel/fixed.ts'
import { createCalendar, type Exchange, type Instrument, type Quote } from '../market/index.ts'
import { PREVIOUS_INTEREST_DEADLINE_MS, PREVIOUS_INTEREST_RETRY_MS, PreviousInterest } from './previous-interest.ts'

const calendar = createCalendar({ hours: 'exchange' })
const optionOf = (symbol: string, exchange: Exchange = 'NFO') => ({ symbol, exchange }) as Instrument
const quoteOf = (openInterest: Quantity) => ({ openInterest }) as Quote

type Answer = (instruments: readonly Instrument[], at: number) => Promise<(Quote | Error)[]>

function setUp(now: string, answer: Answer) {
  const clock = new ManualClock(now)
  const asked: [symbols: string, at: string][] = []
  const history = {
    quotes(instruments: readonly Instrument[], at = 0) {
      asked.push([instruments.map(({ symbol }) => symbol).join(' '), new Date(at).toISOString()])
      return answer(instruments, at)
    },
  }
  return { clock, asked, interest: new PreviousInterest({ history, calendar, clock }) }
}
const all =
  (units: number): Answer =>
  async (instruments) =>
    instruments.map(() => quoteOf(quantityOf(units)))

const [A, B] = [optionOf('A'), optionOf('B')]

describe('open interest of the session before', () => {
  test.each<[string, string, Exchange, string]>([
    ['of Thursday on Friday', '2026-11-20T12:00:00+05:30', 'NFO', '2026-11-19T15:39:59+05:30'],
    ['of Friday on Monday', '2026-11-23T12:00:00+05:30', 'NFO', '2026-11-20T15:39:59+05:30'],
    [
      'before the opening, that of the session before the last',
      '2026-11-23T09:00:00+05:30',
      'NFO',
      '2026-11-19T15:39:59+05:30',
    ],
    ['over a holiday', '2026-11-25T12:00:00+05:30', 'NFO', '2026-11-23T15:39:59+05:30'],
    ['of commodities', '2026-11-20T12:00:00+05:30', 'MCX', '2026-11-19T23:54:59+05:30'],
  ])('%s', async (_, now, exchange, at) => {
    const option = optionOf('A', exchange)
    const { interest, asked } = setUp(now, all(75))
    await interest.load(exchange, [option])
    expect(asked).toEqual([['A', new Date(at).toISOString()]])
    expect(interest.of(option)).toBe(quantityOf(75))
  })

  test('each is asked for once a day', async () => {
    let units = 75
    const { interest, asked, clock } = setUp('2026-11-19T12:00:00+05:30', (instruments, at) =>
      all(units)(instruments, at),
    )
    await interest.load('NFO', [A])
    await interest.load('NFO', [A, B])
    await interest.load('NFO', [B, A])
    expect(asked.map(([symbols]) => symbols)).toEqual(['A', 'B'])
    units = 150
    await clock.advance(24 * 60 * 60_000)
    await interest.load('NFO', [A, B])
    expect(asked.map(([symbols]) => symbols)).toEqual(['A', 'B', 'A B'])
    expect(interest.of(A)).toBe(quantityOf(150))
  })

  test('what the source has no figure of stays unknown, and is not asked for again', async () => {
    const { interest, asked } = setUp('2026-11-19T12:00:00+05:30', async () => [
      quoteOf(quantityOf(75)),
      new Refusal('quote_unavailable', 'listed today'),
    ])
    await interest.load('NFO', [A, B])
    await interest.load('NFO', [A, B])
    expect([interest.of(A), interest.of(B), asked.length]).toEqual([quantityOf(75), undefined, 1])
  })

  test('a source that fails is left alone for a while', async () => {
    let isDown = true
    const { interest, asked, clock } = setUp('2026-11-19T12:00:00+05:30', async (instruments, at) => {
      if (isDown) throw new Refusal('source_down', 'out')
      return all(75)(instruments, at)
    })
    await interest.load('NFO', [A])
    isDown = false
    await clock.advance(PREVIOUS_INTEREST_RETRY_MS - 1)
    await interest.load('NFO', [A])
    expect([interest.of(A), asked.length]).toEqual([undefined, 1])
    await clock.advance(1)
    await interest.load('NFO', [A])
    expect(interest.of(A)).toBe(quantityOf(75))
  })

  test('a source that is slow is not waited for', async () => {
    const { interest, clock } = setUp('2026-11-19T12:00:00+05:30', () => new Promise(() => {}))
    const loading = interest.load('NFO', [A])
    await clock.advance(PREVIOUS_INTEREST_DEADLINE_MS)
    await loading
    expect(interest.of(A)).toBeUndefined()
  })

  test('a bug of the source is not taken for a missing figure', async () => {
    const thrown = setUp('2026-11-19T12:00:00+05:30', () => Promise.reject(new TypeError('a bug')))
    await expect(thrown.interest.load('NFO', [A])).rejects.toThrow('a bug')
    const answered = setUp('2026-11-19T12:00:00+05:30', async () => [new TypeError('a bug')])
    await expect(answered.interest.load('NFO', [A])).rejects.toThrow('a bug')
  })
})
