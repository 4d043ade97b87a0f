import { Compile } from 'typebox/schema'
import type { JsonSchema } from './field-type.ts'
import { type AnyOperation, pathsOf } from './operation.ts'

interface PublishedResponse {
  readonly description: string
  readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>>
}

export interface Published {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, PublishedResponse>> }>>>
  >
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> }
}

export interface ContractAnswer {
  readonly status: number
  readonly contentType: string
  readonly text: string
}

/** What is published about operations, as a judge of their answers. */
export class Contract {
  readonly #published: Published
  readonly #validators = new Map<JsonSchema, ReturnType<typeof Compile>>()

  constructor(published: Published) {
    this.#published = published
  }

  /** In how far an answer isn't as published; undefined when it is. */
  breach(operation: AnyOperation, answer: ContractAnswer): string | undefined {
    const path = `/${pathsOf(operation)[0]?.replace(/:(\w+)/g, '{$1}')}`
    const responses = this.#published.paths[path]?.[operation.method.toLowerCase()]?.responses
    const response = responses?.[answer.status]
    if (response === undefined) return `status ${answer.status} isn't documented: ${answer.text.slice(0, 300)}`
    const mediaType = answer.contentType.split(';', 1)[0] ?? ''
    const documented = response.content[mediaType]
    if (documented === undefined) return `the content type ${answer.contentType} isn't documented`
    if (mediaType !== 'application/json') return undefined
    let body: unknown
    try {
      body = JSON.parse(answer.text)
    } catch {
      return `it isn't JSON: ${answer.text.slice(0, 300)}`
    }
    return this.#schemaBreach(documented.schema, body) ?? codeBreach(answer.status, response, body)
  }

  #schemaBreach(schema: JsonSchema, body: unknown): string | undefined {
    let validator = this.#validators.get(schema)
    if (validator === undefined) {
      const { $ref } = schema
      const name = typeof $ref === 'string' ? $ref.replace('#/components/schemas/', '') : undefined
      // A failure may have more keys than all failures have
      validator = Compile(name === undefined ? closed(schema) : (this.#published.components.schemas[name] ?? false))
      this.#validators.set(schema, validator)
    }
    if (validator.Check(body)) return undefined
    const [, errors] = validator.Errors(body)
    const told = errors
      .slice(0, 3)
      .map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`)
    return `it isn't as documented: ${told.join('; ')}`
  }
}

function codeBreach(status: number, { description }: PublishedResponse, body: unknown): string | undefined {
  if (status === 200) return undefined
  const { code, message } = body as { code: string; message: string }
  return description.includes(`\`${code}\``) ? undefined : `the code ${code} isn't documented for ${status}: ${message}`
}

/** The schema with nothing left to chance: an object has the documented keys and no others. */
function closed(schema: JsonSchema): JsonSchema {
  const inside = Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => [keyword, closedIn(keyword, value)]),
  )
  const isOpen = schema['properties'] === undefined || 'additionalProperties' in schema || 'patternProperties' in schema
  return isOpen ? inside : { ...inside, additionalProperties: false }
}

const SCHEMAS_BY_NAME: ReadonlySet<string> = new Set(['properties', 'patternProperties'])
const LISTS_OF_SCHEMAS: ReadonlySet<string> = new Set(['anyOf', 'oneOf'])

function closedIn(keyword: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (LISTS_OF_SCHEMAS.has(keyword)) return (value as readonly JsonSchema[]).map(closed)
  if (keyword === 'items' || keyword === 'additionalProperties') return closed(value as JsonSchema)
  if (!SCHEMAS_BY_NAME.has(keyword)) return value
  return Object.fromEntries(
    Object.entries(value as Record<string, JsonSchema>).map(([name, one]) => [name, closed(one)]),
  )
}
