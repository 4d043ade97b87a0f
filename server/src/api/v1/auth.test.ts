import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TOTP } from 'otpauth'
import pino from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type App, createApp } from '../../app.ts'
import { loadConfig } from '../../config.ts'
import { OWNER } from '../../identity/audit.ts'
import { ManualClock } from '../../kernel/clock.ts'

const START = Date.UTC(2026, 2, 2, 4, 0)
const PASSWORD = 'plum orbit seven kites'
const NEW_PASSWORD = 'seven kites orbit plum'
const MINUTE_MS = 60_000
/** A clock that stands still never gives a budget back. */
const UNLIMITED = {
  ADDRESS_RATE_LIMIT: '100000 per second',
  API_RATE_LIMIT: '100000 per second',
  LOGIN_RATE_LIMIT: '100000 per second',
  RESET_RATE_LIMIT: '100000 per second',
}

const challengeIn = (data: unknown): string => (data as { readonly challenge: string }).challenge

const opened: (() => Promise<void> | void)[] = []
afterAll(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function start(
  settings: Record<string, string> = {},
): Promise<{ readonly app: App; readonly clock: ManualClock }> {
  const folder = mkdtempSync(join(tmpdir(), 'sauda-auth-'))
  const clock = new ManualClock(START)
  const app = await createApp(
    loadConfig({ DATA_DIR: folder, ...UNLIMITED, ...settings }, folder),
    clock,
    pino({ level: 'silent' }),
  )
  app.listensAt('http://127.0.0.1:5000')
  opened.push(async () => {
    await app.close()
    rmSync(folder, { recursive: true })
  })
  return { app, clock }
}

let addresses = 0

/** A browser at an address of its own: it keeps its cookies. */
class Browser {
  readonly #app: App
  readonly #address: string
  readonly cookies = new Map<string, string>()
  /** Attributes of the cookie that was set last. */
  attributes = ''

  constructor(app: App) {
    this.#app = app
    addresses += 1
    this.#address = `10.0.${addresses >> 8}.${addresses & 255}`
  }

  async send(name: string, input?: object, method: 'GET' | 'POST' = 'POST') {
    const cookie = Array.from(this.cookies, ([key, value]) => `${key}=${value}`).join('; ')
    const body = method === 'POST' ? { payload: input ?? {} } : {}
    const answer = await this.#app.http.inject({
      ...{ method, url: `/api/v1/${name}`, headers: { cookie }, remoteAddress: this.#address },
      ...body,
    })
    for (const set of [answer.headers['set-cookie'] ?? []].flat()) {
      const [, key = '', value = '', attributes = ''] = /^([^=]+)=([^;]*)(.*)$/.exec(set) ?? []
      this.attributes = attributes
      if (value === '') this.cookies.delete(key)
      else this.cookies.set(key, value)
    }
    const json = answer.json<{ code?: string; message?: string; data?: Record<string, never> }>()
    return { ...json, status: answer.statusCode, headers: answer.headers, text: answer.payload }
  }

  async user(): Promise<string | undefined> {
    const { data } = await this.send('auth/status', undefined, 'GET')
    return (data?.['user'] as { name: string } | null | undefined)?.name
  }
}

async function setUp(settings: Record<string, string> = {}) {
  const { app, clock } = await start(settings)
  const browser = new Browser(app)
  const token = await app.identity.newSetUpToken()
  const asha = { token, name: 'asha', email: 'asha@example.com', password: PASSWORD }
  const answer = await browser.send('auth/setup', asha)
  expect(answer).toMatchObject({ status: 200, data: { name: 'asha', role: 'admin' } })
  return { app, clock, browser }
}

/** One instance for the tests that need no settings; each has people of its own. */
let shared: { readonly app: App; readonly clock: ManualClock }
let people = 0
beforeAll(async () => {
  shared = await start()
})

/** Somebody signed in. */
async function signedIn() {
  const { app, clock } = shared
  people += 1
  const name = `asha-${people}`
  await app.identity.createUser({ name, email: `${name}@example.com`, password: PASSWORD, role: 'admin' }, OWNER)
  const browser = new Browser(app)
  expect(await browser.send('auth/login', { name, password: PASSWORD })).toMatchObject({ status: 200 })
  return { app, clock, browser, name }
}

