import type { JsonSchema } from './field-type.ts'

const PRIMITIVES: ReadonlySet<unknown> = new Set(['string', 'number', 'integer', 'boolean'])

/**
 * The schema that an answer is serialised by. Keys come out in alphabetical order at every level, because client
 * libraries turn rows into tables whose columns are in key order. Types only: what a handler returns was checked by
 * the compiler, so unions that differ in values alone need no test at run time.
 */
export function serialisationSchema(schema: JsonSchema): JsonSchema {
  const branches = branchesOf(schema)
  if (branches !== undefined) return unionSchema(branches)
  const { type, properties, items, additionalProperties, patternProperties } = schema
  return {
    ...(type === undefined ? {} : { type }),
    ...(isSchema(properties) ? { properties: sortedProperties(properties) } : {}),
    ...(isSchema(items) ? { items: serialisationSchema(items) } : {}),
    ...(isSchema(patternProperties) ? { patternProperties: sortedProperties(patternProperties) } : {}),
    ...(isSchema(additionalProperties) ? { additionalProperties: serialisationSchema(additionalProperties) } : {}),
  }
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const branchesOf = (schema: JsonSchema): readonly JsonSchema[] | undefined => {
  const { anyOf } = schema
  return Array.isArray(anyOf) ? anyOf.filter(isSchema) : undefined
}

const typeOf = ({ type }: JsonSchema): unknown => type

function unionSchema(branches: readonly JsonSchema[]): JsonSchema {
  const rest = branches.filter((branch) => typeOf(branch) !== 'null')
  const nullable = rest.length < branches.length ? { nullable: true } : {}
  const [first] = rest
  if (first !== undefined && rest.length === 1) return { ...serialisationSchema(first), ...nullable }
  const type = first === undefined ? undefined : typeOf(first)
  if (PRIMITIVES.has(type) && rest.every((branch) => typeOf(branch) === type)) return { type, ...nullable }
  return { anyOf: branches.map(serialisationSchema) }
}

// Without `required` the serialiser keeps this order; with it, required keys would come first.
function sortedProperties(properties: JsonSchema): JsonSchema {
  const sorted: Record<string, JsonSchema> = {}
  for (const name of Object.keys(properties).sort()) {
    const property = properties[name]
    sorted[name] = isSchema(property) ? serialisationSchema(property) : {}
  }
  return sorted
}

const WARNINGS: JsonSchema = {
  type: 'array',
  items: { type: 'object', properties: { field: { type: 'string' }, message: { type: 'string' } } },
  description: 'Fields of the request that were accepted but have no effect; absent when there are none.',
}

/** An operation's output with the `warnings` that the server may add. */
export function withWarnings(schema: JsonSchema): JsonSchema {
  const { properties } = schema
  return isSchema(properties) ? { ...schema, properties: { ...properties, warnings: WARNINGS } } : schema
}
