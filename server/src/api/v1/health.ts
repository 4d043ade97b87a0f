import Type from 'typebox'
import { worst } from '../../monitor/health.ts'
import { integer } from '../field.ts'
import { defineOperation } from '../operation.ts'
import { instantOrNull, instantOut, success } from './caller.ts'

export const health = defineOperation({
  name: 'health',
  method: 'GET',
  tag: 'Monitoring',
  summary: 'How the instance is doing',
  description:
    'Every check with its figure: statements that wait for the journal and the other files, how long the journal takes, accounts, market data, memory, event-loop delay, rows of logs and lines of the log of the process lost since the last regular look, disk, sizes of the databases; and alerts, newest first. `/healthz` and `/readyz` answer machines without a key.',
  access: 'admin',
  rateClass: 'read',
  input: {
    alerts: integer({ min: 0, max: 1_000, description: 'Alerts at most.' }).optional(20, 20),
    samples: integer({ min: 0, max: 8_640, description: 'Earlier looks at most, newest first.' }).optional(0, 0),
  },
  output: Type.Object({
    data: Type.Object({
      alerts: Type.Array(
        Type.Object({
          id: Type.Integer(),
          message: Type.String(),
          name: Type.String(),
          opened_at: instantOut,
          resolved_at: instantOrNull,
          state: Type.String(),
        }),
      ),
      checks: Type.Array(
        Type.Object({
          message: Type.String(),
          name: Type.String(),
          state: Type.String({ description: '`pass`, `warn` or `fail`.' }),
          unit: Type.String(),
          value: Type.Number(),
        }),
      ),
      ready: Type.Boolean(),
      samples: Type.Array(
        Type.Object({ at: instantOut, readings: Type.Record(Type.String(), Type.Number()), state: Type.String() }),
      ),
      state: Type.String(),
    }),
    status: success,
  }),
  example: {},
  handle(input, { services }) {
    const readings = services.health.read()
    return {
      data: {
        alerts: services.health.alerts(input.alerts).map((alert) => ({
          id: alert.id,
          message: alert.message,
          name: alert.name,
          opened_at: alert.openedAt,
          resolved_at: alert.resolvedAt ?? null,
          state: alert.state,
        })),
        checks: readings.map(({ name, state, value, unit, message }) => ({ message, name, state, unit, value })),
        ready: services.health.notReady().length === 0,
        samples: services.health.samples(input.samples).map(({ at, state, readings: found }) => ({
          at,
          readings: { ...found },
          state,
        })),
        state: worst(readings.map(({ state }) => state)),
      },
      status: 'success' as const,
    }
  },
})
