import type { PositionReport, Venue } from '../../brokers/venue.ts'
import { TurnsByName } from '../../kernel/turns.ts'

/** Of each venue, for as long as it is there. */
const turnsOf = new WeakMap<Venue, TurnsByName>()

/**
 * Lets one at a time decide about a position of an account by what it is: two that look at it together would both bring
 * it to where they want it. `act` must not take another turn of the same position.
 */
export function inTurnOf<T>(
  venue: Venue,
  { exchange, symbol, product }: Pick<PositionReport, 'exchange' | 'symbol' | 'product'>,
  act: () => Promise<T>,
): Promise<T> {
  let turns = turnsOf.get(venue)
  if (turns === undefined) {
    turns = new TurnsByName()
    turnsOf.set(venue, turns)
  }
  return turns.run(`${exchange}:${symbol}:${product}`, act)
}
