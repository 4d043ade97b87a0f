export { DAYS_OF_YEAR, noValue, type OptionValue, optionPrice, valueOption } from './black76.ts'
export { ABOVE_MAXIMUM, BELOW_INTRINSIC, impliedDeviation, impliedVolatility } from './implied-volatility.ts'
