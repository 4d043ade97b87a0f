export {
  type BrokerageTerms,
  type ChargedTrade,
  type Charges,
  type ChargeTerms,
  chargeOfFill,
  chargesFor,
  chargesOf,
  chargeTermsOf,
  segmentOf,
  settlementTermsOf,
  sumOfCharges,
} from './charges.ts'
export type { Segment } from './rates.ts'
