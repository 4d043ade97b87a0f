import { type FieldError, Refusal } from '../kernel/errors.ts'

/** A validation error of one field. */
export const refusedField = (field: string, message: string): Refusal =>
  new Refusal('validation_failed', message, { errors: [{ field, message }] })

/** What checks answer. Throws what one of them refuses, or one refusal of all fields that several of them refuse. */
export function checkedFields<const Checks extends readonly (() => unknown)[]>(
  ...checks: Checks
): { -readonly [Index in keyof Checks]: ReturnType<Checks[Index]> } {
  const refusals: Refusal[] = []
  const answers = checks.map((check) => {
    try {
      return check()
    } catch (error) {
      if (!(error instanceof Refusal) || error.errors === undefined) throw error
      refusals.push(error)
      return undefined
    }
  })
  const [first, ...more] = refusals
  if (first === undefined) return answers as { -readonly [Index in keyof Checks]: ReturnType<Checks[Index]> }
  if (more.length === 0) throw first
  const errors: FieldError[] = refusals.flatMap(({ errors = [] }) => errors)
  const message = errors.map(({ field, message: text }) => `${field}: ${text}`).join(' ')
  throw new Refusal('validation_failed', message, { errors })
}