describe('signing in', () => {
  test('begins with set-up, which happens once', async () => {
    const { app } = await start()
    const browser = new Browser(app)
    const before = await browser.send('auth/status', undefined, 'GET')
    expect(before.data).toEqual({
      set_up: false,
      authenticated: false,
      user: null,
      account: '',
      totp_enabled: false,
      recovery_codes_left: 0,
      mail_reset: false,
    })
    const asha = { name: 'asha', email: 'asha@example.com', password: PASSWORD }
    expect(await browser.send('auth/setup', { ...asha, token: 'wrong' })).toMatchObject({
      status: 403,
      code: 'link_invalid',
    })
    const token = (await app.identity.newSetUpToken()) ?? ''
    const check = (tried: string) => browser.send('auth/setup/check', { token: tried })
    const wrong = await Promise.all(['x', 'x'.repeat(43), token.slice(0, -1), `${token}x`].map(check))
    for (const { status, code, message } of wrong)
      expect([status, code, message]).toEqual([403, 'link_invalid', wrong[0]?.message])
    const page = (tried: string) => app.http.inject({ url: `/setup?token=${tried}`, headers: { accept: 'text/html' } })
    expect([(await page('x')).statusCode, (await page(token)).statusCode]).toEqual([403, 200])
    expect(await check(token)).toMatchObject({ status: 200 })
    expect(await browser.send('auth/setup', { ...asha, token, password: 'short' })).toMatchObject({ status: 400 })
    expect(browser.cookies.size).toBe(0)
    expect(await browser.send('auth/setup', { ...asha, token })).toMatchObject({ status: 200 })
    expect(await browser.send('auth/setup', { ...asha, token })).toMatchObject({ status: 409, code: 'already_set_up' })
    const after = await browser.send('auth/status', undefined, 'GET')
    expect(after.data).toMatchObject({ set_up: true, authenticated: true, account: 'default', user: { name: 'asha' } })
  })

  test('sets a cookie that no script reads and no other site sends, and never one that was there before', async () => {
    const { app, name } = await signedIn()
    const browser = new Browser(app)
    browser.cookies.set('sauda_session', 'planted-by-an-attacker')
    expect(await browser.send('auth/login', { name, password: PASSWORD })).toMatchObject({
      status: 200,
      data: { totp_required: false, challenge: null },
    })
    expect(browser.attributes).toBe('; Path=/; HttpOnly; SameSite=Lax; Max-Age=604800')
    const first = browser.cookies.get('sauda_session') ?? ''
    expect(first).toMatch(/^[\w-]{43}$/)
    await browser.send('auth/login', { name, password: PASSWORD })
    expect(browser.cookies.get('sauda_session')).not.toBe(first)
  })

  test('ends the session that this browser had, and no other, once all is proved', async () => {
    const { app, browser, name } = await signedIn()
    const other = new Browser(app)
    await other.send('auth/login', { name, password: PASSWORD })
    const copy = new Browser(app)
    const first = browser.cookies.get('sauda_session') ?? ''
    copy.cookies.set('sauda_session', first)
    expect(await browser.send('auth/login', { name, password: 'wrong password' })).toMatchObject({ status: 401 })
    expect(await copy.user()).toBe(name)
    expect(await browser.send('auth/login', { name, password: PASSWORD })).toMatchObject({ status: 200 })
    expect([await copy.user(), await other.user(), await browser.user()]).toEqual([undefined, name, name])
  })

  test('answers alike for a wrong password and an unknown name, headers included', async () => {
    const { app, name: known } = await signedIn()
    const answers: unknown[] = []
    for (const name of [known, 'nobody', `${known}@example.com`, 'nobody@example.com']) {
      const { status, text, headers } = await new Browser(app).send('auth/login', { name, password: 'wrong password' })
      const { request_id: _, ...body } = JSON.parse(text)
      const names = Object.keys(headers).toSorted()
      answers.push({ status, body, names, length: headers['content-length'] })
    }
    expect(answers[0]).toMatchObject({ status: 401, body: { status: 'error', code: 'login_failed' } })
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  })

  test('says when to try again once it is locked', async () => {
    const { app, name } = await signedIn()
    const browser = new Browser(app)
    for (let tries = 0; tries < 3; tries += 1) await browser.send('auth/login', { name, password: 'wrong password' })
    const locked = await browser.send('auth/login', { name, password: PASSWORD })
    expect(locked).toMatchObject({ status: 429, code: 'login_locked', retry_after: 2, headers: { 'retry-after': '2' } })
  })

  test('takes a second factor, which is set up, used and removed', async () => {
    const { app, clock, browser, name } = await signedIn()
    const enrolled = await browser.send('auth/totp/enrol', { password: PASSWORD })
    const { secret, uri, qr_svg: picture } = enrolled.data as unknown as Record<string, string>
    expect([uri, picture]).toEqual([expect.stringMatching(/^otpauth:/), expect.stringMatching(/^<svg/)])
    const code = () => {
      clock.advance(30_000)
      return new TOTP({ secret: secret ?? '' }).generate({ timestamp: clock.now() })
    }
    const { data } = await browser.send('auth/totp/confirm', { code: code() })
    const [recovery, another] = (data as unknown as { recovery_codes: string[] }).recovery_codes
    const other = new Browser(app)
    const login = async () => {
      const answer = await other.send('auth/login', { name, password: PASSWORD })
      expect([answer.status, other.cookies.size]).toEqual([200, 0])
      return challengeIn(answer.data)
    }
    const challenge = await login()
    expect(await other.send('auth/login/totp', { challenge, code: '000000' })).toMatchObject({ status: 401 })
    expect(await other.send('auth/login/totp', { challenge, code: code() })).toMatchObject({ status: 200 })
    expect(await other.user()).toBe(name)
    await other.send('auth/logout')
    expect([await other.user(), await browser.user()]).toEqual([undefined, name])
    expect(await other.send('auth/login/totp', { challenge: await login(), code: recovery })).toMatchObject({
      status: 200,
    })
    const copy = new Browser(app)
    for (const [key, value] of other.cookies) copy.cookies.set(key, value)
    const again = await other.send('auth/login', { name, password: PASSWORD })
    expect(await copy.user()).toBe(name)
    const proof = { challenge: challengeIn(again.data), code: code() }
    expect(await other.send('auth/login/totp', proof)).toMatchObject({ status: 200 })
    expect([await copy.user(), await other.user()]).toEqual([undefined, name])
    const status = await other.send('auth/status', undefined, 'GET')
    expect(status.data).toMatchObject({ totp_enabled: true, recovery_codes_left: 9 })
    const renewed = await browser.send('auth/recovery-codes', { password: PASSWORD })
    expect(renewed.text).not.toContain(another)
    expect(await browser.send('auth/totp/disable', { password: PASSWORD, code: code() })).toMatchObject({ status: 200 })
    expect(await browser.send('auth/totp/disable', { password: PASSWORD, code: code() })).toMatchObject({
      status: 409,
      code: 'totp_missing',
    })
  })
})

