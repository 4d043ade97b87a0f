import { setTimeout as sleep } from 'node:timers/promises'
import { Secret, TOTP } from 'otpauth'
import { expect, test } from 'vitest'
import { type RawAnswer, send } from './raw-http.ts'
import { ServerProcess } from './server-process.ts'
import { ADMIN, sessionOf, setUp } from './sign-in.ts'

const STEP_MS = 30_000

/** A text of an answer's data. */
const textOf = ({ body }: RawAnswer, name: string): string =>
  String((body['data'] as Readonly<Record<string, unknown>> | undefined)?.[name])

/** What is answered once nothing has to wait for failures that were written. */
async function unlocked(ask: () => Promise<RawAnswer>): Promise<RawAnswer> {
  const answer = await ask()
  if (answer.status !== 429) return answer
  await sleep(Number(answer.headers['retry-after']) * 1_000)
  return await unlocked(ask)
}

test('a server that is killed between password and code goes on with the code, and gives no try back', async () => {
  const server = await ServerProcess.start()
  try {
    const cookie = await setUp(server)
    const ask = (name: string, json: object, headers = {}) => send(server.port, `/api/v1/${name}`, { json, headers })
    const enrolled = await ask('auth/totp/enrol', { password: ADMIN.password }, { cookie })
    const totp = new TOTP({ secret: Secret.fromBase32(textOf(enrolled, 'secret')) })
    const code = (laterMs = 0): string => totp.generate({ timestamp: Date.now() + laterMs })
    expect((await ask('auth/totp/confirm', { code: code() }, { cookie })).status).toBe(200)
    const login = async () => textOf(await ask('auth/login', { ...ADMIN, email: undefined }), 'challenge')
    const answer = (challenge: string, given: string) => ask('auth/login/totp', { challenge, code: given })

    const challenge = await login()
    expect((await answer(challenge, '000000')).status).toBe(401)
    await server.kill()
    await server.start()
    const signedIn = await answer(challenge, code(STEP_MS))
    expect(signedIn.status).toBe(200)
    const status = await send(server.port, '/api/v1/auth/status', { headers: { cookie: sessionOf(signedIn) } })
    expect(status.body['data']).toMatchObject({ authenticated: true, totp_enabled: true })
    await server.kill()
    await server.start()
    expect((await answer(challenge, code(STEP_MS))).status).toBe(401)

    // A kill forgets the last failures of a name: the login itself has to know its tries
    const guessed = await login()
    for (let tries = 0; tries < 5; tries += 1) {
      const refused = await unlocked(() => answer(guessed, '000000'))
      expect([refused.status, refused.body.message]).toEqual([401, 'The code is wrong, or was used before.'])
      await server.kill()
      await server.start()
    }
    const over = await unlocked(() => answer(guessed, '000000'))
    expect([over.status, over.body.message]).toEqual([401, expect.stringContaining('took too long')])
  } finally {
    await server.remove()
  }
})
