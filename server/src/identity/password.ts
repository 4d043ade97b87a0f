import { randomBytes } from 'node:crypto'
import { Refusal } from '../kernel/errors.ts'
import { refusedField } from './refused-field.ts'
import { nameKey } from './users.ts'

export const PASSWORD_LENGTH_MIN = 10
export const PASSWORD_LENGTH_MAX = 128
/** Hashes computed at once; each takes a thread and its memory for about a tenth of a second. */
const HASHES_AT_ONCE = 2
export const HASHES_WAITING_MAX = 32

export interface HashCost {
  /** In KiB. */
  readonly memoryCost: number
  readonly timeCost: number
  readonly parallelism: number
}

/** As RFC 9106 recommends where memory isn't plentiful, but on one thread: the others have orders to serve. */
export const PASSWORD_COST: HashCost = { memoryCost: 65_536, timeCost: 3, parallelism: 1 }

/** The same text for every way to type it. */
const normalised = (password: string): string => password.normalize('NFKC')

/** What is wrong with a password, as a sentence; undefined when it may be used. Length matters, composition doesn't. */
export async function passwordProblem(password: string, names: readonly string[]): Promise<string | undefined> {
  const { length } = [...normalised(password)]
  if (length < PASSWORD_LENGTH_MIN) {
    return `A password has at least ${PASSWORD_LENGTH_MIN} characters; this one has ${length}.`
  }
  if (length > PASSWORD_LENGTH_MAX) {
    return `A password has at most ${PASSWORD_LENGTH_MAX} characters; this one has ${length}.`
  }
  const plain = normalised(password).toLowerCase()
  if (names.some((name) => name !== '' && nameKey(password) === nameKey(name))) {
    return 'A password must not be your name or your e-mail address.'
  }
  if (new Set(plain).size < 4 || (await commonPasswords()).has(plain)) {
    return 'This password is among the first that attackers try. Choose another one, such as four random words.'
  }
  return undefined
}

/** Throws validation_failed of the field unless it may be a password of who has these names. */
export async function checkPassword(field: string, password: string, names: readonly string[]): Promise<void> {
  refusePassword(field, await passwordProblem(password, names))
}

/** Throws validation_failed of the field when a password has a problem. */
export function refusePassword(field: string, problem: string | undefined): void {
  if (problem !== undefined) throw refusedField(field, problem)
}

let common: ReadonlySet<string> | undefined

/** Loaded when first needed: it takes a few megabytes. */
async function commonPasswords(): Promise<ReadonlySet<string>> {
  if (common === undefined) {
    const { dictionary } = await import('@zxcvbn-ts/language-common')
    common = new Set(dictionary['passwords-common'].map((password) => String(password)))
  }
  return common
}

/** Hashes and verifies passwords, a few at a time. Throws overloaded when too many wait. */
export class PasswordHasher {
  /** Hashes computed since the start, of known and unknown names alike. */
  computed = 0
  readonly #cost: HashCost
  readonly #nobodys: string
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(cost: HashCost = PASSWORD_COST) {
    this.#cost = cost
    this.#nobodys = hashOfNothing(cost)
  }

  /** Argon2id in PHC text form. */
  hash(password: string): Promise<string> {
    return this.#inTurn(async () => {
      const argon2 = await import('@node-rs/argon2')
      return argon2.hash(normalised(password), this.#cost)
    })
  }

  /** Whether it is the password. Without a hash to compare with it takes as long, and answers no. */
  verify(hash: string | undefined, password: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const argon2 = await import('@node-rs/argon2')
      const right = await argon2.verify(hash ?? this.#nobodys, normalised(password))
      return right && hash !== undefined
    })
  }

  async #inTurn<T>(compute: () => Promise<T>): Promise<T> {
    if (this.#running >= HASHES_AT_ONCE) {
      if (this.#waiting.length >= HASHES_WAITING_MAX) {
        throw new Refusal('overloaded', 'Too many people sign in at this moment. Try again in a few seconds.')
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve)) // and takes over the place of who is done
    } else {
      this.#running += 1
    }
    try {
      this.computed += 1
      return await compute()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running -= 1
      else next()
    }
  }
}

/** A hash that no known password has, and that takes as long to compare with as any other. */
function hashOfNothing({ memoryCost, timeCost, parallelism }: HashCost): string {
  const random = (bytes: number): string => randomBytes(bytes).toString('base64').replace(/=+$/, '')
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${random(16)}$${random(32)}`
}
