export { type RiskClass, riskParameters } from './parameters.ts'
export { portfolioRequirement, type Requirement, type RiskLeg, type RiskOrder } from './requirement.ts'
export { type RiskArray, type RiskBasis, type RiskContract, riskArray, SCENARIOS } from './risk-array.ts'
