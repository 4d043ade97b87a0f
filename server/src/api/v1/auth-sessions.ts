import Type from 'typebox'
import { text } from '../field.ts'
import { defineOperation } from '../operation.ts'
import { clearSessionCookie } from '../session-cookie.ts'
import { done } from './auth-fields.ts'
import { actorOf, instantOut, success, userIdOf } from './caller.ts'

export const authsessions = defineOperation({
  name: 'auth/sessions',
  method: 'GET',
  tag: 'Sign-in',
  summary: 'Browsers that you are signed in with',
  description: 'Newest first.',
  access: 'session',
  rateClass: 'read',
  input: {},
  output: Type.Object({
    data: Type.Array(
      Type.Object({
        address: Type.String(),
        created_at: instantOut,
        current: Type.Boolean({ description: 'Whether it is the browser that asks.' }),
        device: Type.String(),
        id: Type.String(),
        last_seen_at: instantOut,
      }),
    ),
    status: success,
  }),
  example: {},
  handle(_input, context) {
    const sessions = context.services.identity.sessions.list(userIdOf(context))
    return {
      data: sessions.map(({ id, device, address, createdAt, lastSeenAt }) => ({
        address,
        created_at: createdAt,
        current: id === context.caller.sessionId,
        device,
        id,
        last_seen_at: lastSeenAt,
      })),
      status: 'success' as const,
    }
  },
})

export const authsessionsrevoke = defineOperation({
  name: 'auth/sessions/revoke',
  method: 'POST',
  tag: 'Sign-in',
  summary: 'Sign a browser out',
  description: 'At once. Your own too.',
  access: 'session',
  rateClass: 'read',
  input: {
    id: text({
      min: 1,
      max: 32,
      description: 'As auth/sessions lists it: put one of yours in place of the example.',
      example: 'ses_aaaaaaaaaa',
    }),
  },
  output: done,
  example: { id: 'ses_aaaaaaaaaa' },
  refusals: ['not_found'],
  async handle(input, context) {
    await context.services.identity.endSession(context.caller, input.id, actorOf(context))
    if (input.id === context.caller.sessionId) clearSessionCookie(context)
    return { message: 'Signed out', status: 'success' as const }
  },
})

export const authsessionsrevokeothers = defineOperation({
  name: 'auth/sessions/revoke-others',
  method: 'POST',
  tag: 'Sign-in',
  summary: 'Sign every other browser out',
  description: 'All but the one that asks.',
  access: 'session',
  rateClass: 'read',
  input: {},
  output: done,
  example: {},
  async handle(_input, context) {
    const ended = await context.services.identity.endOtherSessions(context.caller, actorOf(context))
    return { message: `Signed out ${ended} other browsers`, status: 'success' as const }
  },
})
