import { assert } from '../kernel/assert.ts'
import type { FieldError } from '../kernel/errors.ts'
import {
  type AnyField,
  type Describe,
  type Field,
  FieldProblem,
  type Fields,
  type JsonSchema,
  joinPath,
  makeField,
  problem,
  shorten,
  shown,
  type ValueOf,
  type WireOf,
} from './field-type.ts'
import { nearestWord } from './text-fields.ts'

/** Errors that one answer lists; the rest of a hopeless request is only counted. */
export const FIELD_ERRORS_MAX = 50

export interface ListOptions<Item> extends Describe<readonly Item[]> {
  readonly min: number
  readonly max: number
  /** What messages call it, such as `Legs`. */
  readonly noun?: string
}

/** A list of `min` to `max` items. */
export function list<Wire, Value>(
  item: Field<Wire, Value, true>,
  options: ListOptions<Wire>,
): Field<readonly Wire[], readonly Value[], true> {
  const { min, max, noun } = options
  const rule = `${noun === undefined ? 'Must' : `${noun} must`} contain ${min} to ${max} items.`
  const schema = { type: 'array', items: item.schema, minItems: min, maxItems: max }
  return makeField<readonly Wire[], readonly Value[]>(schema, options, (value, warnings) => {
    if (!Array.isArray(value)) return problem(`Not a valid list. Got ${shown(value)}.`)
    if (value.length < min || value.length > max) return problem(`${rule} Got ${value.length}.`)
    const read: Value[] = []
    const errors: FieldError[] = []
    for (let index = 0; index < value.length; index += 1) {
      const warned = warnings.length
      const decoded = item.decode(value[index], warnings)
      if (decoded instanceof FieldProblem) addErrors(errors, `[${index}]`, decoded)
      else read.push(decoded)
      relocate(warnings, warned, `[${index}]`)
    }
    return errors.length === 0 ? read : new FieldProblem(errors)
  })
}

export interface ObjectOptions<F extends Fields> {
  /** Fields that clients are known to send in vain, each with what the warning says. */
  readonly ignored?: Readonly<Record<string, string>>
  /** Lets other fields be there, which are read elsewhere. */
  readonly takesOthers?: boolean
  /** Rules between fields; asked only when every single field is right. Paths are relative to the object. */
  readonly check?: ((value: ValueOf<F>) => readonly FieldError[]) | undefined
}

/** An object with exactly these fields. */
export function object<const F extends Fields>(
  fields: F,
  options: ObjectOptions<F> & Describe<WireOf<F>> = {},
): Field<WireOf<F>, ValueOf<F>, true> {
  return makeField<WireOf<F>, ValueOf<F>>(objectSchema(fields), options, objectDecoder(fields, options))
}

export function objectSchema(fields: Fields): JsonSchema {
  const names = Object.keys(fields)
  const required = names.filter((name) => fields[name]?.required === true)
  return {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, fields[name]?.schema])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  }
}

/** Decoder of an object; `alsoAllowed` are names that may be there and are read elsewhere. */
export function objectDecoder<F extends Fields>(
  fields: F,
  options: ObjectOptions<F>,
  alsoAllowed: readonly string[] = [],
): (value: unknown, warnings: FieldError[]) => ValueOf<F> | FieldProblem {
  const entries = Object.entries<AnyField>(fields)
  const ignored = new Map(Object.entries(options.ignored ?? {}))
  const known = new Set([...Object.keys(fields), ...ignored.keys(), ...alsoAllowed])
  for (const name of known) assert(!(name in Object.prototype), `a field can't be named ${name}`)
  const names = [...known].filter((name) => !ignored.has(name)).sort()
  const plain = new Set([...Object.keys(fields), ...alsoAllowed])
  const { check, takesOthers = false } = options

  return (value, warnings) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return problem(`Not a valid mapping type. Got ${shown(value)}.`)
    }
    const source = value as Readonly<Record<string, unknown>>
    const read: Record<string, unknown> = {}
    const errors: FieldError[] = []
    for (const [name, field] of entries) {
      const given = source[name]
      if (given === undefined || (given === null && field.acceptsNull)) {
        if (field.required) errors.push({ field: name, message: 'Missing data for required field.' })
        else read[name] = field.fallback
      } else if (given === null) {
        errors.push({ field: name, message: 'Field may not be null.' })
      } else {
        const warned = warnings.length
        const decoded = field.decode(given, warnings)
        if (decoded instanceof FieldProblem) addErrors(errors, name, decoded)
        else read[name] = decoded
        if (warnings.length > warned) relocate(warnings, warned, name)
      }
    }
    for (const name in source) {
      if (plain.has(name)) continue
      const reason = ignored.get(name)
      if (reason !== undefined) warnings.push({ field: name, message: reason })
      else if (!takesOthers) addErrors(errors, shorten(name), unknownField(name, names))
    }
    if (errors.length > 0) return new FieldProblem(errors)
    const checked = check?.(read as ValueOf<F>) ?? []
    return checked.length === 0 ? (read as ValueOf<F>) : new FieldProblem(checked)
  }
}

function unknownField(name: string, names: readonly string[]): FieldProblem {
  const hint = nearestWord(name, names)
  const offer = hint === undefined ? `known fields are ${names.join(', ')}.` : `did you mean ${hint}?`
  return problem(`Unknown field. There is no field ${shown(name)}; ${offer}`)
}

function addErrors(errors: FieldError[], path: string, found: FieldProblem): void {
  for (const error of found.errors) {
    if (errors.length >= FIELD_ERRORS_MAX) return
    errors.push({ field: joinPath(path, error.field), message: error.message })
  }
}

function relocate(warnings: FieldError[], from: number, path: string): void {
  for (let index = from; index < warnings.length; index += 1) {
    const warning = warnings[index]
    if (warning !== undefined) warnings[index] = { field: joinPath(path, warning.field), message: warning.message }
  }
}
