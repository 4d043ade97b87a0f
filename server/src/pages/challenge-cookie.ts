import { readCookie } from '../api/session-cookie.ts'
import type { Visit } from '../api/visit.ts'
import { CHALLENGE_MS } from '../identity/login-challenges.ts'
import type { PageContext } from './page.ts'

/**
 * Between the two steps of a login, the browser keeps the challenge that the first one answered: in a cookie that is sent
 * to the second step alone, so that it stands in no address and no page.
 */
const NAME = 'sauda_challenge'
const PATH = '/login/totp'
/** As long as a challenge is valid. */
const SECONDS_MAX = CHALLENGE_MS / 1_000

export const readChallenge = ({ headers }: Visit): string | undefined => readCookie(headers.cookie, NAME)

export const setChallenge = (context: Where, challenge: string): void => set(context, challenge, SECONDS_MAX)

export const clearChallenge = (context: Where): void => set(context, '', 0)

type Where = Pick<PageContext, 'visit' | 'origin'>

function set({ visit, origin }: Where, value: string, seconds: number): void {
  const others = [visit.answerHeaders['set-cookie'] ?? []].flat()
  const secure = origin.startsWith('https:') ? '; Secure' : ''
  const cookie = `${NAME}=${value}; Path=${PATH}; HttpOnly; SameSite=Strict${secure}; Max-Age=${seconds}`
  visit.answerHeaders['set-cookie'] = [...others, cookie]
}
