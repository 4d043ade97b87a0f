/**
 * What kind of days the simulated market has. Every session is a day of that kind, whichever day somebody tries a
 * strategy on. All of them are pure functions of seed, day and scenario.
 *
 * - `ordinary`: quiet and unquiet spells, now and then a wild day.
 * - `calm`: less than half of the ordinary movement.
 * - `trending`: prices rise for four weeks by some 1 % a day, then fall as long, with little noise.
 * - `crash`: before noon the market falls by 13 to 16 %; shares, indices and their contracts are halted for 45 minutes
 *   when NIFTY has lost a tenth; spreads are wide and options dear. By the close the fall is taken back.
 * - `gap`: every morning opens 0 to 9 % away from the evening before, as the market stands 1.5 to 4.5 % above or below
 *   its ordinary price all day.
 * - `halted`: trading rests once in a session for 60 to 90 minutes, less in short ones. Quotes stay those of before,
 *   with the time of their data, and there are no candles.
 * - `feed-loss`: once in every hour of the clock quotes stop coming for 6 to 20 minutes: they grow old, then there are
 *   none. Trading went on: history has it afterwards.
 */
export const SCENARIOS = ['ordinary', 'calm', 'trending', 'crash', 'gap', 'halted', 'feed-loss'] as const
export type Scenario = (typeof SCENARIOS)[number]

/** How a scenario scales what an ordinary market does. */
export interface Temper {
  /** Daily changes of closing prices. */
  readonly levels: number
  /** Movements within a day. */
  readonly intraday: number
  /** Volatility that options are priced with. */
  readonly implied: number
  readonly spread: number
  readonly volume: number
}

const ORDINARY: Temper = { levels: 1, intraday: 1, implied: 1, spread: 1, volume: 1 }

export const TEMPERS: Readonly<Record<Scenario, Temper>> = {
  ordinary: ORDINARY,
  calm: { levels: 0.4, intraday: 0.4, implied: 0.6, spread: 1, volume: 0.7 },
  trending: { levels: 0.35, intraday: 0.5, implied: 0.9, spread: 1, volume: 1.2 },
  crash: { levels: 1, intraday: 1.8, implied: 2.2, spread: 3, volume: 2.5 },
  gap: { levels: 1, intraday: 1.2, implied: 1.5, spread: 1.5, volume: 1.5 },
  halted: ORDINARY,
  'feed-loss': ORDINARY,
}
