import { type RawAnswer, send } from './raw-http.ts'
import type { ServerProcess } from './server-process.ts'

export const ADMIN = { name: 'asha', email: 'asha@example.com', password: 'a phrase for the tests' } as const

/** Creates the first user, through the link that the first start prints. Answers the cookie of her session. */
export async function setUp(server: ServerProcess): Promise<string> {
  const [, token] = /^Set up users within 30 minutes: \S+\/setup\?token=(\S+)$/m.exec(server.output) ?? []
  const answer = await send(server.port, '/api/v1/auth/setup', { json: { token, ...ADMIN } })
  if (answer.status !== 200) throw new Error(`The first user couldn't be created: ${answer.text}`)
  return sessionOf(answer)
}

/** The session's cookie that an answer sets, as a browser sends it back; empty when it sets none. */
export function sessionOf({ headers }: RawAnswer): string {
  const [cookie] = [headers['set-cookie'] ?? []].flat().filter((text) => text.startsWith('sauda_session='))
  return cookie?.split(';', 1)[0] ?? ''
}
