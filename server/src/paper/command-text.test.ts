import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Command } from './command.ts'
import { commandText } from './command-text.ts'

const json = fc.oneof(
  fc.jsonValue({ depthSize: 'small' }),
  fc.constant(undefined),
  fc.maxSafeInteger(),
  fc.record({ id: fc.maxSafeInteger(), symbol: fc.string(), expiry: fc.option(fc.string(), { nil: undefined }) }),
)

it('is read back as JSON would be, whatever a command consists of', () => {
  const names = fc.constantFrom('instrument', 'session', 'book', 'strategy', 'quantity', 'tag', 'a new field')
  fc.assert(
    fc.property(fc.dictionary(names, json), (fields) => {
      const command = { kind: 'place', at: 1, ...fields } as unknown as Command
      for (const _ of ['written', 'remembered']) {
        expect(JSON.parse(commandText(command))).toEqual(JSON.parse(JSON.stringify(fields)))
      }
    }),
  )
})
