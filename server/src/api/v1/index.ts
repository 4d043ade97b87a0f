import { history, intervals } from './history.ts'
import { depth, multiquotes, quotes } from './market.ts'
import { ping } from './ping.ts'
import { search, symbol } from './symbols.ts'

/** Every operation of the API. Routes, documents and the typed client follow this list. */
export const operations = [quotes, multiquotes, depth, history, intervals, symbol, search, ping] as const

export type Operations = typeof operations
