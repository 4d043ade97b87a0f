import { funds, holdings, openposition, orderbook, positionbook, tradebook } from './account.ts'
import { analyzer, analyzertoggle } from './analyzer.ts'
import { history, intervals } from './history.ts'
import { depth, multiquotes, quotes } from './market.ts'
import { cancelallorder, cancelorder, closeposition, modifyorder, orderstatus, placeorder } from './orders.ts'
import { ping } from './ping.ts'
import { search, symbol } from './symbols.ts'

/** Every operation of the API. Routes, documents and the typed client follow this list. */
export const operations = [
  placeorder,
  modifyorder,
  cancelorder,
  cancelallorder,
  closeposition,
  orderstatus,
  orderbook,
  tradebook,
  positionbook,
  openposition,
  holdings,
  funds,
  quotes,
  multiquotes,
  depth,
  history,
  intervals,
  symbol,
  search,
  analyzer,
  analyzertoggle,
  ping,
] as const

export type { WireCode } from '../errors.ts'
export type Operations = typeof operations
