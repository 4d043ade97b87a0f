import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instantOf } from './time-text.ts'

const iso = (text: string): number | undefined => {
  const at = instantOf(text)
  return at === undefined ? undefined : at
}
const OPENING = Date.parse('2026-08-03T09:15:00+05:30')

describe('a time of a file', () => {
  it.each([
    '2026-08-03 09:15',
    '2026-08-03 09:15:00',
    '2026-08-03T09:15:00',
    '2026-08-03T09:15:00.000',
    '2026-08-03T09:15:00+05:30',
    '2026-08-03 09:15:00+0530',
    '2026-08-03 03:45:00+00',
    '2026-08-03T03:45:00Z',
    '2026-08-02T22:45:00-05:00',
    ' 1785728700 ',
    '1785728700.0',
    '1785728700000',
  ])('%s is an instant', (text) => {
    expect(iso(text)).toBe(OPENING)
  })

  it('that is a date alone is its 00:00 at the exchange', () => {
    expect(iso('2026-08-03')).toBe(Date.parse('2026-08-03T00:00:00+05:30'))
  })

  it.each([
    '',
    'yesterday',
    '03-08-2026 09:15',
    '2026-02-30',
    '2026-13-01 00:00',
    '2026-08-03 24:30',
    '2026-08-03 09:60',
    '2026-08-03 09:15:00.250',
    '1785728700250',
    '1785728',
    '2026-08-03 09:15 IST',
    '-1785728700',
  ])('%s is none', (text) => {
    expect(iso(text)).toBeUndefined()
  })

  it('is read as it is written, whatever the machine’s zone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000_000_000, max: 4_000_000_000 }), (seconds) => {
        const at = seconds * 1000
        const local = new Date(at + 19_800_000).toISOString().slice(0, 19)
        expect([local, `${local}+05:30`, new Date(at).toISOString(), String(seconds), String(at)].map(iso)).toEqual(
          Array(5).fill(at),
        )
      }),
    )
  })
})
