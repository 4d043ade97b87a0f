import { positionKey } from '../order.ts'
import { type Attribution, emptyAttribution, type StrategyLine, type StrategyTotals } from './attribution.ts'

/** As part of a snapshot. */
export interface EncodedAttribution {
  readonly strategies: readonly (readonly [string, StrategyTotals])[]
  readonly lines: readonly (readonly [string, StrategyLine])[]
}

export const encodeAttribution = ({ strategies, lines }: Attribution): EncodedAttribution => ({
  strategies: [...strategies],
  lines: [...lines.values()].flatMap((ofKey) => [...ofKey]),
})

export function decodeAttribution({ strategies, lines }: EncodedAttribution): Attribution {
  const attribution = emptyAttribution()
  for (const [name, totals] of strategies) attribution.strategies.set(name, totals)
  for (const [name, line] of lines) {
    const key = positionKey(line.instrument, line.product)
    const ofKey = attribution.lines.get(key)
    if (ofKey === undefined) attribution.lines.set(key, new Map([[name, line]]))
    else ofKey.set(name, line)
  }
  return attribution
}
