import type { Clock } from '../kernel/clock.ts'
import type { Databases } from '../storage/open.ts'
import type { Audit } from './audit.ts'
import type { Mailer } from './mail.ts'
import type { PasswordHasher } from './password.ts'
import type { SessionRules } from './sessions.ts'

export interface IdentityOptions {
  readonly databases: Databases
  readonly dataDir: string
  readonly clock: Clock
  readonly sessionRules: SessionRules
  readonly audit: Audit
  /** Undefined when no mail can be sent. */
  readonly mailer: Mailer | undefined
  /** Where browsers find Sauda, without a slash at the end: front of the links in mails. */
  readonly publicUrl: () => string
  readonly failedLogin: (address: string) => void
  /** A user's role changed, or it was disabled or enabled. */
  readonly userChanged: (userId: string) => void
  /** Opens the account that a new user starts with. */
  readonly openAccount: (userId: string) => Promise<void>
  /** The first user exists now, and owns what belonged to nobody. */
  readonly adopted: (userId: string) => void
  readonly onError: (error: unknown) => void
  readonly hasher?: PasswordHasher
}

export interface WantedUser {
  readonly name: string
  readonly email: string
  readonly password: string
  readonly role: string
}
