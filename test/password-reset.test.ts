import { afterEach, expect, test } from 'vitest'
import { OWNER } from '../server/src/identity/audit.ts'
import { type Given, Platform } from './platform.ts'
import { ADMIN } from './sign-in.ts'

/** A password reset by link, and set-up, over HTTP, with the limits that an instance has by default or with those that a test names. */

const PASSWORD = 'seven kites orbit plum'
const DEFAULT = '15 per hour'
/** Wrong links of one address that are answered at once. */
const FREE_GUESSES = 15
const HTML = { accept: 'text/html' }

let platform: Platform
afterEach(() => platform.close())

async function start(resets = DEFAULT): Promise<void> {
  platform = await Platform.open({ RESET_RATE_LIMIT: resets })
  platform.app.listensAt('http://127.0.0.1:5000')
  await platform.setUp()
}

async function newToken(): Promise<string> {
  const { identity } = platform.app
  const user = identity.users.findByName(ADMIN.name)
  if (user === undefined) throw new Error('nobody to reset')
  return new URL(await identity.resetLink(user, OWNER)).searchParams.get('token') ?? ''
}

const open = (token: string, from?: string): Promise<Given> =>
  platform.send(`/reset?token=${encodeURIComponent(token)}`, { headers: HTML, ...(from === undefined ? {} : { from }) })

/** Sends the form of a page that was opened, as its browser does. */
async function sendForm(
  page: Given,
  fields: Record<string, string>,
  from = '198.51.100.7',
  url = '/reset',
): Promise<Given> {
  const [cookie = ''] = String(page.headers['set-cookie']).split(';')
  const [, csrf = ''] = /name="csrf" value="([^"]+)"/.exec(page.text) ?? []
  const answer = await platform.app.http.inject({
    method: 'POST',
    url,
    headers: { ...HTML, cookie, 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({ csrf, ...fields }).toString(),
    remoteAddress: from,
  })
  return { status: answer.statusCode, headers: answer.headers, text: answer.payload, at: () => undefined }
}

const check = (token: unknown) => platform.send('/api/v1/auth/password/reset/check', { body: { token } })
const reset = (token: unknown, password = PASSWORD) =>
  platform.send('/api/v1/auth/password/reset', { body: { token, new_password: password } })

test('a person opens the link, types a password that is too short and then a good one: two of the limit', async () => {
  await start('3 per hour')
  await platform.send('/api/v1/auth/password/forgot', { body: { name: ADMIN.name } })
  const token = await newToken()
  for (let times = 0; times < 5; times += 1) expect((await open(token)).status).toBe(200)
  const page = await open(token)
  const short = await sendForm(page, { token, new_password: 'short' })
  expect([short.status, short.text]).toEqual([400, expect.stringContaining('field-new_password-error')])
  const good = await sendForm(page, { token, new_password: PASSWORD })
  expect([good.status, good.headers['location']]).toEqual([303, '/login?done=password-set'])
  expect((await reset(await newToken())).status).toBe(429)
  const body = { name: ADMIN.name, password: PASSWORD }
  expect((await platform.send('/api/v1/auth/login', { body })).status).toBe(200)
})

test('by default, a person types five passwords that are too short, and is let through with a good one', async () => {
  await start()
  const token = await newToken()
  const page = await open(token)
  for (let times = 0; times < 5; times += 1)
    expect((await sendForm(page, { token, new_password: 'short' })).status).toBe(400)
  expect((await sendForm(page, { token, new_password: PASSWORD })).status).toBe(303)
})

/** A guess at a link wherever it can be tried; `page` is one that was opened before. */
const GUESSES: readonly [where: string, guess: (token: string, page: Given) => Promise<Given>][] = [
  ['page', (token) => open(token)],
  ['form', (token, page) => sendForm(page, { token, new_password: PASSWORD })],
  ['operation that checks', check],
  ['operation that resets', (token) => reset(token)],
]

