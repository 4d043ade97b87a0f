import { dateOf, dayNumberOf, weekdayOf } from '../../kernel/exchange-time.ts'
import { isExpiryWeekday } from '../calendar/expiry-days.ts'
import { tradingHoursOn } from '../calendar/hours.ts'
import type { Exchange } from '../instrument.ts'
import type { CommodityRules } from './data/contracts.ts'

/** Contracts of one underlying on an exchange of contracts on shares and indices. */
export interface Series {
  readonly exchange: 'NFO' | 'BFO'
  /** Root of its symbols. */
  readonly root: string
}

/** A contract of one underlying: when it ends, and the first day on which it is listed. */
export interface Listing {
  readonly expiryDay: number
  readonly listedOn: number
}

/** The day itself, or the last day before it on which the exchange trades by its real calendar. */
export function tradingDayUpTo(exchange: Exchange, day: number): number {
  let candidate = day
  while (tradingHoursOn(exchange, candidate) === undefined) candidate -= 1
  return candidate
}

/** Months are counted from 1970-01: month 0. */
export function monthOf(day: number): number {
  const date = dateOf(day)
  return (Number(date.slice(0, 4)) - 1970) * 12 + Number(date.slice(5, 7)) - 1
}

export const monthInYear = (month: number): number => (((month % 12) + 12) % 12) + 1

const firstDayOf = (month: number): number => {
  const year = 1970 + Math.floor(month / 12)
  return dayNumberOf(`${year}-${String(monthInYear(month)).padStart(2, '0')}-01`)
}

const lastDayOf = (month: number): number => firstDayOf(month + 1) - 1

/** The last day of the month on which its contracts expire, or the trading day before. */
export function monthlyExpiry({ exchange, root }: Series, month: number): number {
  let day = lastDayOf(month)
  while (!isExpiryWeekday(exchange, root, day)) day -= 1
  return tradingDayUpTo(exchange, day)
}

/** The three monthly contracts of that day; the next one is listed on the day after the nearest has expired. */
export function monthlyListings(series: Series, day: number): Listing[] {
  const month = monthOf(day)
  const first = monthlyExpiry(series, month) >= day ? month : month + 1
  return [0, 1, 2].map((ahead) => ({
    expiryDay: monthlyExpiry(series, first + ahead),
    listedOn: monthlyExpiry(series, first + ahead - 3) + 1,
  }))
}

/** Contracts of the last month of a quarter, the `count` next ones; listed when the quarter `count` before has expired. */
export function quarterlyListings(series: Series, day: number, count: number): Listing[] {
  let month = monthOf(day)
  while (monthInYear(month) % 3 !== 0 || monthlyExpiry(series, month) < day) month += 1
  return Array.from({ length: count }, (_, ahead) => ({
    expiryDay: monthlyExpiry(series, month + 3 * ahead),
    listedOn: monthlyExpiry(series, month + 3 * (ahead - count)) + 1,
  }))
}

/** The `count` next weekly expiries, counting those that are monthly too; each listed when the `count`th before expired. */
export function weeklyListings({ exchange, root }: Series, day: number, count: number): Listing[] {
  if (count === 0) return []
  const around: number[] = []
  for (let nominal = day - 7 * (count + 1); around.filter((expiry) => expiry >= day).length < count; nominal += 1) {
    if (isExpiryWeekday(exchange, root, nominal)) around.push(tradingDayUpTo(exchange, nominal))
  }
  return around.slice(-count).map((expiryDay, index) => ({
    expiryDay,
    listedOn: (around[around.length - 2 * count + index] ?? expiryDay - 7 * count) + 1,
  }))
}

/** Two trading days before the end of the month. */
export function currencyExpiry(month: number): number {
  let day = tradingDayUpTo('CDS', lastDayOf(month))
  for (let back = 0; back < 2; back += 1) day = tradingDayUpTo('CDS', day - 1)
  return day
}

/** Fridays, or the trading day before. */
export function currencyWeeklies(day: number, count: number): Listing[] {
  let friday = day + ((5 - weekdayOf(day) + 7) % 7)
  if (tradingDayUpTo('CDS', friday) < day) friday += 7
  return Array.from({ length: count }, (_, ahead) => {
    const own = friday + 7 * ahead
    return { expiryDay: tradingDayUpTo('CDS', own), listedOn: tradingDayUpTo('CDS', own - 7 * count) + 1 }
  })
}

export function currencyMonthlies(day: number, count: number): Listing[] {
  const month = monthOf(day)
  const first = currencyExpiry(month) >= day ? month : month + 1
  return Array.from({ length: count }, (_, ahead) => ({
    expiryDay: currencyExpiry(first + ahead),
    listedOn: currencyExpiry(first + ahead - count) + 1,
  }))
}

function commodityExpiry(exchange: CommodityRules['exchange'], expiryDay: number, month: number): number {
  const nominal = Math.min(firstDayOf(month) + expiryDay - 1, lastDayOf(month))
  return tradingDayUpTo(exchange, nominal)
}

type CommodityMonths = Pick<CommodityRules, 'exchange' | 'expiryDay' | 'months'>

const hasContract = (rules: CommodityMonths, month: number): boolean =>
  rules.months.length === 0 || rules.months.includes(monthInYear(month))

/** Expiries of the `count` next futures that don't end before `day`, ascending. */
export function commodityExpiriesFrom(rules: CommodityMonths, day: number, count: number): number[] {
  const expiries: number[] = []
  for (let month = monthOf(day); expiries.length < count; month += 1) {
    if (!hasContract(rules, month)) continue
    const expiry = commodityExpiry(rules.exchange, rules.expiryDay, month)
    if (expiry >= day) expiries.push(expiry)
  }
  return expiries
}

/** Expiry of the options on the future that expires on `futureExpiry`: so many trading days before. */
export function commodityOptionExpiry(exchange: Exchange, futureExpiry: number, daysBefore: number): number {
  let day = futureExpiry
  for (let back = 0; back < daysBefore; back += 1) day = tradingDayUpTo(exchange, day - 1)
  return day
}

/** Daily, weekly (Friday) and monthly (last Friday) expiries of coins. */
export function coinListings(day: number): Listing[] {
  const listings = new Map<number, number>()
  const friday = day + ((5 - weekdayOf(day) + 7) % 7)
  const month = monthOf(day)
  const lastFriday = (of: number): number => lastDayOf(of) - ((weekdayOf(lastDayOf(of)) - 5 + 7) % 7)
  const first = lastFriday(month) >= day ? month : month + 1
  for (let ahead = 0; ahead < 3; ahead += 1) listings.set(lastFriday(first + ahead), lastFriday(first + ahead - 3) + 1)
  for (let ahead = 0; ahead < 4; ahead += 1) keepEarliest(listings, friday + 7 * ahead, friday + 7 * (ahead - 4) + 1)
  for (let ahead = 0; ahead < 3; ahead += 1) keepEarliest(listings, day + ahead, day + ahead - 2)
  return [...listings]
    .map(([expiryDay, listedOn]) => ({ expiryDay, listedOn }))
    .sort((a, b) => a.expiryDay - b.expiryDay)
}

function keepEarliest(listings: Map<number, number>, expiryDay: number, listedOn: number): void {
  listings.set(expiryDay, Math.min(listings.get(expiryDay) ?? listedOn, listedOn))
}
