import { OWNER } from '../identity/audit.ts'
import type { CreatedKey, KeyInfo, KeyStore } from '../identity/key-store.ts'
import { Refusal } from '../kernel/errors.ts'
import type { ControlCommands } from './control.ts'

/** What each command answers. */
export interface KeyResults {
  readonly 'key-create': CreatedKey
  readonly 'key-list': readonly KeyInfo[]
  readonly 'key-revoke': { readonly revoked: string }
  readonly 'key-rotate': CreatedKey
}

/** The commands on keys, run by the server when one runs, else by the command line itself. */
export function keyCommands(
  keys: KeyStore,
): ControlCommands & { readonly [K in keyof KeyResults]: (args: unknown) => Promise<KeyResults[K]> } {
  return {
    'key-create': async (args) => {
      const { account, name, scopes, expiresDays, networks } = fieldsOf(args)
      const wanted = {
        account: text(account, 'account'),
        name: text(name, 'name'),
        scopes: texts(scopes, 'scopes'),
        expiresDays: expiresDays === undefined ? undefined : number(expiresDays, 'expiresDays'),
        networks: networks === undefined ? undefined : text(networks, 'networks'),
      }
      return await keys.createKey(wanted, OWNER)
    },
    'key-list': async () => keys.list(),
    'key-revoke': async (args) => {
      const { id } = fieldsOf(args)
      const revoked = text(id, 'id')
      await keys.revoke(revoked, OWNER)
      return { revoked }
    },
    'key-rotate': async (args) => {
      const { id, overlapHours } = fieldsOf(args)
      return await keys.rotate(text(id, 'id'), number(overlapHours, 'overlapHours'), OWNER)
    },
  }
}

function fieldsOf(args: unknown): Readonly<Partial<Record<string, unknown>>> {
  return typeof args === 'object' && args !== null ? { ...args } : {}
}

function text(value: unknown, field: string): string {
  if (typeof value !== 'string') throw new Refusal('validation_failed', `${field} must be text.`)
  return value
}

function number(value: unknown, field: string): number {
  if (typeof value !== 'number') throw new Refusal('validation_failed', `${field} must be a number.`)
  return value
}

function texts(value: unknown, field: string): readonly string[] {
  if (!Array.isArray(value)) throw new Refusal('validation_failed', `${field} must be a list of texts.`)
  return value.map((entry) => text(entry, field))
}
