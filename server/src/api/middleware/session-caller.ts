import type { Account } from '../../identity/accounts.ts'
import type { Caller } from '../../identity/caller.ts'
import { Refusal } from '../../kernel/errors.ts'
import type { Cookies } from '../session-cookie.ts'
import type { Visit } from '../visit.ts'

export interface SessionCallerOptions {
  readonly cookies: Cookies
  /** Who is signed in with a cookie's token, on the account that the function names for the user. */
  readonly callerOf: (token: string, now: number, accountOf: (userId: string) => string) => Caller | undefined
  readonly findAccount: (id: string) => Account | undefined
  readonly defaultAccount: (userId: string) => string
}

/** Header in which a signed-in person's request names the account that it is about; without it, the first one. */
export const ACCOUNT_HEADER = 'x-account'

/** Who is signed in with a request's cookie. Throws account_not_found for an account that isn't theirs. */
export function sessionCallers(options: SessionCallerOptions): (visit: Visit) => Caller | undefined {
  const { cookies, callerOf, findAccount, defaultAccount } = options
  return (visit) => {
    const token = cookies.sessionToken(visit.headers)
    if (token === undefined) return undefined
    return callerOf(token, visit.at, (userId) => {
      const named = visit.headers[ACCOUNT_HEADER]
      if (named === undefined) return defaultAccount(userId)
      const account = typeof named === 'string' ? findAccount(named) : undefined
      if (account !== undefined && account.userId === userId) return account.id
      throw new Refusal('account_not_found', `You have no account "${String(named).slice(0, 64)}".`)
    })
  }
}
