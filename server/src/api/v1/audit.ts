import Type from 'typebox'
import { text } from '../field.ts'
import { defineOperation } from '../operation.ts'
import { instantOut, success, textOrNull } from './caller.ts'
import { belowOf, cursorOf, instant, paging } from './paging.ts'

const exactly = (what: string) => text({ max: 128, description: what }).optional()

export const audit = defineOperation({
  name: 'audit',
  method: 'GET',
  tag: 'Security',
  summary: 'What was done to the instance, by whom',
  description:
    'Logins, keys, users, bans, modes, approvals and what became of them, newest first. Rows are only ever added, and each one seals the one before it.',
  access: 'admin',
  rateClass: 'read',
  input: {
    ...paging,
    actor: exactly('Name of who did it.'),
    action: exactly('Such as key.created; key finds all that begin with it.'),
    target: exactly('Id of what it was done to.'),
    from: instant('From this instant on.').optional(),
    to: instant('Before this instant.').optional(),
  },
  output: Type.Object({
    data: Type.Array(
      Type.Object({
        action: Type.String(),
        actor: Type.String(),
        address: Type.String(),
        at: instantOut,
        detail: Type.Unknown(),
        request_id: Type.String(),
        seq: Type.Integer(),
        target: Type.String(),
      }),
    ),
    next_cursor: textOrNull,
    status: success,
  }),
  example: {},
  async handle({ limit, cursor, actor, action, target, from, to }, { services }) {
    const { rows, below } = await services.audit.list(
      { actor, action, target, from, until: to },
      limit,
      belowOf(cursor),
    )
    return {
      data: rows.map((row) => ({
        action: row.action,
        actor: row.actor,
        address: row.address,
        at: row.at,
        detail: row.detail,
        request_id: row.requestId,
        seq: row.seq,
        target: row.target,
      })),
      next_cursor: cursorOf(below),
      status: 'success' as const,
    }
  },
})

export const auditverify = defineOperation({
  name: 'audit/verify',
  method: 'GET',
  tag: 'Security',
  summary: 'Check that nobody changed the audit log',
  description:
    'Walks the whole chain. `broken_at` is the first row that was changed or is missing, null when all is well. Rows that are missing at the end show by the last seal, which is also kept in the file `audit.head`: whoever could write to that file and to the database could make all of it anew.',
  access: 'admin',
  rateClass: 'heavy',
  input: {},
  output: Type.Object({
    data: Type.Object({
      broken_at: Type.Union([Type.Integer(), Type.Null()]),
      head: Type.String({
        description:
          'Seal of the last of those rows. A note of it on another machine shows later what even whoever owns this one can not make anew.',
      }),
      rows: Type.Integer({ description: 'Rows that are as they were written.' }),
    }),
    status: success,
  }),
  example: {},
  async handle(_input, { services }) {
    const { rows, brokenAt, head } = await services.audit.verify()
    return { data: { broken_at: brokenAt ?? null, head, rows }, status: 'success' as const }
  },
})
