import Type from 'typebox'
import { defineOperation } from '../operation.ts'

export const ping = defineOperation({
  name: 'ping',
  method: 'POST',
  tag: 'Utilities',
  summary: 'Check the connection and the key',
  description: 'Answers `pong` when the server is up and knows the key.',
  access: 'read',
  rateClass: 'read',
  input: {},
  output: Type.Object({
    data: Type.Object({ broker: Type.String(), message: Type.Literal('pong') }),
    status: Type.Literal('success'),
  }),
  example: {},
  handle() {
    return { data: { broker: 'paper', message: 'pong' as const }, status: 'success' as const }
  },
})
