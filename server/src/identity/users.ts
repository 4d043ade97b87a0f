import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Database } from '../storage/open.ts'
import type { MoneyDatabase, UserTable } from '../storage/schema.ts'
import type { Statement } from '../storage/writer.ts'
import { isRole, type Role } from './caller.ts'
import { type HeldCode, heldCode } from './held-code.ts'
import { newId } from './new-id.ts'
import { checkedFields, refusedField } from './refused-field.ts'

export const USERS_MAX = 1_000
export const EMAIL_LENGTH_MAX = 254
/** Names by which the audit log tells of who is no user. */
const RESERVED_NAMES: readonly string[] = ['owner', 'sauda', 'nobody', 'unknown']
const NAME = /^[a-z][a-z0-9._-]{2,31}$/i
const EMAIL = /^[^\s@<>"(),:;\\]+@[^\s@<>"(),:;\\]+\.[^\s@<>"(),:;\\.]+$/

export interface User {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly role: Role
  readonly passwordHash: string
  /** Sealed. */
  readonly totpSecret: string | undefined
  /** Undefined until a code has proved the secret: until then there is no second factor. */
  readonly totpConfirmedAt: number | undefined
  readonly totpLastStep: number
  readonly createdAt: number
  readonly passwordChangedAt: number
  readonly disabledAt: number | undefined
}

export type UserChange = Partial<Omit<User, 'id' | 'name' | 'email' | 'createdAt'>>

export interface NewUser {
  readonly name: string
  readonly email: string
  readonly role: Role
  readonly passwordHash: string
}

/** The people of an instance, in memory, every change on disk before it counts. */
export class UserStore {
  readonly #money: Database<MoneyDatabase>
  readonly #clock: Clock
  readonly #byId = new Map<string, User>()
  /** Ids by the keys of names and e-mail addresses. */
  readonly #byText = new Map<string, string>()
  /** Names and addresses being taken by a user that is on its way to the disk. */
  readonly #taking = new Set<string>()

  private constructor(money: Database<MoneyDatabase>, clock: Clock) {
    this.#money = money
    this.#clock = clock
  }

  static async open(money: Database<MoneyDatabase>, clock: Clock): Promise<UserStore> {
    const store = new UserStore(money, clock)
    for (const row of await money.kysely.selectFrom('user').selectAll().orderBy('created_at').execute()) {
      store.#add(userOf(row))
    }
    return store
  }

  get count(): number {
    return this.#byId.size
  }

  list(): readonly User[] {
    return [...this.#byId.values()]
  }

  find(id: string): User | undefined {
    return this.#byId.get(id)
  }

  /** By name or e-mail address, however it is written (`nameKey`). */
  findByName(text: string): User | undefined {
    const id = this.#byText.get(nameKey(text))
    return id === undefined ? undefined : this.#byId.get(id)
  }

  get enabledAdmins(): number {
    return this.list().filter(({ role, disabledAt }) => role === 'admin' && disabledAt === undefined).length
  }

  /** Throws validation_failed unless a user of that name and address can be created. */
  checkNew(name: string, email: string): void {
    checkedFields(
      () => this.#checkName(name),
      () => this.#checkEmail(email),
    )
    if (this.#byId.size + this.#taking.size / 2 >= USERS_MAX)
      throw new Refusal('validation_failed', `There are ${USERS_MAX} users, as many as there may be.`)
  }

  #checkName(name: string): void {
    if (!NAME.test(name)) {
      throw refusedField(
        'name',
        'A name starts with a letter and has 3 to 32 letters, digits, dots, hyphens or underscores.',
      )
    }
    if (RESERVED_NAMES.includes(name.toLowerCase())) throw refusedField('name', `"${name}" is taken by Sauda itself.`)
    if (this.#isTaken(name)) throw refusedField('name', 'There is a user with this name already.')
  }

  #checkEmail(email: string): void {
    if (email.length > EMAIL_LENGTH_MAX || !EMAIL.test(email))
      throw refusedField('email', 'This is no e-mail address. Write it as name@example.com.')
    if (this.#isTaken(email)) throw refusedField('email', 'There is a user with this e-mail address already.')
  }

  #isTaken(text: string): boolean {
    return this.findByName(text) !== undefined || this.#taking.has(nameKey(text))
  }

  /** Writes the user and, in the same commit, what `also` says of it. */
  async create(wanted: NewUser, also: (id: string) => readonly Statement[] = () => []): Promise<User> {
    const { name, email } = wanted
    this.checkNew(name, email)
    const taken = [nameKey(name), nameKey(email)]
    for (const text of taken) this.#taking.add(text)
    try {
      const now = this.#clock.now()
      const user: User = {
        ...wanted,
        id: newId('usr'),
        totpSecret: undefined,
        totpConfirmedAt: undefined,
        totpLastStep: 0,
        createdAt: now,
        passwordChangedAt: now,
        disabledAt: undefined,
      }
      const { kysely, writer, compile } = this.#money
      await writer.write([compile(kysely.insertInto('user').values(rowOf(user))), ...also(user.id)])
      this.#add(user)
      return user
    } finally {
      for (const text of taken) this.#taking.delete(text)
    }
  }

  /** Writes a change and, in the same commit, `also`. Answers the user as it is then. Throws not_found. */
  async update(id: string, change: UserChange, also: readonly Statement[] = []): Promise<User> {
    const user = this.#byId.get(id)
    if (user === undefined) throw new Refusal('not_found', `There is no user with the id "${id}".`)
    const { kysely, writer, compile } = this.#money
    const row = rowOf({ ...user, ...change })
    // Only what changes: another change may be on its way to the disk
    const columns = CHANGEABLE.filter(([field]) => field in change).map(([, column]) => [column, row[column]])
    const updating = kysely.updateTable('user').set(Object.fromEntries(columns)).where('id', '=', id)
    await writer.write([compile(updating), ...also])
    const changed = { ...(this.#byId.get(id) ?? user), ...change }
    this.#byId.set(id, changed)
    return changed
  }

  /** The code of a time step, which nobody can use again from now on; undefined when another use was faster. */
  holdStep(id: string, step: number): HeldCode | undefined {
    const user = this.#byId.get(id)
    if (user === undefined || step <= user.totpLastStep) return undefined
    this.#byId.set(id, { ...user, totpLastStep: step })
    const { kysely, compile } = this.#money
    const using = kysely.updateTable('user').set({ totp_last_step: step }).where('id', '=', id)
    return heldCode(compile(using), (isUsed) => {
      const present = this.#byId.get(id)
      if (!isUsed && present?.totpLastStep === step) this.#byId.set(id, { ...present, totpLastStep: user.totpLastStep })
    })
  }

  #add(user: User): void {
    this.#byId.set(user.id, user)
    for (const key of [user.name, user.email].map(nameKey)) if (!this.#byText.has(key)) this.#byText.set(key, user.id)
  }
}

/** One text for all ways to write a name or an e-mail address: case, forms of Unicode, space around it. */
export const nameKey = (text: string): string => text.normalize('NFKC').trim().toLowerCase().normalize('NFKC')

export const hasTotp = (user: User): boolean => user.totpConfirmedAt !== undefined

function userOf(row: UserTable): User {
  if (!isRole(row.role)) throw new Error(`money.db: user ${row.id} has the role "${row.role}", which isn't known`)
  return {
    id: row.id,
    name: row.name,
    email: row.email,
    role: row.role,
    passwordHash: row.password_hash,
    totpSecret: row.totp_secret ?? undefined,
    totpConfirmedAt: row.totp_confirmed_at ?? undefined,
    totpLastStep: row.totp_last_step,
    createdAt: row.created_at,
    passwordChangedAt: row.password_changed_at,
    disabledAt: row.disabled_at ?? undefined,
  }
}

const CHANGEABLE = [
  ['role', 'role'],
  ['passwordHash', 'password_hash'],
  ['totpSecret', 'totp_secret'],
  ['totpConfirmedAt', 'totp_confirmed_at'],
  ['totpLastStep', 'totp_last_step'],
  ['passwordChangedAt', 'password_changed_at'],
  ['disabledAt', 'disabled_at'],
] as const satisfies readonly (readonly [keyof UserChange, keyof UserTable])[]

const rowOf = (user: User): UserTable => ({
  id: user.id,
  name: user.name,
  email: user.email,
  role: user.role,
  password_hash: user.passwordHash,
  totp_secret: user.totpSecret ?? null,
  totp_confirmed_at: user.totpConfirmedAt ?? null,
  totp_last_step: user.totpLastStep,
  created_at: user.createdAt,
  password_changed_at: user.passwordChangedAt,
  disabled_at: user.disabledAt ?? null,
})
