import { INDEX_WEIGHTS, SECTOR_INDICES } from './data/index-weights.ts'

/** Share of an index's level on the anchor day that one stock makes up. */
export interface Member {
  readonly symbol: string
  readonly share: number
}

/** Members of each index that has a table of weights; their shares add up to 1. */
export const INDEX_MEMBERS: ReadonlyMap<string, readonly Member[]> = readWeights(INDEX_WEIGHTS)

/** Sector of each stock that is in an index of one. Banks and other lenders share theirs. */
export const SECTOR_OF: ReadonlyMap<string, string> = readSectors()

function readWeights(table: string): Map<string, Member[]> {
  const indices = new Map<string, Member[]>()
  for (const line of table.trim().split('\n')) {
    const [index = '', text = ''] = line.split('|')
    const words = text.split(' ')
    const shares = new Map<string, number>()
    for (let i = 0; i < words.length; i += 2) {
      const symbol = words[i] ?? ''
      const weight = Number(words[i + 1])
      for (const member of indices.get(symbol) ?? [{ symbol, share: 1 }]) {
        shares.set(member.symbol, (shares.get(member.symbol) ?? 0) + weight * member.share)
      }
    }
    const whole = [...shares.values()].reduce((sum, share) => sum + share, 0)
    indices.set(
      index,
      [...shares].map(([symbol, share]) => ({ symbol, share: share / whole })),
    )
  }
  return indices
}

function readSectors(): Map<string, string> {
  const sectors = new Map<string, string>()
  for (const index of SECTOR_INDICES) {
    const sector = index === 'BANKNIFTY' ? 'FINNIFTY' : index
    for (const { symbol } of INDEX_MEMBERS.get(index) ?? []) {
      if (!sectors.has(symbol)) sectors.set(symbol, sector)
    }
  }
  return sectors
}
