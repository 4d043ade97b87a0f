import { IDEMPOTENCY_KEY_LENGTH_MAX } from '../trading/flow/idempotency.ts'
import { COMMON_CODES, STATUS_OF, type WireCode } from './errors.ts'
import { type AnyField, type JsonSchema, shown } from './field-type.ts'
import { API_KEY_LENGTH_MAX } from './middleware/authenticate.ts'
import { CLIENT_ORDER_ID } from './middleware/idempotency.ts'
import { objectSchema } from './nested-fields.ts'
import { type Access, type AnyOperation, pathsOf } from './operation.ts'
import { withWarnings } from './output-schema.ts'

export interface OpenApiOptions {
  readonly version: string
  /** Id that the first order of a fresh instance gets today: examples name it, so that they work after the first order. */
  readonly firstOrderId: string
  /** The next day on which NIFTY's options expire, such as 25AUG26: examples of options name it. */
  readonly nextExpiry: string
}

/** The OpenAPI 3.1 document of the API: plain JSON, made from the table of operations and nothing else. */
export function openApiDocument(operations: readonly AnyOperation[], options: OpenApiOptions): JsonSchema {
  const paths: Record<string, Record<string, JsonSchema>> = {}
  for (const operation of operations) {
    const method = operation.method.toLowerCase()
    for (const name of pathsOf(operation)) {
      const path = `/${name.replace(/:(\w+)/g, '{$1}')}`
      const document = operationDocument(operation, options)
      // Ids are unique, also where two methods share a path
      const id = name === operation.name ? operationId(name) : `${operationId(name)}${capital(method)}`
      paths[path] = { ...paths[path], [method]: { ...document, operationId: id } }
    }
  }
  return plainJson({
    openapi: '3.1.0',
    info: { title: 'Sauda API', version: options.version, description: DESCRIPTION, license: LICENSE },
    servers: [{ url: '/api/v1' }],
    tags: [...new Set(operations.map((operation) => operation.tag))].map((name) => ({ name })),
    security: [{ apiKeyHeader: [] }, { bearer: [] }, {}],
    paths,
    components: { schemas: { Error: ERROR }, securitySchemes: SECURITY_SCHEMES },
  })
}

const LICENSE = { name: 'Apache-2.0', identifier: 'Apache-2.0' }

const DESCRIPTION = `Orders, account and market data over HTTP, compatible with OpenAlgo's \`/api/v1\`.

Most requests need an API key: as the field \`apikey\` of the body, the header \`X-API-KEY\`, or
\`Authorization: Bearer\`. To try requests from this page, press **Authorize** and enter your key once; who is
[signed in](/login) needs none.

Numbers may be sent as JSON numbers or as text. Success is always status 200 with \`"status": "success"\`; every
failure has the shape of the schema *Error*, and its \`code\` never changes meaning. Every answer carries
\`X-Request-Id\`; name it when you report a problem.`

const SECURITY_SCHEMES = {
  apiKeyHeader: { type: 'apiKey', in: 'header', name: 'X-API-KEY', description: 'Your API key.' },
  bearer: { type: 'http', scheme: 'bearer', description: 'Your API key as a bearer token.' },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: 'sauda_session',
    description: 'The browser of somebody who has signed in. Under https the name starts with `__Host-`.',
  },
}

const ERROR: JsonSchema = {
  type: 'object',
  description: 'Every failure has this shape. Some codes add fields, such as `orderid` of a rejected order.',
  properties: {
    code: { type: 'string', enum: Object.keys(STATUS_OF).sort(), description: 'For programs.' },
    errors: {
      type: 'array',
      description: 'Every field that was wrong.',
      items: {
        type: 'object',
        properties: { field: { type: 'string', examples: ['symbols[1].exchange'] }, message: { type: 'string' } },
        required: ['field', 'message'],
      },
    },
    message: { type: 'string', description: 'For people: what was wrong, and what would be right.' },
    request_id: { type: 'string' },
    status: { const: 'error' },
  },
  required: ['code', 'message', 'request_id', 'status'],
}

const API_KEY: JsonSchema = {
  type: 'string',
  maxLength: API_KEY_LENGTH_MAX,
  description: 'API key, unless a header carries it.',
}

const IDEMPOTENCY_KEY: JsonSchema = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  schema: { type: 'string', maxLength: IDEMPOTENCY_KEY_LENGTH_MAX },
  description:
    'The same as the field `client_order_id`. An answer that was given before has the header `Idempotent-Replayed`.',
}

const CLIENT_ORDER_ID_SCHEMA: JsonSchema = {
  type: 'string',
  maxLength: IDEMPOTENCY_KEY_LENGTH_MAX,
  description:
    'Your own name of this request, unless the header Idempotency-Key carries it: sent again within a day, it is answered as the first time and does nothing.',
}

function operationDocument(operation: AnyOperation, options: OpenApiOptions): JsonSchema {
  const example = exampleOf(operation, options)
  const { tag, summary, description, access } = operation
  return {
    tags: [tag],
    summary,
    description: `${description}\n\n${needs(access)}`,
    ...securityOf(access),
    ...(operation.method === 'GET'
      ? { parameters: parametersOf(operation, example) }
      : {
          ...(operation.access === 'trade' ? { parameters: [IDEMPOTENCY_KEY] } : {}),
          requestBody: bodyOf(operation, example),
        }),
    responses: responsesOf(operation),
  }
}

