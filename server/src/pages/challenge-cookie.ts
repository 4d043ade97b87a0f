import { readCookie } from '../api/session-cookie.ts'
import type { Visit } from '../api/visit.ts'

/**
 * Between the two steps of a login, the browser keeps the challenge that the first one answered: in a cookie that is sent
 * to the second step alone, so that it stands in no address and no page.
 */
const NAME = 'sauda_challenge'
const PATH = '/login/totp'
/** As long as a challenge is valid. */
const SECONDS_MAX = 5 * 60

export const readChallenge = ({ headers }: Visit): string | undefined => readCookie(headers.cookie, NAME)

export const setChallenge = (visit: Visit, challenge: string): void => set(visit, challenge, SECONDS_MAX)

export const clearChallenge = (visit: Visit): void => set(visit, '', 0)

function set(visit: Visit, value: string, seconds: number): void {
  const others = [visit.answerHeaders['set-cookie'] ?? []].flat()
  const cookie = `${NAME}=${value}; Path=${PATH}; HttpOnly; SameSite=Strict; Max-Age=${seconds}`
  visit.answerHeaders['set-cookie'] = [...others, cookie]
}
