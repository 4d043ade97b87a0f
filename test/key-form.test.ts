import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { filesIn } from './data-folder.ts'
import { type RawAnswer, send } from './raw-http.ts'
import { ServerProcess } from './server-process.ts'
import { setUp } from './sign-in.ts'

/** Forms that make keys, on a server that is killed between the form and its answer, or after it. */

let server: ServerProcess
let session: string
beforeAll(async () => {
  server = await ServerProcess.start()
  session = await setUp(server)
})
afterAll(async () => {
  await server.stop()
  await server.remove()
})

const get = (path: string, accept = 'text/html'): Promise<RawAnswer> =>
  send(server.port, path, { headers: { accept, cookie: session } })

/** What a browser sends with the form of a page, and sends again when somebody reloads the answer. */
async function filledIn(path: string, fields: Record<string, string>): Promise<string> {
  const { text } = await get(path)
  const form = new URLSearchParams(fields)
  for (const name of ['csrf', 'client_request_id', 'id']) {
    const [, value] = new RegExp(`name="${name}" value="([^"]+)"`).exec(text) ?? []
    if (value !== undefined) form.set(name, value)
  }
  return form.toString()
}

const submit = (path: string, text: string): Promise<RawAnswer> =>
  send(server.port, path.split('?', 1).join(), {
    method: 'POST',
    headers: { accept: 'text/html', cookie: session, 'content-type': 'application/x-www-form-urlencoded' },
    text,
  })

const keyIn = ({ text }: RawAnswer): string => /<code data-copy="the key">(sk_[\w-]{43})</.exec(text)?.[1] ?? ''

async function keysNamed(name: string): Promise<readonly string[]> {
  const { body } = await get('/api/v1/keys', 'application/json')
  return (body['data'] as { id: string; name: string }[]).filter((key) => key.name === name).map(({ id }) => id)
}

const fundsBy = async (key: string): Promise<number> =>
  (await send(server.port, '/api/v1/funds', { headers: { 'x-api-key': key }, json: {} })).status

async function killed(): Promise<void> {
  await server.kill()
  await server.start()
}

test.each([
  ['made', '/keys/new'],
  ['replaced', '/keys/rotate?id='],
])(
  'a key that was %s is in the answer to its form and nowhere else, and a crash later the form makes no second',
  async (name, path) => {
    const [first = ''] = await keysNamed('first')
    const page = path.endsWith('=') ? path + first : path
    const fields = path.endsWith('=') ? { overlap_hours: '0' } : { name, scopes: 'read' }
    const form = await filledIn(page, fields)
    const answer = await submit(page, form)
    expect([answer.status, answer.headers['cache-control'], answer.headers['location']]).toEqual([
      200,
      'no-store',
      undefined,
    ])
    const key = keyIn(answer)
    expect(await fundsBy(key)).toBe(200)
    const before = await get('/api/v1/keys', 'application/json')
    for (let times = 0; times < 2; times += 1) {
      const again = await submit(page, form)
      expect([again.status, again.headers['cache-control']]).toEqual([409, 'no-store'])
      expect(again.text).toMatch(/can’t be shown again[\s\S]+href="\/keys\/revoke\?id&#61;key_/)
      expect(again.text).not.toContain('sk_')
      await killed()
    }
    const ids = ({ body }: RawAnswer) => (body['data'] as { id: string }[]).map(({ id }) => id)
    expect(ids(await get('/api/v1/keys', 'application/json'))).toEqual(ids(before))
    expect(await fundsBy(key)).toBe(200)
    expect(filesIn(server.dataDir).filter(({ bytes }) => bytes.includes(key))).toEqual([])
    expect(server.output).not.toContain(key)
  },
)

test.each([0, 3, 10])(
  'a form whose answer a crash cuts off after %i ms makes one key, when it is sent again',
  async (pauseMs) => {
    const name = `cut off after ${pauseMs}`
    const form = await filledIn('/keys/new', { name, scopes: 'read' })
    const cutOff = submit('/keys/new', form).catch(() => undefined)
    await sleep(pauseMs)
    await killed()
    await cutOff
    const wasMade = (await keysNamed(name)).length === 1
    const again = await submit('/keys/new', form)
    expect(again.status).toBe(wasMade ? 409 : 200)
    expect(keyIn(again) === '').toBe(wasMade)
    expect(await keysNamed(name)).toHaveLength(1)
  },
)
