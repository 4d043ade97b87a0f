import { allClosed, budgetDay, type CalendarYear, currencyClosed, eveningOnly, morningOnly, muhurat } from '../day.ts'

export const year2026: CalendarYear = {
  year: 2026,
  version: '2026-11-26',
  provisional: false,
  source: 'Holiday circulars of NSE, BSE and MCX for 2026, with the days added and moved during the year.',
  days: [
    morningOnly('2026-01-01', 'New Year Day'),
    eveningOnly('2026-01-15', 'Municipal Corporation Election - Maharashtra'),
    allClosed('2026-01-26', 'Republic Day'),
    budgetDay('2026-02-01'),
    currencyClosed('2026-02-19', 'Chhatrapati Shivaji Maharaj Jayanti'),
    eveningOnly('2026-03-03', 'Holi'),
    currencyClosed('2026-03-19', 'Gudhi Padwa'),
    eveningOnly('2026-03-26', 'Shri Ram Navami'),
    eveningOnly('2026-03-31', 'Shri Mahavir Jayanti'),
    currencyClosed('2026-04-01', 'Annual Bank Closing'),
    allClosed('2026-04-03', 'Good Friday'),
    eveningOnly('2026-04-14', 'Dr. Baba Saheb Ambedkar Jayanti'),
    eveningOnly('2026-05-01', 'Maharashtra Day'),
    eveningOnly('2026-05-28', 'Bakri Id'),
    eveningOnly('2026-06-26', 'Muharram'),
    currencyClosed('2026-08-26', 'Id-E-Milad'),
    eveningOnly('2026-09-14', 'Ganesh Chaturthi'),
    allClosed('2026-10-02', 'Mahatma Gandhi Jayanti'),
    eveningOnly('2026-10-20', 'Dussehra'),
    // The yearly circulars leave its hours to a later one; these are the usual ones
    { ...muhurat('2026-11-08', ['18:00', '19:15'], ['18:00', '24:15']), provisional: true },
    eveningOnly('2026-11-10', 'Diwali Balipratipada'),
    eveningOnly('2026-11-24', 'Prakash Gurpurb Sri Guru Nanak Dev'),
    allClosed('2026-12-25', 'Christmas'),
  ],
}
