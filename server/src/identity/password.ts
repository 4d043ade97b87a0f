import { Refusal } from '../kernel/errors.ts'

export const PASSWORD_LENGTH_MIN = 10
export const PASSWORD_LENGTH_MAX = 128
/** Hashes computed at once; each takes a thread and its memory for about a tenth of a second. */
const HASHES_AT_ONCE = 2
export const HASHES_WAITING_MAX = 32

/** Argon2id with the parameters that RFC 9106 recommends for machines that do other things too, with 64 MiB. */
const COST = { memoryCost: 65_536, timeCost: 2, parallelism: 1 } as const

/** What is wrong with a password, as a sentence; undefined when it may be used. Length matters, composition doesn't. */
export async function passwordProblem(password: string, names: readonly string[]): Promise<string | undefined> {
  const { length } = [...password]
  if (length < PASSWORD_LENGTH_MIN) {
    return `A password has at least ${PASSWORD_LENGTH_MIN} characters; this one has ${length}.`
  }
  if (length > PASSWORD_LENGTH_MAX) {
    return `A password has at most ${PASSWORD_LENGTH_MAX} characters; this one has ${length}.`
  }
  const plain = password.toLowerCase()
  if (names.some((name) => name !== '' && plain === name.toLowerCase())) {
    return 'A password must not be your name or your e-mail address.'
  }
  if (new Set(plain).size < 4 || (await commonPasswords()).has(plain)) {
    return 'This password is among the first that attackers try. Choose another one, such as four random words.'
  }
  return undefined
}

let common: Promise<ReadonlySet<string>> | undefined

/** Loaded when first needed: it takes a few megabytes. */
function commonPasswords(): Promise<ReadonlySet<string>> {
  common ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) => new Set(dictionary['passwords-common'].map((password) => String(password))),
  )
  return common
}

/** Hashes and verifies passwords, a few at a time. Throws overloaded when too many wait. */
export class PasswordHasher {
  /** Hashes computed since the start, of known and unknown names alike. */
  computed = 0
  #running = 0
  readonly #waiting: (() => void)[] = []
  #dummy: Promise<string> | undefined

  /** Argon2id in PHC text form. */
  hash(password: string): Promise<string> {
    return this.#inTurn(async () => {
      const argon2 = await import('@node-rs/argon2')
      return argon2.hash(password.normalize('NFKC'), COST)
    })
  }

  /** Whether it is the password. Without a hash to compare with it takes as long, and answers no. */
  async verify(hash: string | undefined, password: string): Promise<boolean> {
    this.#dummy ??= this.hash('nobody has this password')
    const dummy = await this.#dummy
    return this.#inTurn(async () => {
      const argon2 = await import('@node-rs/argon2')
      const right = await argon2.verify(hash ?? dummy, password.normalize('NFKC'))
      return right && hash !== undefined
    })
  }

  async #inTurn<T>(compute: () => Promise<T>): Promise<T> {
    if (this.#running >= HASHES_AT_ONCE) {
      if (this.#waiting.length >= HASHES_WAITING_MAX) {
        throw new Refusal('overloaded', 'Too many people sign in at this moment. Try again in a few seconds.')
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#running += 1
    try {
      this.computed += 1
      return await compute()
    } finally {
      this.#running -= 1
      this.#waiting.shift()?.()
    }
  }
}
