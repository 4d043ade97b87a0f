import { parseTimeOfDay } from '../kernel/exchange-time.ts'
import { MONEY_DECIMALS, type Money, money, moneyOf, parseDecimal } from '../kernel/fixed.ts'
import { Networks } from '../kernel/networks.ts'
import { parseRates, RATE_DAYS_MAX, RATES_MAX, type Rate } from '../kernel/rates.ts'

const LEVERAGE_MAX = 50
const PAPER_CAPITAL_MAX: Money = moneyOf('1000000000000.00')

/** What may be set, and how its text is read. */
export interface Setting<T> {
  readonly name: string
  readonly default: string
  readonly about: string
  /** Completes "it must be …". */
  readonly allowed: string
  /** Messages don't repeat what was given. */
  readonly isSecret?: boolean
  /** The value that the text stands for; undefined when it isn't allowed. */
  readonly read: (text: string) => T | undefined
}

export function wholeNumber(least: number, most: number): (text: string) => number | undefined {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : undefined
    return value !== undefined && value >= least && value <= most ? value : undefined
  }
}

export function minutes(name: string, value: string, about: string, most: number) {
  return { name, default: value, about, allowed: `a whole number from 1 to ${most}`, read: wholeNumber(1, most) }
}

export function warning(name: string, value: string, what: string) {
  return {
    name,
    default: value,
    about: `So many ${what} or more are an alert.`,
    allowed: 'a whole number from 1 to 100000000',
    read: wholeNumber(1, 100_000_000),
  }
}

export function days(name: string, value: string, about: string) {
  return { name, default: value, about, allowed: 'a whole number from 1 to 3650', read: wholeNumber(1, 3_650) }
}

export function threshold(name: string, value: string, misdeed: string) {
  return {
    name,
    default: value,
    about: `So many ${misdeed} within BAN_WINDOW_MINUTES ban an address, with AUTO_BAN=on.`,
    allowed: 'a whole number from 1 to 100000',
    read: wholeNumber(1, 100_000),
  }
}

export function networks(name: string, value: string, about: string) {
  return {
    name,
    default: value,
    about,
    allowed: 'addresses and networks, such as 10.0.0.0/8, with commas between them, or nothing',
    read: (text: string): Networks | undefined => {
      const read = Networks.parse(text)
      return typeof read === 'string' ? undefined : read
    },
  }
}

export function rates(name: string, value: string, about: string) {
  return {
    name,
    default: value,
    about,
    allowed: `1 to ${RATES_MAX} limits such as 10 per second; 1000 per day, each for another time from 1 second to ${RATE_DAYS_MAX} days`,
    read: (text: string): readonly Rate[] | undefined => {
      const read = parseRates(text)
      return typeof read === 'string' ? undefined : read
    },
  }
}

export function readOrigin(text: string): string | undefined {
  if (text === '') return text
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) return undefined
  return url.origin === text.replace(/\/$/, '') ? url.origin : undefined
}

export function oneOf<const T extends string>(...choices: readonly T[]) {
  return {
    allowed: `one of ${choices.join(', ')}`,
    read: (text: string): T | undefined => choices.find((choice) => choice === text),
  }
}

export function readCapital(text: string): Money | undefined {
  const value = parseDecimal(text, MONEY_DECIMALS)
  return typeof value === 'number' && value > 0 && value <= PAPER_CAPITAL_MAX ? money(value) : undefined
}

export function leverage(name: string, value: string, about: string) {
  return {
    name,
    default: value,
    about,
    allowed: `a number from 1 to ${LEVERAGE_MAX} with at most 2 decimals`,
    read: (text: string): number | undefined => {
      const hundredths = parseDecimal(text, 2)
      return typeof hundredths === 'number' && hundredths >= 100 && hundredths <= LEVERAGE_MAX * 100
        ? hundredths
        : undefined
    },
  }
}

export function timeOfDay(name: string, value: string, about: string) {
  return {
    name,
    default: value,
    about,
    allowed: 'a time of day from 00:00 to 23:59, in India',
    read: (text: string): number | undefined => {
      const minute = parseTimeOfDay(text)
      return minute === 1440 ? undefined : minute
    },
  }
}

export function squareOff(exchanges: string): string {
  return `When intraday positions on ${exchanges} are squared off, with MARKET_HOURS=exchange.`
}
