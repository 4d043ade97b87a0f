/** All that operations describe their input with. */
export type { FieldProblem, Fields, ValueOf, WireOf } from './field-type.ts'
export { list, object } from './nested-fields.ts'
export { integer, price, quantity } from './number-fields.ts'
export { choice, date, flag, text } from './text-fields.ts'
