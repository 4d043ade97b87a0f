import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  dateAt,
  dateOf,
  dayNumberAt,
  dayNumberOf,
  dayStartAt,
  EXCHANGE_ZONE,
  formatTimeOfDay,
  minuteOfDay,
  parseTimeOfDay,
  timestampOf,
  weekdayOf,
} from './exchange-time.ts'

const instants = fc.integer({ min: Date.parse('1950-01-01T00:00:00Z'), max: Date.parse('2100-01-01T00:00:00Z') })

test('plain arithmetic agrees with the time-zone data of Temporal', () => {
  fc.assert(
    fc.property(instants, (at) => {
      const zoned = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(EXCHANGE_ZONE)
      expect(dateAt(at)).toBe(zoned.toPlainDate().toString())
      expect(timestampOf(at)).toBe(zoned.toPlainDateTime().toString({ smallestUnit: 'second' }).replace('T', ' '))
      expect(minuteOfDay(at)).toBe(zoned.hour * 60 + zoned.minute)
      expect(weekdayOf(dayNumberAt(at))).toBe(zoned.dayOfWeek % 7)
      expect(dayStartAt(dayNumberAt(at))).toBe(zoned.startOfDay().epochMilliseconds)
    }),
    { numRuns: 500 },
  )
})

test('day numbers and dates are the same thing', () => {
  fc.assert(
    fc.property(fc.integer({ min: -7_000, max: 47_000 }), (day) => {
      expect(dayNumberOf(dateOf(day))).toBe(day)
    }),
  )
})

test.each([
  ['09:15', 555],
  ['00:00', 0],
  ['24:00', 1440],
  ['24:01', undefined],
  ['9:15', undefined],
  ['12:60', undefined],
  ['', undefined],
])('"%s" is minute %s', (text, minutes) => {
  expect(parseTimeOfDay(text)).toBe(minutes)
  if (minutes !== undefined) expect(formatTimeOfDay(minutes)).toBe(text)
})
