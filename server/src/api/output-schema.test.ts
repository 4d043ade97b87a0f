import Type from 'typebox'
import { describe, expect, it } from 'vitest'
import type { JsonSchema } from './field-type.ts'
import { serialisationSchema } from './output-schema.ts'
import { operations } from './v1/index.ts'

const of = (schema: object): JsonSchema => serialisationSchema({ ...schema } as JsonSchema)

describe('the schema that answers are serialised by', () => {
  it('has every level in alphabetical order, optional keys among the others', () => {
    const schema = of(
      Type.Object({
        b: Type.Array(Type.Object({ z: Type.Number(), a: Type.Optional(Type.Number()) })),
        a: Type.String(),
      }),
    )
    expect(JSON.stringify(schema)).toBe(
      '{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"array","items":' +
        '{"type":"object","properties":{"a":{"type":"number"},"z":{"type":"number"}}}}}}',
    )
  })

  it('needs no test at run time where a union differs in values alone, or is a value or null', () => {
    expect(of(Type.Union([Type.Literal('a'), Type.Literal('b')]))).toEqual({ type: 'string' })
    expect(of(Type.Union([Type.Number(), Type.Null()]))).toEqual({ type: 'number', nullable: true })
    expect(of(Type.Union([Type.Number(), Type.String()]))).toHaveProperty('anyOf')
  })

  it.each(operations.map((operation) => [operation.name, operation.output] as const))(
    'of %s is in alphabetical order throughout',
    (_name, output) => {
      const walk = (schema: unknown): void => {
        if (typeof schema !== 'object' || schema === null) return
        if ('properties' in schema) {
          const names = Object.keys(schema.properties as object)
          expect(names).toEqual(names.toSorted())
        }
        for (const inner of Object.values(schema)) walk(inner)
      }
      walk(of(output))
    },
  )
})
