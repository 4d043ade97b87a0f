export type { SessionRules } from './due.ts'
export type { Committed } from './engine.ts'
export type { Event } from './event.ts'
export { PaperExchange } from './paper-exchange.ts'
