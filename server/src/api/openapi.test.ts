import { describe, expect, it } from 'vitest'
import { mountDocs } from './docs/index.ts'
import { FieldProblem } from './field-type.ts'
import { objectDecoder } from './nested-fields.ts'
import { exampleOf, openApiDocument, operationId } from './openapi.ts'
import { type AnyOperation, pathsOf } from './operation.ts'
import { testServer } from './test-api.ts'
import { operations } from './v1/index.ts'

interface Document {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>
}
interface DocumentedOperation {
  readonly operationId: string
  readonly parameters?: readonly { readonly name: string; readonly example?: unknown }[]
  readonly requestBody?: {
    readonly content: { readonly 'application/json': { readonly schema: Schema; readonly example: unknown } }
  }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content: unknown }>>
}
interface Schema {
  readonly properties: Readonly<Record<string, unknown>>
  readonly required?: readonly string[]
}

const OPTIONS = { version: '1.2.3', firstOrderId: '26010100000001', nextExpiry: '06JAN26' }
const document = openApiDocument(operations, OPTIONS) as unknown as Document
const all: readonly AnyOperation[] = operations

function* walk(value: unknown): Generator<Readonly<Record<string, unknown>>> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield value as Record<string, unknown>
  for (const inner of Object.values(value)) yield* walk(inner)
}

describe('the OpenAPI document', () => {
  it('has the shape of 3.1 and survives JSON', () => {
    expect(document.openapi).toMatch(/^3\.1\./)
    expect(document.info).toMatchObject({ title: 'Sauda API', version: '1.2.3' })
    expect(JSON.parse(JSON.stringify(document))).toEqual(document)
  })

  it('has every operation once, each with an id of its own', () => {
    const documented = Object.values(document.paths).flatMap((path) => Object.values(path))
    expect(documented).toHaveLength(all.flatMap(pathsOf).length)
    expect(new Set(documented.map((operation) => operation.operationId)).size).toBe(documented.length)
    expect(operationId('analyzer/toggle')).toBe('analyzerToggle')
  })

  it('names the order that a fresh instance places first, where an example needs one', () => {
    const example = document.paths['/cancelorder']?.['post']?.requestBody?.content['application/json'].example
    expect(example).toMatchObject({ orderid: '26010100000001' })
  })

  it('has no reference that leads nowhere', () => {
    let count = 0
    for (const { $ref } of walk(document)) {
      if ($ref === undefined) continue
      count += 1
      const target = String($ref)
        .replace(/^#\//, '')
        .split('/')
        .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], document)
      expect(target, String($ref)).toBeTypeOf('object')
    }
    expect(count).toBeGreaterThan(operations.length)
  })

  it('has only types that JSON Schema knows', () => {
    const known = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'])
    for (const { type, properties } of walk(document)) {
      if (properties === undefined && (typeof type === 'string' || Array.isArray(type))) {
        for (const name of [type].flat()) if (name !== 'apiKey' && name !== 'http') expect(known).toContain(name)
      }
    }
  })
})

describe.each(all.map((operation) => [operation.name, operation] as const))('the operation %s', (name, operation) => {
  const documented = document.paths[`/${name.replace(/:(\w+)/g, '{$1}')}`]?.[operation.method.toLowerCase()]

  const isForKeys = operation.access !== 'public' && operation.access !== 'session'

  it('has an example that is accepted as it stands', () => {
    const decode = objectDecoder(operation.input, {
      check: operation.check?.bind(operation),
      takesOthers: operation.others !== undefined,
    })
    const example = exampleOf(operation, OPTIONS)
    const result = decode(example, [])
    expect(result instanceof FieldProblem ? result.errors : []).toEqual([])
    const shown =
      operation.method === 'GET'
        ? Object.fromEntries(
            (documented?.parameters ?? []).flatMap((field) =>
              field.example === undefined ? [] : [[field.name, field.example]],
            ),
          )
        : documented?.requestBody?.content['application/json'].example
    expect(shown).toEqual(example)
  })

  it('documents its fields, the key, and every status it may answer', () => {
    const { schema } = documented?.requestBody?.content['application/json'] ?? {}
    const parameters = documented?.parameters?.map((field) => field.name) ?? []
    const fields = [...parameters, ...Object.keys(schema?.properties ?? {})]
    const key = operation.method === 'GET' ? operation.keyInQuery === true : isForKeys
    expect(fields.toSorted()).toEqual(expect.arrayContaining(Object.keys(operation.input)))
    expect(fields.includes('apikey')).toBe(key)
    expect(schema?.required ?? []).not.toContain('apikey')
    const statuses = Object.keys(documented?.responses ?? {})
    expect(statuses).toEqual(expect.arrayContaining(['200', '400', '401', '403', '405', '413', '415', '500', '503']))
  })

  it('has words for people', () => {
    expect(operation.summary.length).toBeGreaterThan(3)
    expect(operation.description).toMatch(/[.`]$/)
  })
})

describe('the documentation', () => {
  it('is served by this server alone, with and without a trailing slash', async () => {
    const app = testServer([])
    const headers = { 'content-security-policy': "default-src 'none'; script-src 'self'; style-src 'self'" }
    mountDocs(app, operations, {
      version: '1.2.3',
      firstOrderId: () => OPTIONS.firstOrderId,
      nextExpiry: () => OPTIONS.nextExpiry,
      headers,
    })
    for (const url of ['/api/v1', '/api/v1/']) {
      const page = await app.inject(url)
      expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
      expect(page.payload).not.toMatch(/(?:src|href)="(?:https?:)?\/\//)
      expect(String(page.headers['content-security-policy'])).toContain("default-src 'none'")
    }
    const { payload } = await app.inject('/api/v1/')
    const files = [...payload.matchAll(/(?:src|href)="(\/api\/v1\/static\/[^"]+)"/g)].map(([, url = '']) => url)
    expect(files).toHaveLength(4)
    for (const url of files) {
      const file = await app.inject(url)
      expect([url, file.statusCode, file.headers['cache-control']]).toEqual([
        url,
        200,
        'public, max-age=31536000, immutable',
      ])
      expect(file.payload.length).toBeGreaterThan(100)
    }
    expect((await app.inject('/api/v1/static/../../../package.json')).statusCode).toBe(404)
    const served = await app.inject('/api/v1/openapi.json')
    expect(served.json()).toEqual(document)
    await app.close()
  })
})
