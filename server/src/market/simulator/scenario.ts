/**
 * What kind of days the simulated market has. Every session is a day of that kind; the night after it undoes what the
 * scenario did, so that tomorrow is another one. All of them are pure functions of seed, day and scenario.
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
