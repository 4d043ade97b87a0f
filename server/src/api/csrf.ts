import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { Refusal } from '../kernel/errors.ts'
import type { Cookies } from './session-cookie.ts'
import type { Visit } from './visit.ts'

const TOKEN_BYTES = 16

/**
 * Proof that a form was shown by us to the browser that sends it: a keyed hash of the session's cookie or, before anybody
 * has signed in, of a cookie of its own. Other sites can make a browser send the cookie, but can't know the hash.
 */
export class Csrf {
  readonly #key: Buffer
  readonly #cookies: Cookies

  /** `secret` is the server's; restarts keep the forms that are open in browsers valid. */
  constructor(secret: Buffer, cookies: Cookies) {
    this.#key = createHmac('sha256', secret).update('csrf').digest()
    this.#cookies = cookies
  }

  /** For a hidden field of every form that this visit is shown. */
  tokenFor(visit: Visit): string {
    let bound = this.#boundTo(visit)
    if (bound === undefined) {
      bound = randomBytes(TOKEN_BYTES).toString('base64url')
      this.#cookies.setForm(visit, bound)
    }
    return this.#hash(bound)
  }

  /** Throws csrf_failed unless the form was made for this browser and session. */
  check(visit: Visit, token: string | undefined): void {
    const bound = this.#boundTo(visit)
    const expected = bound === undefined ? undefined : Buffer.from(this.#hash(bound))
    const given = Buffer.from(token ?? '')
    if (expected !== undefined && given.length === expected.length && timingSafeEqual(given, expected)) return
    throw new Refusal(
      'csrf_failed',
      'This form is no longer valid. Go back, load the page again and send it once more.',
    )
  }

  #boundTo({ headers }: Visit): string | undefined {
    return this.#cookies.sessionToken(headers) ?? this.#cookies.formToken(headers)
  }

  #hash(bound: string): string {
    return createHmac('sha256', this.#key).update(bound).digest('base64url')
  }
}