test.each(GUESSES)('a wrong link counts once at the %s, and then makes each next one wait longer', async (_, guess) => {
  await start('1000 per hour')
  const page = await open(await newToken())
  for (let guesses = 0; guesses < FREE_GUESSES; guesses += 1)
    expect((await guess(`x${guesses}`, page)).status).toBe(403)
  const token = await newToken()
  for (const seconds of [2, 4, 8]) {
    const refused = await guess('x', page)
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, String(seconds)])
    expect((await guess(token, page)).status).toBe(429)
    platform.clock.advance(seconds * 1_000)
    expect((await guess('x', page)).status).toBe(403)
  }
  platform.clock.advance(16_000)
  expect((await open(token)).status).toBe(200)
})

test('guesses count together wherever they are tried, also many at once; other addresses are let through', async () => {
  await start('1000 per hour')
  const token = await newToken()
  const page = await open(token)
  const guesses = Array.from({ length: 8 }, () => GUESSES.map(([, guess]) => guess('x'.repeat(43), page))).flat()
  const statuses = (await Promise.all(guesses)).map(({ status }) => status)
  expect(statuses.filter((status) => status === 403)).toHaveLength(FREE_GUESSES)
  expect(new Set(statuses)).toEqual(new Set([403, 429]))
  expect((await open(token)).status).toBe(429)
  const elsewhere = '203.0.113.9'
  const there = await open(token, elsewhere)
  expect((await sendForm(there, { token, new_password: PASSWORD }, elsewhere)).status).toBe(303)
})

test('what would set a password counts in RESET_RATE_LIMIT, right or wrong; what only looks at a link never does', async () => {
  await start('4 per hour')
  const token = await newToken()
  const page = await open(token)
  const looks = [open(token), open('x'), check(token), check('x')]
  expect((await Promise.all(looks)).map(({ status }) => status)).toEqual([200, 403, 200, 403])
  expect((await sendForm(page, { token: 'x', new_password: PASSWORD })).status).toBe(403)
  expect((await reset('x')).status).toBe(403)
  const byCode = { name: ADMIN.name, code: '000000', new_password: PASSWORD }
  expect((await platform.send('/api/v1/auth/password/reset', { body: byCode })).status).toBe(401)
  expect((await sendForm(page, { token, new_password: 'short' })).status).toBe(400)
  const refused = await sendForm(page, { token, new_password: PASSWORD })
  expect([refused.status, refused.headers['retry-after']]).toEqual([429, '3600'])
  expect([(await reset(token)).at('code'), (await reset('x')).at('code')]).toEqual(['rate_limited', 'rate_limited'])
  const again = [open(token), open('x'), check(token), check('x')]
  expect((await Promise.all(again)).map(({ status }) => status)).toEqual([200, 403, 200, 403])
  platform.clock.advance(3_600_000)
  expect((await sendForm(page, { token: await newToken(), new_password: PASSWORD })).status).toBe(303)
})

const NEW_USER = { ...ADMIN, name: 'ravi' }
const checkSetUp = (token: string) => platform.send('/api/v1/auth/setup/check', { body: { token } })
const setUp = (token: string) => platform.send('/api/v1/auth/setup', { body: { ...NEW_USER, token } })
const openSetUp = (token: string) => platform.send(`/setup?token=${encodeURIComponent(token)}`, { headers: HTML })

const SET_UP_GUESSES: typeof GUESSES = [
  ['page', openSetUp],
  ['form', (token, page) => sendForm(page, { token, ...NEW_USER }, undefined, '/setup')],
  ['operation that checks', checkSetUp],
  ['operation that sets up', setUp],
]

test.each(SET_UP_GUESSES)('so does a wrong link for set-up at the %s', async (_, guess) => {
  platform = await Platform.open({})
  platform.app.listensAt('http://127.0.0.1:5000')
  const token = (await platform.app.identity.newSetUpToken()) ?? ''
  const page = await openSetUp(token)
  for (let guesses = 0; guesses < FREE_GUESSES; guesses += 1)
    expect((await guess(`x${guesses}`, page)).status).toBe(403)
  const refused = await guess('x', page)
  expect([refused.status, refused.headers['retry-after']]).toEqual([429, '2'])
  for (const [, look] of SET_UP_GUESSES) expect((await look(token, page)).status).toBe(429)
  expect((await platform.send('/api/v1/auth/setup/check', { body: { token }, from: '203.0.113.9' })).status).toBe(200)
  platform.clock.advance(2_000)
  expect((await setUp(token)).status).toBe(200)
  expect((await checkSetUp('x')).at('code')).toBe('already_set_up')
})

