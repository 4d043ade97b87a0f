import Type from 'typebox'
import { PASSWORD_LENGTH_MAX } from '../../identity/password.ts'
import { hasTotp, type User } from '../../identity/users.ts'
import { Refusal } from '../../kernel/errors.ts'
import { flag, text } from '../field.ts'
import { defineOperation } from '../operation.ts'
import { actorOf, instantOut, success } from './caller.ts'

const name = text({ min: 1, max: 254, description: 'Name of the user.', example: 'ravi' })
const email = text({ min: 1, max: 254, description: 'E-mail address.', example: 'ravi@example.com' })
const password = text({
  min: 1,
  max: PASSWORD_LENGTH_MAX,
  secret: true,
  description: 'At least 10 characters, and none of those that everybody tries.',
})
const role = text({ min: 1, max: 16, description: 'admin, trader or viewer.', example: 'trader' })
const userRowOut = Type.Object({
  created_at: instantOut,
  disabled: Type.Boolean(),
  email: Type.String(),
  id: Type.String(),
  name: Type.String(),
  role: Type.String(),
  totp_enabled: Type.Boolean(),
})
const userRow = (user: User) => ({
  id: user.id,
  name: user.name,
  email: user.email,
  role: user.role,
  created_at: user.createdAt,
  disabled: user.disabledAt !== undefined,
  totp_enabled: hasTotp(user),
})

export const users = defineOperation({
  name: 'users',
  method: 'GET',
  tag: 'Users and keys',
  summary: 'Users of the instance',
  description: 'Oldest first.',
  access: 'admin',
  rateClass: 'read',
  input: {},
  output: Type.Object({ data: Type.Array(userRowOut), status: success }),
  example: {},
  handle: (_input, { services }) => ({
    data: services.identity.users.list().map(userRow),
    status: 'success' as const,
  }),
})

export const userscreate = defineOperation({
  name: 'users/create',
  method: 'POST',
  tag: 'Users and keys',
  summary: 'Create a user',
  description:
    'With an account of its own, `default`, on paper. Signed in, send auth/confirm first when your password was given more than 15 minutes ago.',
  access: 'admin',
  rateClass: 'heavy',
  input: { name, email, password, role },
  output: Type.Object({ data: userRowOut, status: success }),
  example: { name: 'ravi', email: 'ravi@example.com', password: 'correct horse battery', role: 'trader' },
  refusals: ['not_set_up', 'reauthentication_required'],
  async handle(input, context) {
    const { identity } = context.services
    if (!identity.isSetUp)
      throw new Refusal('not_set_up', 'Set the instance up first, with the link that its start prints.')
    identity.requireFresh(context.caller, context.now)
    return { data: userRow(await identity.createUser(input, actorOf(context))), status: 'success' as const }
  },
})

export const usersupdate = defineOperation({
  name: 'users/update',
  method: 'POST',
  tag: 'Users and keys',
  summary: "Change a user's role, or disable or enable a user",
  description:
    'What is left out stays. Sessions of a user that is disabled or has another role end at once, and keys follow. The last admin stays one.',
  access: 'admin',
  rateClass: 'read',
  input: {
    id: text({
      min: 1,
      max: 32,
      description: 'As users lists it: put one in place of the example.',
      example: 'usr_aaaaaaaaaa',
    }),
    role: role.optional(),
    disabled: flag({ description: 'true disables, false enables.' }).optional(),
  },
  output: Type.Object({ data: userRowOut, status: success }),
  example: { id: 'usr_aaaaaaaaaa', role: 'viewer' },
  refusals: ['not_found', 'last_admin', 'reauthentication_required'],
  async handle({ id, ...change }, context) {
    const { identity } = context.services
    identity.requireFresh(context.caller, context.now)
    const user = await identity.changeUser(id, change, actorOf(context))
    return { data: userRow(user), status: 'success' as const }
  },
})
