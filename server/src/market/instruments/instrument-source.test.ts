import { expect, test } from 'vitest'
import { simulatedInstruments } from '../simulator/instruments.ts'
import { PIECE_ROWS_MAX, sourceOf } from './instrument-source.ts'
import { acceptInstrumentSource } from './test-instrument-source.ts'
import { call, share, shares } from './test-rows.ts'

acceptInstrumentSource('the simulated exchanges', () => ({
  source: simulatedInstruments(7),
  date: '2026-03-10', // an expiry day
  nextDate: '2026-03-11',
}))

acceptInstrumentSource('a list', () => {
  const put = call(3, { symbol: 'NIFTY28OCT2526000PE', kind: 'PE' })
  const rows = [share('NIFTY', 1, { exchange: 'NSE_INDEX', kind: 'INDEX' }), call(2), put]
  return { source: sourceOf('list', () => rows), date: '2025-10-27', nextDate: '2025-10-28' }
})

test('a list is given in full pieces, and the rest', async () => {
  const rows = shares(PIECE_ROWS_MAX * 2 + 1)
  const pieces = await Array.fromAsync(sourceOf('list', () => rows).instruments('2026-03-10'))
  expect(pieces.map(({ length }) => length)).toEqual([PIECE_ROWS_MAX, PIECE_ROWS_MAX, 1])
  expect(pieces.flat()).toEqual(rows)
})

test('another seed is another edition', () => {
  expect(simulatedInstruments(7).edition).toBe(simulatedInstruments(7).edition)
  expect(simulatedInstruments(7).edition).not.toBe(simulatedInstruments(8).edition)
})
