import { randomBytes } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Database } from '../storage/open.ts'
import type { MoneyDatabase } from '../storage/schema.ts'
import type { Statement } from '../storage/writer.ts'
import { CodeLimit } from './code-limit.ts'
import type { FailureCounts } from './failure-counts.ts'
import type { HeldCode } from './held-code.ts'
import type { RecoveryCodes } from './recovery-codes.ts'
import type { Sealer } from './sealed.ts'
import { newTotp, type TotpEnrolment, totpStep } from './totp.ts'
import { hasTotp, type User, type UserStore } from './users.ts'

export interface SecondFactorOptions {
  readonly money: Database<MoneyDatabase>
  readonly users: UserStore
  readonly codes: RecoveryCodes
  readonly sealer: Sealer
  readonly clock: Clock
  readonly failures: FailureCounts
}

/** What wrong codes of six digits count under. */
export interface CodeLimitKeys {
  /** After too many, login_locked. */
  readonly told: string
  /** After too many, every code is wrong: to say why would tell who is meant. */
  readonly untold?: string
}

/** Codes of an authenticator, and the recovery codes that stand in for it. */
export class SecondFactor {
  readonly #options: SecondFactorOptions
  readonly #limit: CodeLimit
  /** For names that nobody has: checking a code of theirs takes as long. */
  readonly #nobodysSecret: string

  constructor(options: SecondFactorOptions) {
    this.#options = options
    this.#limit = new CodeLimit(options.clock, options.failures)
    this.#nobodysSecret = options.sealer.seal(base32(randomBytes(20)), NOBODYS)
  }

  /** Makes a secret, which counts once a code has proved it. */
  async enrol(user: User): Promise<TotpEnrolment> {
    const { users, sealer } = this.#options
    if (hasTotp(user)) throw new Refusal('totp_exists', 'There is a second factor already. Remove it first.')
    const enrolment = await newTotp(user.name)
    const totpSecret = sealer.seal(enrolment.secret, user.id)
    await users.update(user.id, { totpSecret, totpLastStep: 0 })
    return enrolment
  }

  /** Proves the secret with a code and answers the recovery codes. Throws totp_invalid. */
  async confirm(user: User, code: string): Promise<readonly string[]> {
    const { users, codes, clock } = this.#options
    if (hasTotp(user)) throw new Refusal('totp_exists', 'The second factor is switched on already.')
    if (user.totpSecret === undefined)
      throw new Refusal('totp_missing', 'There is nothing to confirm: begin with a new second factor.')
    const limitKey = `confirm ${user.id}`
    this.#limit.attempt(limitKey)
    const held = await this.#holdTotp(user, code)
    if (held === undefined)
      throw new Refusal('totp_invalid', 'The code is wrong. Check that the clock of your device is right.')
    this.#limit.succeeded(limitKey)
    const made = codes.make(user.id)
    const change = { totpConfirmedAt: clock.now() }
    await held.useIn((using) => users.update(user.id, change, [using, ...made.statements]))
    return made.codes
  }

  async remove(user: User): Promise<void> {
    const { users, codes } = this.#options
    await users.update(user.id, { totpSecret: undefined, totpConfirmedAt: undefined }, [codes.dropping(user.id)])
  }

  renewRecoveryCodes(user: User): Promise<readonly string[]> {
    if (!hasTotp(user)) throw new Refusal('totp_missing', 'Recovery codes come with a second factor: set one up first.')
    return this.#options.codes.renew(user.id)
  }

  recoveryCodesLeft(userId: string): Promise<number> {
    return this.#options.codes.left(userId)
  }

  /**
   * Whether it is an unused code of this user's; it is used from now on, in one commit with `also`. Otherwise as `hold`.
   */
  async useCode(
    userId: string,
    code: string,
    limitKeys: CodeLimitKeys | undefined,
    also: readonly Statement[],
  ): Promise<boolean> {
    const held = await this.hold(userId, code, limitKeys)
    await held?.useIn((using) => this.#options.money.writer.write([using, ...also]))
    return held !== undefined
  }

  /**
   * An unused code of this user's; undefined when it is none. Takes as long for nobody (undefined). Six digits that are
   * wrong count under the keys; throws login_locked after too many.
   */
  async hold(userId: string | undefined, code: string, keys: CodeLimitKeys | undefined): Promise<HeldCode | undefined> {
    const user = userId === undefined ? undefined : this.#options.users.find(userId)
    const isShort = /^\s*(\d\s*){6}$/.test(code)
    if (isShort && keys !== undefined) this.#limit.attempt(keys.told)
    const mayBeRight = !isShort || keys?.untold === undefined || this.#limit.mayTry(keys.untold)
    const totp = await this.#holdTotp(mayBeRight && user !== undefined && hasTotp(user) ? user : undefined, code)
    const held = totp ?? (await this.#options.codes.hold(userId ?? NOBODYS, code))
    if (held !== undefined)
      for (const key of [keys?.told, keys?.untold]) if (key !== undefined) this.#limit.succeeded(key)
    return held
  }

  async #holdTotp(user: User | undefined, code: string): Promise<HeldCode | undefined> {
    const { sealer, clock, users } = this.#options
    const sealed = user?.totpSecret ?? this.#nobodysSecret
    const secret = sealer.open(sealed, sealed === this.#nobodysSecret ? NOBODYS : (user?.id ?? NOBODYS))
    const step = await totpStep(secret, code, clock.now(), user?.totpLastStep ?? 0)
    return step === undefined || user?.totpSecret === undefined ? undefined : users.holdStep(user.id, step)
  }
}

const NOBODYS = ''
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const base32 = (bytes: Buffer): string => Array.from(bytes, (byte) => BASE32.charAt(byte & 31)).join('')