function needs(access: Access): string {
  if (access === 'public') return 'Anybody may ask.'
  if (access === 'session') return 'Needs a signed-in person; API keys are refused.'
  return `Needs a key with the scope \`${access}\`, or a signed-in person whose role has it.`
}

function securityOf(access: Access): JsonSchema {
  if (access === 'public') return { security: [] }
  return access === 'session' ? { security: [{ session: [] }] } : {}
}

/** `analyzer/toggle` as a name in programs: `analyzerToggle`. */
export const operationId = (name: string): string =>
  name.replace(/\/:?([a-z])/g, (_match, letter: string) => letter.toUpperCase())

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

/** Options that examples name expire; whoever tries them needs those that don't yet. */
function withExpiry(example: JsonSchema, nextExpiry: string): JsonSchema {
  const { symbol, symbols } = example
  if (Array.isArray(symbols)) {
    return { ...example, symbols: symbols.map((each: JsonSchema) => withExpiry(each, nextExpiry)) }
  }
  const parts = typeof symbol === 'string' ? /^(NIFTY)\d\d[A-Z]{3}\d\d(\d+[CP]E)$/.exec(symbol) : null
  return parts === null ? example : { ...example, symbol: `${parts[1]}${nextExpiry}${parts[2]}` }
}

/** An input that works as it stands, once the example of placeorder, or of placegttorder, has been sent. */
export function exampleOf(operation: AnyOperation, { firstOrderId, nextExpiry }: OpenApiOptions): JsonSchema {
  const example = withExpiry(operation.example, nextExpiry)
  if ('expiry_date' in example) return { ...example, expiry_date: nextExpiry }
  if ('trigger_id' in example)
    return { ...example, trigger_id: `GTT-${firstOrderId.slice(0, 6)}-${firstOrderId.slice(6)}` }
  return 'orderid' in example ? { ...example, orderid: firstOrderId } : example
}

function bodyOf(operation: AnyOperation, example: JsonSchema): JsonSchema {
  const schema = objectSchema(operation.input)
  const ignored = Object.entries(operation.ignored ?? {}).map(([name, reason]) => [
    name,
    { description: reason, deprecated: true },
  ])
  const { properties: own } = schema
  const isForKeys = operation.access !== 'public' && operation.access !== 'session'
  const properties = {
    ...(own as JsonSchema),
    ...Object.fromEntries(ignored),
    ...(isForKeys ? { apikey: API_KEY } : {}),
    ...(operation.access === 'trade' ? { [CLIENT_ORDER_ID]: CLIENT_ORDER_ID_SCHEMA } : {}),
  }
  return {
    required: true,
    content: {
      'application/json': {
        schema: { ...schema, properties, additionalProperties: operation.others ?? false },
        example,
      },
    },
  }
}

function parametersOf(operation: AnyOperation, example: JsonSchema): JsonSchema[] {
  const parameters: JsonSchema[] = Object.entries<AnyField>(operation.input).map(([name, field]) => {
    const inPath = operation.name.includes(`:${name}`)
    const shownExample = example[name] === undefined ? {} : { example: example[name] }
    return {
      name,
      in: inPath ? 'path' : 'query',
      required: inPath || field.required,
      schema: field.schema,
      ...shownExample,
    }
  })
  for (const [name, description] of Object.entries(operation.ignored ?? {})) {
    parameters.push({ name, in: 'query', required: false, deprecated: true, schema: { type: 'string', description } })
  }
  return operation.keyInQuery === true
    ? [...parameters, { name: 'apikey', in: 'query', required: false, schema: API_KEY }]
    : parameters
}

function responsesOf(operation: AnyOperation): JsonSchema {
  const codesByStatus = new Map<number, WireCode[]>()
  for (const code of new Set<WireCode>([...COMMON_CODES, ...(operation.refusals ?? [])])) {
    const overrides: { readonly [Code in WireCode]?: number } = operation.refusalStatus ?? {}
    const status = overrides[code] ?? STATUS_OF[code]
    codesByStatus.set(status, [...(codesByStatus.get(status) ?? []), code])
  }
  const failures = [...codesByStatus].map(([status, codes]) => [
    String(status),
    {
      description: `Refused: ${codes.map((code) => `\`${code}\``).join(', ')}.`,
      content: {
        'application/json': { schema: { $ref: '#/components/schemas/Error' } },
        ...(operation.failsInText === undefined ? {} : textsOf(['text/plain'])),
      },
    },
  ])
  const success = {
    description: 'Done.',
    headers: { 'X-Request-Id': { schema: { type: 'string' } } },
    content: { ...contentOf(operation.output), ...textsOf(operation.otherMediaTypes) },
  }
  return { '200': success, ...Object.fromEntries(failures) }
}

function contentOf(output: AnyOperation['output']): JsonSchema {
  if (!('contentMediaType' in output)) return { 'application/json': { schema: withWarnings({ ...output }) } }
  return { [String(output.contentMediaType)]: { schema: { type: 'string' } } }
}

const textsOf = (mediaTypes: readonly string[] = []): JsonSchema =>
  Object.fromEntries(mediaTypes.map((mediaType) => [mediaType, { schema: { type: 'string' } }]))

/** The same as plain data: what isn't JSON would silently be missing for whoever reads the document. */
function plainJson(document: JsonSchema): JsonSchema {
  const text = JSON.stringify(document, (key, value: unknown) => {
    if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`${key} is ${shown(value)}, not JSON`)
    return value
  })
  return JSON.parse(text) as JsonSchema
}
