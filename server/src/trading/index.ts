export type { CloseOutcome } from './close-position.ts'
export { type GttAsker, type GttChangeRequest, type GttRequest, Gtts } from './gtt.ts'
export { type ModifyRequest, type OrderRequest, Trading } from './trading.ts'
export type { ValuedHolding, ValuedPosition } from './valuation.ts'
