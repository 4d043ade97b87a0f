import { allClosed, type CalendarYear, eveningOnly, morningOnly } from '../day.ts'

/** Only holidays whose date needs no announcement; those that follow the moon come with the exchanges' lists. */
export const year2027: CalendarYear = {
  year: 2027,
  version: '2026-11-26',
  provisional: true,
  source:
    'The exchanges have not published their lists for 2027. Only holidays with a date that is certain are in; holidays that follow the moon, special sessions and Muhurat Trading are missing.',
  days: [
    { ...morningOnly('2027-01-01', 'New Year Day'), provisional: true },
    { ...allClosed('2027-01-26', 'Republic Day'), provisional: true },
    { ...allClosed('2027-03-26', 'Good Friday'), provisional: true },
    { ...eveningOnly('2027-04-14', 'Dr. Baba Saheb Ambedkar Jayanti'), provisional: true },
  ],
}
