import { expect } from 'vitest'
import { Forwards, OptionChains } from '../../options/index.ts'
import { call, testApi } from '../test-api.ts'
import { optionchain } from './option-chain.ts'
import { type OptionMarket, optionMarket } from './test-option-market.ts'

/** Option chains of the simulated market. */
export async function chainApi(given: OptionMarket = {}) {
  const { clock, market, rooms } = optionMarket(given)
  const optionChains = new OptionChains({ ...rooms, history: market, forwards: new Forwards(rooms) })
  const app = await testApi([optionchain], { optionChains })
  return { app, clock, market }
}
export type ChainApi = Awaited<ReturnType<typeof chainApi>>

export interface Leg {
  readonly symbol: string
  readonly label: string
  readonly ltp: number | null
  readonly oi: number
  readonly volume: number
  readonly oi_change?: number | null
  readonly implied_volatility?: number
  readonly delta?: number
  readonly error?: string
  readonly stale?: boolean
}
export interface Row {
  readonly strike: number
  readonly ce: Leg | null
  readonly pe: Leg | null
}
export interface Chain {
  readonly status: string
  readonly underlying_ltp: number
  readonly atm_strike: number
  readonly forward_price: number | null
  readonly forward_source: string | null
  readonly totals: Record<string, number | null>
  readonly chain: readonly Row[]
}
/** The answer, which must be one. */
export async function chainOf(from: ChainApi, input: object): Promise<Chain> {
  const answer = await call(from.app, 'optionchain', input)
  expect([answer.status, answer.body.message]).toEqual([200, undefined])
  return JSON.parse(answer.text)
}
export const legsOf = ({ chain }: Chain, side: 'ce' | 'pe'): Leg[] =>
  chain.map((row) => row[side]).filter((leg) => leg !== null)