describe('a signed-in browser', () => {
  test('lists its sessions and ends others', async () => {
    const { app, browser, name } = await signedIn()
    const others = [new Browser(app), new Browser(app), new Browser(app)]
    for (const other of others) await other.send('auth/login', { name, password: PASSWORD })
    const { data } = await browser.send('auth/sessions', undefined, 'GET')
    const sessions = data as unknown as { id: string; current: boolean; address: string }[]
    expect(sessions.map(({ current }) => current).toSorted()).toEqual([false, false, false, true])
    const ids = sessions.filter(({ current }) => !current).map(({ id }) => id)
    expect(await browser.send('auth/sessions/revoke', { id: ids[0] })).toMatchObject({ status: 200 })
    expect(await browser.send('auth/sessions/revoke', { id: ids[0] })).toMatchObject({ status: 404 })
    const stillIn = async () => (await Promise.all(others.map((other) => other.user()))).filter(Boolean).length
    expect(await stillIn()).toBe(2)
    expect(await browser.send('auth/sessions/revoke-others')).toMatchObject({ message: 'Signed out 2 other browsers' })
    expect([await stillIn(), await browser.user()]).toEqual([0, name])
  })

  test('changes the password and goes on under a new cookie; the old one is worth nothing', async () => {
    const { app, browser, name } = await signedIn()
    const thief = new Browser(app)
    thief.cookies.set('sauda_session', browser.cookies.get('sauda_session') ?? '')
    expect(await thief.user()).toBe(name)
    const input = { current_password: PASSWORD, new_password: NEW_PASSWORD }
    expect(await browser.send('auth/password', input)).toMatchObject({ status: 200 })
    expect([await browser.user(), await thief.user()]).toEqual([name, undefined])
    expect(await browser.send('auth/password', input)).toMatchObject({
      status: 401,
      errors: [{ field: 'current_password' }],
    })
  })

  test('gives the password again before it makes or changes users', async () => {
    const { clock, browser } = await signedIn()
    const ravi = { name: 'ravi', email: 'ravi@example.com', password: PASSWORD, role: 'trader' }
    clock.advance(15 * MINUTE_MS)
    expect(await browser.send('users/create', ravi)).toMatchObject({ status: 403, code: 'reauthentication_required' })
    expect(await browser.send('auth/confirm', { password: PASSWORD })).toMatchObject({ status: 200 })
    const created = await browser.send('users/create', ravi)
    expect(created).toMatchObject({ status: 200, data: { name: 'ravi', role: 'trader', disabled: false } })
    const { id } = created.data as unknown as { id: string }
    expect(await browser.send('users/update', { id, disabled: true })).toMatchObject({ data: { disabled: true } })
    clock.advance(15 * MINUTE_MS)
    expect(await browser.send('users/update', { id, disabled: false })).toMatchObject({
      code: 'reauthentication_required',
    })
    const { data } = await browser.send('users', undefined, 'GET')
    expect((data as unknown as { name: string }[]).map(({ name }) => name)).toContain('ravi')
  })
})

