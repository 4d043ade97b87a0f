import { fileURLToPath } from 'node:url'
import { impliedVolatility, noValue, optionPrice, valueOption } from '../server/src/market/pricing/index.ts'

const OPTIONS = 1000
/** Repetitions of one measurement, so that it lasts milliseconds. */
const REPEATS = 20

interface Terms {
  readonly price: number
  readonly forward: number
  readonly strike: number
  readonly years: number
  readonly rate: number
  readonly volatility: number
  readonly sign: 1 | -1
}

/** Options as chains hold them: out and in the money, an hour to three months from their end. */
function options(): Terms[] {
  return Array.from({ length: OPTIONS }, (_, index) => {
    const forward = 26_000 + (index % 7) * 0.35
    const strike = 23_400 + 50 * ((index * 37) % 105)
    const years = (0.05 + ((index * 61) % 90)) / 365
    const volatility = 0.11 + ((index * 13) % 17) / 100
    const sign = index % 2 === 0 ? 1 : -1
    const { price } = valueOption(forward, strike, years, 0.065, volatility, sign)
    return { price, forward, strike, years, rate: 0.065, volatility, sign }
  })
}

/** What computing one thing for every option costs: processor time of one option, median over the rounds. */
function nanoseconds(rounds: number, compute: (terms: Terms) => number, all: readonly Terms[]): number {
  let sink = 0
  const times: number[] = []
  for (let round = -3; round < rounds; round += 1) {
    const before = process.cpuUsage()
    for (let repeat = 0; repeat < REPEATS; repeat += 1) {
      for (const terms of all) sink += compute(terms)
    }
    const { user, system } = process.cpuUsage(before)
    if (round >= 0) times.push(user + system)
  }
  if (!Number.isFinite(sink)) throw new Error('an option has no value')
  times.sort((a, b) => a - b)
  return ((times[times.length >> 1] ?? 0) * 1000) / (REPEATS * all.length)
}

export interface PricingTimes {
  /** Nanoseconds of processor time for one option each. */
  readonly priceNs: number
  readonly volatilityNs: number
  readonly greeksNs: number
  /** Implied volatility, then price and greeks with it, as answers need them. */
  readonly allNs: number
  readonly allPerSecond: number
}

/** The pure functions behind chains and greeks: price, implied volatility, greeks, and all of it together. */
export function pricingTimes(rounds: number): PricingTimes {
  const all = options().filter(({ price }) => price >= 0.05)
  const into = noValue()
  const priceNs = nanoseconds(
    rounds,
    ({ forward, strike, years, volatility, sign }) => optionPrice(forward, strike, volatility * Math.sqrt(years), sign),
    all,
  )
  const volatilityNs = nanoseconds(
    rounds,
    ({ price, forward, strike, years, rate, sign }) => impliedVolatility(price, forward, strike, years, rate, sign),
    all,
  )
  const greeksNs = nanoseconds(
    rounds,
    ({ forward, strike, years, rate, volatility, sign }) =>
      valueOption(forward, strike, years, rate, volatility, sign, into).delta,
    all,
  )
  const allNs = nanoseconds(
    rounds,
    ({ price, forward, strike, years, rate, sign }) => {
      const volatility = impliedVolatility(price, forward, strike, years, rate, sign)
      return valueOption(forward, strike, years, rate, volatility, sign, into).delta
    },
    all,
  )
  return { priceNs, volatilityNs, greeksNs, allNs, allPerSecond: 1e9 / allNs }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(`${JSON.stringify(pricingTimes(30))}\n`)
