import { Refusal } from '../kernel/errors.ts'
import type { Statement } from '../storage/writer.ts'
import { type Actor, type Audit, entryOf } from './audit.ts'
import type { Mailer } from './mail.ts'
import type { OneTimeLinks } from './one-time-links.ts'
import type { SecondFactor } from './second-factor.ts'
import { actorFrom, type From, type SignIn } from './sign-in.ts'
import { hasTotp, nameKey, type User, type UserStore } from './users.ts'

export const RESET_LINK_MS = 15 * 60_000
/** Mailed links that wait to be used, for one user: whoever asks for more gets none, and the mailed ones go on working. */
export const RESET_LINKS_MAX = 3

export interface PasswordResetOptions {
  readonly users: UserStore
  readonly links: OneTimeLinks
  readonly signIn: SignIn
  readonly secondFactor: SecondFactor
  readonly audit: Audit
  /** Undefined when no mail can be sent. */
  readonly mailer: Mailer | undefined
  readonly publicUrl: () => string
  /** Throws validation_failed unless it may be a password of who has these names. */
  readonly checkPassword: (field: string, password: string, names: readonly string[]) => Promise<void>
  /** Sets a password that was checked, and `also` in one commit; ends all sessions and reset links of the user. */
  readonly setPassword: (user: User, password: string, also?: readonly Statement[]) => Promise<User>
  readonly onError: (error: unknown) => void
}

/** New passwords for who has forgotten the old one. */
export class PasswordReset {
  readonly #options: PasswordResetOptions

  constructor(options: PasswordResetOptions) {
    this.#options = options
  }

  /**
   * Mails a link, if there is such a user and mail is set up. Neither what it answers nor how long it takes tells which it
   * was: all of it happens afterwards.
   */
  forgot(name: string, from: From): void {
    setImmediate(() => this.#mailLink(name, from).catch(this.#options.onError))
  }

  async #mailLink(name: string, from: From): Promise<void> {
    const { mailer, users, links, audit } = this.#options
    const user = users.findByName(name)
    if (mailer === undefined || user === undefined || user.disabledAt !== undefined) return
    let isSent = false
    if ((await links.count('reset', user.id)) < RESET_LINKS_MAX) {
      const url = this.#urlOf(await links.make('reset', user.id, RESET_LINK_MS))
      isSent = mailer.send(
        user.email,
        'Set a new Sauda password',
        `Somebody, hopefully you, asked for a new password for ${user.name}.\n\n` +
          `Open this link within 15 minutes to set it; it works once:\n\n${url}\n\n` +
          'If it was not you, do nothing: your password stays as it is.\n',
      )
    }
    audit(entryOf({ ...actorFrom(user, from), name: 'unknown' }, 'password.reset-asked', user.id, { isSent }))
  }

  /** A link for somebody whom the owner of the machine lets in again, in place of all earlier ones. */
  async link(user: User, actor: Actor): Promise<string> {
    const { links, audit } = this.#options
    const token = await links.make('reset', user.id, RESET_LINK_MS, [links.dropping('reset', user.id)])
    audit(entryOf(actor, 'password.reset-link', user.id, { name: user.name }))
    return this.#urlOf(token)
  }

  /** Throws link_invalid unless a link would set a password now, or login_locked after too many wrong ones. */
  requireLink(token: string, from: From): Promise<void> {
    return this.#try(from, async () => {
      const link = await this.#options.links.look('reset', token)
      if (this.#holder(link?.userId) === undefined) throw wrongLink()
    })
  }

  /**
   * Sets a password with a link. Throws link_invalid; login_locked after too many wrong ones; or validation_failed, after
   * which the link still works.
   */
  byLink(token: string, wanted: string, from: From): Promise<void> {
    const { links, audit, checkPassword, setPassword } = this.#options
    return this.#try(from, async () => {
      let user: User | undefined
      const worked = await links.use('reset', token, async (userId) => {
        user = this.#holder(userId)
        if (user === undefined) throw wrongLink()
        await checkPassword('new_password', wanted, [user.name, user.email])
        await setPassword(user, wanted)
      })
      if (!worked || user === undefined) throw wrongLink()
      audit(entryOf(actorFrom(user, from), 'password.reset', user.id, { by: 'link' }))
    })
  }

  #try(from: From, act: () => Promise<void>): Promise<void> {
    return this.#options.signIn.tryLink(from, 'password.reset-failed', act)
  }

  /** Sets a password with a code of the authenticator or a recovery code. Throws login_failed or login_locked. */
  async byCode(name: string, code: string, wanted: string, from: From): Promise<void> {
    const { users, signIn, secondFactor, audit, checkPassword, setPassword } = this.#options
    await checkPassword('new_password', wanted, [name]) // before the code is used up, and without a look at the user
    const found = users.findByName(name)
    const attempt = signIn.attempt(name, found, from)
    const isAble = found !== undefined && found.disabledAt === undefined && hasTotp(found) && !attempt.isTooSoon
    const user = isAble ? found : undefined
    const key = nameKey(name)
    const keys = { told: `reset ${key}`, untold: `reset of ${found?.id ?? `nobody ${key}`}` }
    const held = await secondFactor.hold(user?.id, code, keys)
    if (held === undefined || user === undefined) {
      throw signIn.failed(found, from, 'password.reset-failed', WRONG_CODE)
    }
    attempt.succeeded()
    await held.useIn((using) => setPassword(user, wanted, [using]))
    audit(entryOf(actorFrom(user, from), 'password.reset', user.id, { by: 'code' }))
  }

  /** Who sets a password with a link of theirs. */
  #holder(userId: string | undefined): User | undefined {
    const user = userId === undefined ? undefined : this.#options.users.find(userId)
    return user?.disabledAt === undefined ? user : undefined
  }

  #urlOf(token: string): string {
    return `${this.#options.publicUrl()}/reset?token=${token}`
  }
}

/** Also of a right code that came after too many wrong ones by another name of the same user. */
const WRONG_CODE =
  'The name or the code is wrong, or the code was used before. After many that were, wait a day or use a recovery code.'

const wrongLink = (): Refusal => invalidLink('Ask for a new one.')

export const invalidLink = (advice: string): Refusal =>
  new Refusal('link_invalid', `This link doesn't work: it was used, is too old, or isn't complete. ${advice}`)