test('what would set up counts in LOGIN_RATE_LIMIT, right or wrong; what only looks at the link never does', async () => {
  platform = await Platform.open({ LOGIN_RATE_LIMIT: '2 per minute' })
  const token = (await platform.app.identity.newSetUpToken()) ?? ''
  expect([(await checkSetUp('x')).status, (await openSetUp('x')).status]).toEqual([403, 403])
  expect([(await setUp('x')).status, (await setUp('x')).status, (await setUp(token)).status]).toEqual([403, 403, 429])
  expect([(await checkSetUp(token)).status, (await openSetUp(token)).status]).toEqual([200, 200])
  platform.clock.advance(60_000)
  expect((await setUp(token)).status).toBe(200)
})

const MALFORMED: readonly [what: string, token: string][] = [
  ['a control character', '\u0000'],
  ['lines of its own', 'a\r\nset-cookie: x'],
  ['a character that deletes', '\u007f'],
  ['half of a surrogate pair', '\ud800'],
  ['nothing but space', ' '],
  ['a tag', '<script>'],
  ['a letter too many', 'x'.repeat(44)],
  ['far too many letters', 'é'.repeat(2_000)],
]

test.each(MALFORMED)('a token that is %s is a wrong one: same answer, same count', async (_, token) => {
  await start('1000 per hour')
  const page = await open(await newToken())
  const told = ({ status, text }: Given) => [status, text.replace(/req-[\w-]+/g, '')]
  for (const [where, guess] of GUESSES) {
    const sent = where === 'page' ? token.toWellFormed() : token
    expect(told(await guess(sent, page))).toEqual(told(await guess('x'.repeat(43), page)))
  }
  for (let guesses = 2 * GUESSES.length; guesses < FREE_GUESSES; guesses += 1)
    expect((await check(token)).at('code')).toBe('link_invalid')
  expect((await check(token)).status).toBe(429)
})

test.each([1, true, {}, ['x'], ''])('so is %j, which is no text or none', async (token) => {
  await start()
  const { status, at } = await check(token)
  expect([status, at('code')]).toEqual([403, 'link_invalid'])
})

test('a body that is no JSON, or that has no token, can not be read', async () => {
  await start()
  expect((await check(null)).at('code')).toBe('validation_failed')
  expect((await check(undefined)).at('code')).toBe('validation_failed')
  const url = '/api/v1/auth/password/reset/check'
  const headers = { 'content-type': 'application/json' }
  const answer = await platform.app.http.inject({ method: 'POST', url, headers, payload: '{"token":"\u0000"}' })
  expect([answer.statusCode, answer.json().code]).toEqual([400, 'malformed_json'])
})

test.each(MALFORMED)('so is that of a set-up link that is %s', async (_, token) => {
  platform = await Platform.open({})
  const right = (await platform.app.identity.newSetUpToken()) ?? ''
  const setUp = (given: string) => platform.send('/api/v1/auth/setup', { body: { ...ADMIN, token: given } })
  const ask = (given: string) => platform.send('/api/v1/auth/setup/check', { body: { token: given } })
  for (const answer of [await setUp(token), await ask(token)])
    expect([answer.status, answer.at('code')]).toEqual([403, 'link_invalid'])
  const page = await platform.send(`/setup?token=${encodeURIComponent(token.toWellFormed())}`, { headers: HTML })
  expect([page.status, page.text.includes('<form')]).toEqual([403, false])
  expect((await ask(right)).status).toBe(200)
  expect((await setUp(right)).status).toBe(200)
})
