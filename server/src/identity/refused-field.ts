import { Refusal } from '../kernel/errors.ts'

/** A validation error of one field. */
export const refusedField = (field: string, message: string): Refusal =>
  new Refusal('validation_failed', message, { errors: [{ field, message }] })