describe('a forgotten password', () => {
  test('has the same answer for known and unknown names', async () => {
    const { app, name: known } = await signedIn()
    const texts = new Set<string>()
    for (const name of [known, 'nobody'])
      texts.add((await new Browser(app).send('auth/password/forgot', { name })).text)
    expect(texts.size).toBe(1)
  })

  test.each([
    [{ new_password: NEW_PASSWORD }, 'name'],
    [{ new_password: NEW_PASSWORD, name: 'asha-1' }, 'code'],
  ])('needs a link or a code: %j', async (input, field) => {
    const { app } = shared
    expect(await new Browser(app).send('auth/password/reset', input)).toMatchObject({
      status: 400,
      errors: [{ field }],
    })
  })
})

describe('the setting', () => {
  test('SESSION_IDLE_MINUTES ends a session that rests', async () => {
    const { clock, browser } = await setUp({ SESSION_IDLE_MINUTES: '10' })
    clock.advance(10 * MINUTE_MS - 1)
    expect(await browser.user()).toBe('asha')
    clock.advance(10 * MINUTE_MS)
    expect(await browser.user()).toBeUndefined()
  })

  test('SESSION_ABSOLUTE_HOURS ends any session, and the cookie with it', async () => {
    const { clock, browser } = await setUp({ SESSION_ABSOLUTE_HOURS: '2' })
    expect(browser.attributes).toContain('; Max-Age=7200')
    for (let minutes = 0; minutes < 119; minutes += 1) {
      clock.advance(MINUTE_MS)
      expect(await browser.user()).toBe('asha')
    }
    clock.advance(MINUTE_MS)
    expect(await browser.user()).toBeUndefined()
  })

  test('SMTP_URL and SMTP_FROM send links to PUBLIC_URL, which under https also binds cookies to it', async () => {
    const { port, received } = await mailServer()
    const { app, browser: first } = await setUp({
      SMTP_URL: `smtp://127.0.0.1:${port}`,
      SMTP_FROM: 'Sauda <sauda@example.com>',
      PUBLIC_URL: 'https://trade.example.com',
    })
    expect([...first.cookies.keys()]).toEqual(['__Host-sauda_session'])
    expect(first.attributes).toContain('; HttpOnly; SameSite=Lax; Secure; Max-Age=')
    const browser = new Browser(app)
    expect((await browser.send('auth/status', undefined, 'GET')).data).toMatchObject({ mail_reset: true })
    await browser.send('auth/password/forgot', { name: 'asha' })
    await expect.poll(() => received.join('')).toContain('\r\n.\r\n')
    const mail = received.join('').replaceAll('=\r\n', '').replaceAll('=3D', '=')
    expect(mail).toContain('MAIL FROM:<sauda@example.com>')
    expect(mail).toMatch(/^From: Sauda <sauda@example\.com>\r$/m)
    const token = /https:\/\/trade\.example\.com\/reset\?token=([\w-]{43})/.exec(mail)?.[1]
    const input = { token, new_password: NEW_PASSWORD }
    const check = (tried = '') => new Browser(app).send('auth/password/reset/check', { token: tried })
    const page = (tried = '', accept = 'text/html') =>
      app.http.inject({ url: `/reset?token=${tried}`, headers: { accept } })
    const wrong = await Promise.all(['x', 'x'.repeat(43), token?.slice(0, -1), `${token}x`].map(check))
    for (const { status, code, message } of wrong)
      expect([status, code, message]).toEqual([403, 'link_invalid', wrong[0]?.message])
    expect(await check(token)).toMatchObject({ status: 200 })
    expect([(await page('x')).statusCode, (await page(token)).statusCode]).toEqual([403, 200])
    expect((await page('x', 'application/json')).json()).toMatchObject({ status: 'error', code: 'link_invalid' })
    expect(await new Browser(app).send('auth/password/reset', input)).toMatchObject({ status: 200 })
    expect([(await page(token)).statusCode, (await check(token)).code]).toEqual([403, 'link_invalid'])
    expect(await new Browser(app).send('auth/password/reset', input)).toMatchObject({
      status: 403,
      code: 'link_invalid',
    })
    expect(await browser.send('auth/login', { name: 'asha', password: NEW_PASSWORD })).toMatchObject({ status: 200 })
  })
})

/** Takes every mail. */
async function mailServer(): Promise<{ readonly port: number; readonly received: string[] }> {
  const received: string[] = []
  const server: Server = createServer((socket) => {
    let isBody = false
    socket.setEncoding('utf8').write('220 test\r\n')
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: string) => {
      received.push(chunk)
      if (isBody && !chunk.endsWith('\r\n.\r\n')) return
      isBody = /^DATA/i.test(chunk)
      socket.write(isBody ? '354 go on\r\n' : '250 ok\r\n')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  opened.unshift(() => {
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { port: address.port, received }
}
