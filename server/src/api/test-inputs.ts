import type { AnyField, JsonSchema } from './field-type.ts'
import type { AnyOperation } from './operation.ts'

/** Where the choices come from: a whole number from 0 to `below` - 1. */
export interface Random {
  below(below: number): number
}

/** What random inputs are made of, so that not every one is about nothing. */
export interface Material {
  /** Values that fields of these names take. */
  readonly words: Readonly<Record<string, readonly unknown[]>>
  /** Values that only make sense together. */
  readonly together: readonly Readonly<Record<string, unknown>>[]
}

export interface RandomInput {
  readonly input: Record<string, unknown>
  /** Why it must be refused; undefined when it may be right. */
  readonly wrong: 'unknown field' | 'missing field' | undefined
}

/** What no field takes, and what some do. */
const ODD: readonly unknown[] = [
  null,
  true,
  false,
  -1,
  0,
  1.5,
  1e300,
  '',
  ' ',
  'nonsense',
  '1e5',
  'NaN',
  '०५',
  '2026-13-45',
  '../..',
  'a\u0000b',
  '\ud800',
  [],
  {},
  [[]],
  [null],
  { toString: 1 },
  'x'.repeat(300),
]

/** An input made from an operation's own fields: mostly right, sometimes with one thing changed for something odd. */
export function randomInput(operation: AnyOperation, material: Material, random: Random): RandomInput {
  const fields = Object.entries<AnyField>(operation.input)
  const example: Readonly<Record<string, unknown>> = operation.example
  const input: Record<string, unknown> = {}
  const nearExample = random.below(5) < 2
  for (const [name, field] of fields) {
    const isExample = name in example && (nearExample ? random.below(6) > 0 : random.below(4) === 0)
    if (isExample) input[name] = example[name]
    else if (field.required || random.below(4) === 0) input[name] = someValue(name, field.schema, material, random)
  }
  if (!nearExample) join(input, new Set(fields.map(([name]) => name)), material, random)
  if (operation.others !== undefined)
    for (let left = random.below(4); left > 0; left -= 1) input[`key${random.below(9)}`] = oneOf(ODD, random)
  return { input, wrong: breakOne(input, operation, random) }
}

/** Mostly puts what makes sense together into an object that has fields for it. */
function join(
  input: Record<string, unknown>,
  names: ReadonlySet<string>,
  { together }: Material,
  random: Random,
): void {
  const fitting = together.filter((values) => Object.keys(values).every((name) => names.has(name)))
  if (random.below(4) > 0) Object.assign(input, oneOf(fitting, random))
}

function breakOne(input: Record<string, unknown>, operation: AnyOperation, random: Random): RandomInput['wrong'] {
  const names = Object.keys(input)
  const name = oneOf(names, random)
  switch (random.below(10)) {
    case 0:
      if (operation.others !== undefined) return undefined
      input['no_such_field'] = 1
      return 'unknown field'
    case 1: {
      if (name === undefined || operation.input[name]?.required !== true) return undefined
      if (operation.name.includes(`:${name}`)) return undefined
      delete input[name]
      return 'missing field'
    }
    case 2:
    case 3:
      if (name !== undefined) input[name] = oneOf(ODD, random)
      return undefined
    default:
      return undefined
  }
}

function someValue(name: string, schema: JsonSchema, material: Material, random: Random): unknown {
  const known = material.words[name]
  if (known !== undefined && random.below(8) > 0) return oneOf(known, random)
  const { enum: choices, type, examples } = schema
  if (Array.isArray(choices)) return oneOf(choices, random)
  if (Array.isArray(examples) && random.below(3) === 0) return oneOf(examples, random)
  const kind = Array.isArray(type) ? oneOf(type, random) : type
  switch (kind) {
    case 'boolean':
      return random.below(2) === 0
    case 'integer':
    case 'number':
      return numberOf(schema, kind, random)
    case 'array':
      return listOf(name, schema, material, random)
    case 'object':
      return objectOf(schema, material, random)
    default:
      return textOf(schema, random)
  }
}

function numberOf(schema: JsonSchema, kind: string, random: Random): number {
  const { minimum, exclusiveMinimum, maximum } = schema
  const least = typeof minimum === 'number' ? minimum : typeof exclusiveMinimum === 'number' ? exclusiveMinimum : 0
  const most = typeof maximum === 'number' ? Math.min(maximum, least + 1_000_000) : least + 1_000
  const whole = random.below(3)
  const value = whole === 0 ? least : whole === 1 ? most : least + random.below(Math.max(1, Math.floor(most - least)))
  return kind === 'number' && random.below(2) === 0 ? value + 0.05 : value
}

function textOf({ format, maxLength }: JsonSchema, random: Random): string {
  if (format === 'date') {
    const day = String(1 + random.below(28)).padStart(2, '0')
    return `2026-${10 + random.below(3)}-${day}`
  }
  const most = typeof maxLength === 'number' ? Math.min(maxLength, 40) : 40
  return 'Az09-_ &💹'
    .repeat(6)
    .slice(0, random.below(most + 1))
    .toWellFormed()
}

/** Lists are kept short: their limits are tested where they are set. */
function listOf(name: string, schema: JsonSchema, material: Material, random: Random): unknown[] {
  const { items, minItems, maxItems } = schema
  const least = typeof minItems === 'number' ? minItems : 0
  const most = typeof maxItems === 'number' ? Math.min(maxItems, least + 4) : least + 4
  const count = least + random.below(most - least + 1)
  return Array.from({ length: count }, () => someValue(name, (items ?? {}) as JsonSchema, material, random))
}

function objectOf({ properties, required }: JsonSchema, material: Material, random: Random): Record<string, unknown> {
  const needed = new Set(Array.isArray(required) ? required : [])
  const entries = Object.entries((properties ?? {}) as Readonly<Record<string, JsonSchema>>)
  const made: Record<string, unknown> = Object.fromEntries(
    entries
      .filter(([name]) => needed.has(name) || random.below(3) === 0)
      .map(([name, schema]) => [name, someValue(name, schema, material, random)]),
  )
  join(made, new Set(entries.map(([name]) => name)), material, random)
  return made
}

const oneOf = <T>(choices: readonly T[], random: Random): T | undefined => choices[random.below(choices.length)]
