import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ManualClock } from '../kernel/clock.ts'
import { type Databases, openDatabases } from '../storage/open.ts'
import { AccountStore } from './accounts.ts'
import { type AuditEntry, ITSELF } from './audit.ts'
import type { Caller, Role } from './caller.ts'
import { type From, Identity, type LoginResult } from './identity.ts'
import { KeyStore } from './key-store.ts'
import type { Mailer } from './mail.ts'
import { type HashCost, PasswordHasher } from './password.ts'
import type { SessionRules } from './sessions.ts'
import type { User } from './users.ts'

export const START = Date.UTC(2026, 2, 2, 4, 0)
export const PASSWORD = 'plum orbit seven kites'
export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000

export const HOME: From = { address: '203.0.113.7', device: 'Firefox on Linux', requestId: 'req-home' }
export const AWAY: From = { address: '198.51.100.9', device: 'curl/8', requestId: 'req-away' }

export interface TestRoomsOptions {
  readonly mailer?: Mailer
  readonly sessionRules?: SessionRules
  /** Fills the folder before the rooms open on it. */
  readonly prepare?: (dataDir: string) => Promise<void>
}

/** So that tests needn't wait for what attackers must wait for. */
export const CHEAP: HashCost = { memoryCost: 8, timeCost: 1, parallelism: 1 }

let passwordHash: Promise<string> | undefined

/** For tests: the users, keys and accounts of a data folder of their own, wired as in the app. */
export class TestRooms {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'sauda-identity-'))
  readonly clock = new ManualClock(START)
  readonly audit: AuditEntry[] = []
  readonly failedLogins: string[] = []
  readonly errors: unknown[] = []
  readonly openedBooks: string[] = []
  readonly #options: TestRoomsOptions
  #opened: Opened | undefined

  private constructor(options: TestRoomsOptions) {
    this.#options = options
  }

  static async open(options: TestRoomsOptions = {}): Promise<TestRooms> {
    const rooms = new TestRooms(options)
    await options.prepare?.(rooms.dataDir)
    await rooms.start()
    return rooms
  }

  get databases(): Databases {
    return this.#running.databases
  }

  get identity(): Identity {
    return this.#running.identity
  }

  get keys(): KeyStore {
    return this.#running.keys
  }

  get accounts(): AccountStore {
    return this.#running.accounts
  }

  get #running(): Opened {
    if (this.#opened === undefined) throw new Error('the rooms are not open')
    return this.#opened
  }

  /** Stops in order and starts on the same folder. */
  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  async stop(): Promise<void> {
    await Promise.all([this.identity.close(), this.keys.close()])
    await this.databases.close()
  }

  async start(): Promise<void> {
    const { clock, dataDir } = this
    const databases = await openDatabases(dataDir, clock)
    const audit = (entry: AuditEntry) => void this.audit.push(entry)
    const onError = (error: unknown) => void this.errors.push(error)
    const accounts = await AccountStore.open({
      money: databases.money,
      clock,
      audit,
      openBooks: async (id) => void this.openedBooks.push(id),
    })
    const identity = await Identity.open({
      databases,
      dataDir,
      clock,
      sessionRules: this.#options.sessionRules ?? { idleMs: HOUR_MS, absoluteMs: 12 * HOUR_MS },
      audit,
      mailer: this.#options.mailer,
      publicUrl: () => 'https://sauda.example',
      failedLogin: (address) => void this.failedLogins.push(address),
      userChanged: (userId) => keys.userChanged(userId),
      openAccount: async (userId) => void (await accounts.create(userId, 'default', ITSELF)),
      adopted: (userId) => {
        accounts.adopt(userId)
        keys.adopt(userId)
      },
      onError,
      hasher: new PasswordHasher(CHEAP),
    })
    const keys = await KeyStore.open({
      money: databases.money,
      dataDir,
      clock,
      audit,
      ownerOf: (userId) => {
        const user = identity.users.find(userId)
        return user === undefined ? undefined : { ...user, disabled: user.disabledAt !== undefined }
      },
      onError,
    })
    this.#opened = { databases, identity, keys, accounts }
  }

  /** Stops, if it still runs, and removes the folder. */
  async dispose(): Promise<void> {
    await this.databases.close()
    rmSync(this.dataDir, { recursive: true, force: true })
  }

  /** A user with the password `PASSWORD`, which is hashed once only, and an account. */
  async user(name: string, role: Role = 'admin'): Promise<User> {
    passwordHash ??= new PasswordHasher(CHEAP).hash(PASSWORD)
    const email = `${name}@example.com`
    const user = await this.identity.users.create({ name, email, role, passwordHash: await passwordHash })
    await this.accounts.create(user.id, 'default', ITSELF)
    return user
  }

  /** Signs in without the cost of a password. */
  async signedIn(user: User, from: From = HOME): Promise<{ readonly token: string; readonly caller: Caller }> {
    const { token } = await this.identity.sessions.begin(user.id, from.device, from.address)
    const caller = this.callerOf(token)
    if (caller === undefined) throw new Error(`${user.name} can't be signed in`)
    return { token, caller }
  }

  callerOf(token: string): Caller | undefined {
    return this.identity.callerOf(token, this.clock.now(), (userId) => this.accounts.defaultOf(userId))
  }

  /** Names of the files of the data folder that hold one of the texts in clear, as text or as the bytes it stands for. */
  filesWith(secrets: readonly string[]): readonly string[] {
    return readdirSync(this.dataDir, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => ({ name, content: readFileSync(join(this.dataDir, name)) }))
      .filter(({ content }) => secrets.some((secret) => content.includes(secret)))
      .map(({ name }) => name)
  }
}

interface Opened {
  readonly databases: Databases
  readonly identity: Identity
  readonly keys: KeyStore
  readonly accounts: AccountStore
}

/** The challenge of a login that goes on with a code. */
export function challengeOf(result: LoginResult): string {
  if (result.kind !== 'totp') throw new Error('no second factor was asked for')
  return result.challenge
}

/** What a promise is refused with; throws when it isn't. */
export async function refusalOf(promise: Promise<unknown>): Promise<unknown> {
  const [settled] = await Promise.allSettled([promise])
  if (settled?.status !== 'rejected') throw new Error('it was not refused')
  return settled.reason
}
