import { OWNER } from '../identity/audit.ts'
import type { Identity } from '../identity/identity.ts'
import { hasTotp, type User } from '../identity/users.ts'
import { Refusal } from '../kernel/errors.ts'
import type { ControlCommands } from './control.ts'

/** A user as the command line shows one: without anything secret. */
export interface ShownUser {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly role: string
  readonly createdAt: number
  readonly isDisabled: boolean
  readonly hasTotp: boolean
}

/** What each command answers. */
export interface UserResults {
  readonly 'user-create': ShownUser
  readonly 'user-list': readonly ShownUser[]
  /** `url` is where the user sets a new password; undefined when the command set one. */
  readonly 'user-reset-password': { readonly user: ShownUser; readonly url?: string }
  readonly 'user-disable': ShownUser
  readonly 'user-enable': ShownUser
}

/** The commands on users, run by the server when one runs, else by the command line itself. */
export function userCommands(
  identity: Identity,
): ControlCommands & { readonly [K in keyof UserResults]: (args: unknown) => Promise<UserResults[K]> } {
  const named = (args: unknown): User => {
    const name = text(args, 'name')
    const user = identity.users.findByName(name)
    if (user === undefined) throw new Refusal('not_found', `There is no user with the name "${name}".`)
    return user
  }
  const setDisabled = async (args: unknown, disabled: boolean): Promise<ShownUser> =>
    shownUser(await identity.changeUser(named(args).id, { disabled }, OWNER))
  return {
    'user-create': async (args) => {
      const wanted = {
        name: text(args, 'name'),
        email: text(args, 'email'),
        role: text(args, 'role'),
        password: text(args, 'password'),
      }
      return shownUser(await identity.createUser(wanted, OWNER))
    },
    'user-list': async () => identity.users.list().map(shownUser),
    'user-reset-password': async (args) => {
      const user = named(args)
      if (user.disabledAt !== undefined)
        throw new Refusal('validation_failed', `${user.name} is disabled. Enable the user first.`)
      const password = field(args, 'password')
      if (password !== undefined) await identity.overridePassword(user, text(args, 'password'), OWNER)
      const url = password === undefined ? await identity.resetLink(user, OWNER) : undefined
      if (field(args, 'removeTotp') === true && hasTotp(user)) await identity.removeTotp(user, OWNER)
      return { user: shownUser(named(args)), ...(url === undefined ? {} : { url }) }
    },
    'user-disable': (args) => setDisabled(args, true),
    'user-enable': (args) => setDisabled(args, false),
  }
}

const shownUser = (user: User): ShownUser => ({
  id: user.id,
  name: user.name,
  email: user.email,
  role: user.role,
  createdAt: user.createdAt,
  isDisabled: user.disabledAt !== undefined,
  hasTotp: hasTotp(user),
})

function field(args: unknown, name: string): unknown {
  const fields: Readonly<Record<string, unknown>> = typeof args === 'object' && args !== null ? { ...args } : {}
  return fields[name]
}

function text(args: unknown, name: string): string {
  const value = field(args, name)
  if (typeof value !== 'string') throw new Refusal('validation_failed', `${name} must be text.`)
  return value
}
