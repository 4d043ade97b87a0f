export { chargeOrders, type OrderCharges } from './charge-orders.ts'
export { type BrokerageTerms, type ChargedTrade, type Charges, chargesOf, segmentOf, sumOfCharges } from './charges.ts'
export type { Segment } from './rates.ts'
