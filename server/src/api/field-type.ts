import type { FieldError } from '../kernel/errors.ts'

/** JSON Schema of one value, for the documents. Validation itself is `decode`. */
export type JsonSchema = { readonly [keyword: string]: unknown }

/** What is wrong with a value. Paths are relative to the field that found it: `''` is the field itself. */
export class FieldProblem {
  readonly errors: readonly FieldError[]

  constructor(errors: readonly FieldError[]) {
    this.errors = errors
  }
}

export const problem = (message: string): FieldProblem => new FieldProblem([{ field: '', message }])

/**
 * Turns a JSON value into what handlers use, or says what is wrong with it; never throws.
 * Fields that were accepted but have no effect are added to `warnings`.
 */
export type Decode<Value> = (value: unknown, warnings: FieldError[]) => Value | FieldProblem

export interface Describe<Wire> {
  /** One sentence for the documents: meaning and unit. */
  readonly description?: string
  readonly example?: Wire
}

/**
 * One field of a request. `Wire` is what clients may send, `Value` what handlers get.
 * An absent optional field has the value `fallback`.
 */
export class Field<Wire, Value, Required extends boolean> {
  declare readonly _wire: Wire
  readonly schema: JsonSchema
  readonly decode: Decode<Value>
  readonly required: Required
  readonly acceptsNull: boolean
  readonly fallback: Value

  constructor(schema: JsonSchema, decode: Decode<Value>, required: Required, acceptsNull: boolean, fallback: Value) {
    this.schema = schema
    this.decode = decode
    this.required = required
    this.acceptsNull = acceptsNull
    this.fallback = fallback
  }

  /** May be absent; then it is `fallback`, or undefined. */
  optional(): Field<Wire, Value | undefined, false>
  optional(fallback: Value, shown?: Wire): Field<Wire, Value, false>
  optional(fallback?: Value, shown?: Wire): Field<Wire, Value | undefined, false> {
    const schema = shown === undefined ? this.schema : { ...this.schema, default: shown }
    return new Field<Wire, Value | undefined, false>(schema, this.decode, false, this.acceptsNull, fallback)
  }

  /** An explicit null counts as absent. */
  orNull(): Field<Wire | null, Value, Required> {
    return new Field<Wire | null, Value, Required>(this.schema, this.decode, this.required, true, this.fallback)
  }
}

export type AnyField = Field<unknown, unknown, boolean>
export type Fields = Readonly<Record<string, AnyField>>

type WireOfField<F> = F extends Field<infer Wire, unknown, boolean> ? Wire : never
type ValueOfField<F> = F extends Field<unknown, infer Value, boolean> ? Value : never
type Flat<T> = { [K in keyof T]: T[K] }

/** What a client sends for these fields. */
export type WireOf<F extends Fields> = Flat<
  { readonly [K in keyof F as F[K]['required'] extends true ? K : never]: WireOfField<F[K]> } & {
    readonly [K in keyof F as F[K]['required'] extends true ? never : K]?: WireOfField<F[K]> | undefined
  }
>
/** What a handler gets for these fields. */
export type ValueOf<F extends Fields> = { readonly [K in keyof F]: ValueOfField<F[K]> }

export function makeField<Wire, Value>(
  schema: JsonSchema,
  describe: Describe<Wire>,
  decode: Decode<Value>,
): Field<Wire, Value, true> {
  const { description, example } = describe
  const documented = {
    ...schema,
    ...(description === undefined ? {} : { description }),
    ...(example === undefined ? {} : { examples: [example] }),
  }
  // A required field is never absent, so its fallback is never read.
  return new Field<Wire, Value, true>(documented, decode, true, false, undefined as Value)
}

/** Characters of a value that a message repeats. */
export const SHOWN_LENGTH_MAX = 64

export const shorten = (text: string): string =>
  text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX).toWellFormed()}…` : text

/** A value as messages repeat it: short, and never the inside of a list or an object. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shorten(value))
  if (Array.isArray(value)) return value.length === 1 ? 'a list of 1 item' : `a list of ${value.length} items`
  if (typeof value === 'object' && value !== null) return 'an object'
  return String(value)
}

/** Path of something inside a field: `symbols` + `[1]` + `exchange` is `symbols[1].exchange`. */
export function joinPath(outer: string, inner: string): string {
  if (outer === '') return inner
  return inner === '' || inner.startsWith('[') ? outer + inner : `${outer}.${inner}`
}
