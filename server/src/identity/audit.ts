/** Something that was done to the instance. `detail` holds nothing secret. */
export interface AuditEntry {
  /** User name, `owner` of the machine, or what the instance did by itself: `sauda`. */
  readonly actor: string
  /** `room.what`, such as `key.created`. */
  readonly action: string
  readonly target: string
  /** Where it was asked from; empty for the command line and for what the instance did by itself. */
  readonly address: string
  readonly requestId: string
  readonly detail: Readonly<Record<string, unknown>>
}

export type Audit = (entry: AuditEntry) => void

/** Who does something, for the audit log. */
export interface Actor {
  readonly name: string
  readonly address: string
  readonly requestId: string
}

/** Somebody with a shell on the machine. */
export const OWNER: Actor = { name: 'owner', address: '', requestId: '' }
export const ITSELF: Actor = { name: 'sauda', address: '', requestId: '' }

export const entryOf = (
  actor: Actor,
  action: string,
  target: string,
  detail: Readonly<Record<string, unknown>> = {},
): AuditEntry => ({ actor: actor.name, address: actor.address, requestId: actor.requestId, action, target, detail })
