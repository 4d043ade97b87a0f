import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RawAnswer, type RawRequest, raw, send } from './raw-http.ts'
import { ServerProcess } from './server-process.ts'
import { ADMIN, sessionOf, setUp } from './sign-in.ts'

/** What somebody who may send anything tries, against people who sign in and the addresses they come from. */

const UNLIMITED = '1000000 per second'
const LIMITS = { ADDRESS_RATE_LIMIT: UNLIMITED, LOGIN_RATE_LIMIT: UNLIMITED, RESET_RATE_LIMIT: UNLIMITED }
const EVIL = 'https://evil.example'

/** Believes nobody about addresses, as by default. */
let server: ServerProcess
/** Is behind a proxy on this machine. */
let proxied: ServerProcess
let cookie = ''

beforeAll(async () => {
  server = await ServerProcess.start({ ...LIMITS, API_RATE_LIMIT: UNLIMITED })
  proxied = await ServerProcess.start({ ...LIMITS, API_RATE_LIMIT: UNLIMITED, TRUSTED_PROXIES: '127.0.0.1' })
  cookie = await setUp(server)
  await setUp(proxied)
})

afterAll(async () => {
  for (const one of [server, proxied]) {
    await one.stop()
    expect(one.output).not.toContain(ADMIN.password)
    await one.remove()
  }
})

const ask = (name: string, sent?: RawRequest): Promise<RawAnswer> => send(server.port, `/api/v1/${name}`, sent)

/** Who the server takes the bearer of a cookie for. */
async function signedIn(session: string): Promise<boolean> {
  const { body } = await ask('auth/status', { headers: { cookie: session } })
  return (body as unknown as { data: { authenticated: boolean } }).data.authenticated
}

async function logIn(headers: Record<string, string> = {}): Promise<RawAnswer> {
  const { name, password } = ADMIN
  const answer = await ask('auth/login', { json: { name, password }, headers })
  expect(answer).toMatchObject({ status: 200 })
  return answer
}

function expectRefusal(answer: RawAnswer, status: number, code: string): void {
  expect({ status: answer.status, code: answer.body.code, text: answer.text }).toMatchObject({ status, code })
  expect(sessionOf(answer)).toBe('')
}

describe('a page elsewhere, in the browser of somebody who is signed in', () => {
  const order = { strategy: 'csrf', exchange: 'NSE', symbol: 'SBIN', action: 'BUY', quantity: 1, product: 'MIS' }
  const CHANGES = [
    ['auth/logout', {}],
    ['auth/password', { current_password: ADMIN.password, new_password: 'a phrase of the attacker' }],
    ['auth/sessions/revoke-others', {}],
    ['placeorder', order],
  ] as const
  const SENDERS: readonly (readonly [string, Record<string, string>])[] = [
    ['another site', { origin: EVIL }],
    ['another port of this machine', { origin: 'http://127.0.0.1:1' }],
    ['a page without an origin', { origin: 'null' }],
    ['another site whose browser hides the origin', { 'sec-fetch-site': 'cross-site' }],
    ['a sibling site', { 'sec-fetch-site': 'same-site', origin: 'http://sibling.localhost' }],
    ['a frame that navigates by a form', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
  ]

  test.each(SENDERS)('changes nothing: %s', async (_, headers) => {
    for (const [name, json] of CHANGES) {
      expectRefusal(await ask(name, { json, headers: { cookie, ...headers } }), 403, 'cross_origin')
    }
    expect(await signedIn(cookie)).toBe(true)
    const { body } = await ask('orderbook', { json: {}, headers: { cookie } })
    expect(body).toMatchObject({ status: 'success', data: { orders: [] } })
  })

  test.each([
    'text/plain',
    'text/plain;application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    '',
  ])('could only send bodies of types that are refused: %j', async (type) => {
    for (const [name, json] of CHANGES) {
      const sent = { text: JSON.stringify(json), headers: { cookie, 'content-type': type } }
      expectRefusal(await ask(name, sent), 415, 'unsupported_media_type')
    }
    expect(await signedIn(cookie)).toBe(true)
  })

  test.each([
    ['/%61pi/v1/', 404],
    ['/ap%69/v1/', 404],
    ['//api/v1/', 404],
    ['/api/v1//', 404],
    ['/API/v1/', 404],
    ['http://x/api/v1/', 403], // the same way, told in full
  ])('finds no other way to an operation: %s is answered %d', async (prefix, status) => {
    for (const [name, json] of CHANGES) {
      const body = JSON.stringify(json)
      const answer = await raw(
        server.port,
        `POST ${prefix}${name} HTTP/1.1\r\nHost: x\r\nOrigin: ${EVIL}\r\nContent-Type: text/plain\r\nCookie: ${cookie}\r\n` +
          `Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      )
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    }
    expect(await signedIn(cookie)).toBe(true)
  })

  test('reads nothing, neither by the request nor by headers that would let its script in', async () => {
    const read = await ask('traffic', { headers: { cookie, origin: EVIL } })
    expectRefusal(read, 403, 'cross_origin')
    const preflight = await ask('placeorder', {
      method: 'OPTIONS',
      headers: { origin: EVIL, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-api-key' },
    })
    for (const { headers } of [read, preflight]) {
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([])
    }
    const page = await send(server.port, '/', { headers: { cookie, origin: EVIL } })
    expect(page.headers['access-control-allow-origin']).toBeUndefined()
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'")
  })

  test("can't sign the browser in as somebody else", async () => {
    const { name, password } = ADMIN
    const foreign = await ask('auth/login', { json: { name, password }, headers: { origin: EVIL } })
    expectRefusal(foreign, 403, 'cross_origin')
    const form = { text: JSON.stringify({ name, password }), headers: { 'content-type': 'text/plain' } }
    expectRefusal(await ask('auth/login', form), 415, 'unsupported_media_type')
  })

  test('of our own it works, so that the refusals above are no accident', async () => {
    const headers = { cookie, origin: server.address, 'sec-fetch-site': 'same-origin' }
    const answer = await ask('auth/sessions/revoke-others', { json: {}, headers })
    expect(answer.body).toMatchObject({ status: 'success' })
  })
})

describe('session fixation', () => {
  const planted = `sauda_session=${'A'.repeat(43)}`

  test('a cookie that was there before signing in is not adopted', async () => {
    const session = sessionOf(await logIn({ cookie: planted }))
    expect(session).toMatch(/^sauda_session=[\w-]{43}$/)
    expect(session).not.toBe(planted)
    expect([await signedIn(planted), await signedIn(session)]).toEqual([false, true])
  })

  test('every sign-in has a new token, also in a browser that is signed in', async () => {
    const first = sessionOf(await logIn())
    const second = sessionOf(await logIn({ cookie: first }))
    const third = sessionOf(await logIn({ cookie: second }))
    expect(new Set([first, second, third]).size).toBe(3)
  })

  test('the cookie is out of reach of scripts and of other sites, and dies with the session', async () => {
    const answer = await logIn()
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(/^sauda_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/),
    ])
    const session = sessionOf(answer)
    const out = await ask('auth/logout', { json: {}, headers: { cookie: session } })
    expect(out.headers['set-cookie']).toEqual([expect.stringContaining('Max-Age=0')])
    expect(await signedIn(session)).toBe(false)
  })

  test('of two cookies of that name, or an odd one, none is a way in', async () => {
    for (const odd of [`${planted}; ${cookie}`, `${cookie}"`, `${cookie}%00`, ` ${cookie.replace('=', ' =')}x`]) {
      expect(await signedIn(odd)).toBe(false)
    }
  })
})

describe('forged addresses', () => {
  const FORGED = { 'x-forwarded-for': '198.51.100.1', 'cf-connecting-ip': '198.51.100.2', 'x-real-ip': '198.51.100.3' }

  /** The address that the traffic log shows for a request with these headers. */
  async function addressOf(at: ServerProcess, headers: RawRequest['headers']): Promise<string | undefined> {
    const answer = await send(at.port, '/api/v1/ping', { json: { apikey: at.key }, ...(headers && { headers }) })
    expect(answer.status).toBe(200)
    const id = String(answer.headers['x-request-id'])
    for (let tries = 0; tries < 100; tries += 1) {
      const found = await send(at.port, `/api/v1/traffic?request_id=${id}`, { headers: { 'x-api-key': at.key } })
      const [row] = (found.body as unknown as { data: { address: string }[] }).data
      if (row !== undefined) return row.address
      await sleep(50)
    }
    return undefined
  }

  test('are not believed without trusted proxies', async () => {
    const forwarded = { ...FORGED, forwarded: 'for=198.51.100.4', 'true-client-ip': '198.51.100.5' }
    expect(await addressOf(server, forwarded)).toBe('127.0.0.1')
  })

  test.each([
    ['what the proxy wrote counts', '203.0.113.7', '203.0.113.7'],
    ['what the client wrote in front of it does not', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
    ['proxies in between are stepped over', '198.51.100.1, 203.0.113.7, 127.0.0.1', '203.0.113.7'],
    ['nothing left of nonsense is looked at', '198.51.100.1, nonsense, 127.0.0.1', '127.0.0.1'],
    ['IPv6 has one form', '198.51.100.1, 2001:DB8:0::1', '2001:db8::1'],
    ['an IPv4 address in an IPv6 one is that IPv4 address', '::ffff:203.0.113.7', '203.0.113.7'],
  ])('behind a trusted proxy %s', async (_, header, expected) => {
    expect(await addressOf(proxied, { ...FORGED, 'x-forwarded-for': header })).toBe(expected)
  })

  test("a vendor's header counts only where it is set", async () => {
    expect(await addressOf(proxied, { 'cf-connecting-ip': '198.51.100.2' })).toBe('127.0.0.1')
  })
})

describe('guessing passwords', () => {
  const tryFrom = (from: string, fields: Record<string, string> = {}): Promise<RawAnswer> => {
    const json = { name: ADMIN.name, password: 'a wrong phrase', ...fields }
    return send(proxied.port, '/api/v1/auth/login', { json, headers: { 'x-forwarded-for': from } })
  }
  const right = { password: ADMIN.password }

  test('must wait longer and longer, the right one too, whatever it says of its address; others sign in', async () => {
    const attacker = '203.0.113.50'
    for (let tries = 0; tries < 3; tries += 1) expectRefusal(await tryFrom(attacker), 401, 'login_failed')
    const locked = await tryFrom(`198.51.100.77, ${attacker}`, right)
    expectRefusal(locked, 429, 'login_locked')
    const { retry_after: seconds } = locked.body
    expect([locked.headers['retry-after'], seconds]).toEqual([
      String(seconds),
      expect.toSatisfy((s) => s >= 1 && s <= 2),
    ])

    expect(sessionOf(await tryFrom('203.0.113.51', right))).not.toBe('')

    await sleep(Number(seconds) * 1000)
    expectRefusal(await tryFrom(attacker), 401, 'login_failed')
    const again = await tryFrom(attacker, right)
    expectRefusal(again, 429, 'login_locked')
    expect(again.body['retry_after']).toSatisfy((s: number) => s > 2 && s <= 4)
    await sleep(Number(again.body['retry_after']) * 1000)
    expect(sessionOf(await tryFrom(attacker, right))).not.toBe('')
  })

  test('of many names must wait as well', async () => {
    const codes: unknown[] = []
    for (let index = 0; index < 16; index += 1) {
      codes.push((await tryFrom('203.0.113.60', { name: `name-${index}` })).body.code)
    }
    expect(codes).toEqual([...Array.from({ length: 15 }, () => 'login_failed'), 'login_locked'])
  })

  test('by both names of a user, in all their forms, has the tries of one, and learns no more than of nobody', async () => {
    const guess = async (from: string, name: string, email: string) => {
      const answers: unknown[] = []
      for (const typed of [name, email, name.toUpperCase()])
        answers.push((await tryFrom(from, { name: typed })).body.code)
      answers.push((await tryFrom(from, { name: `ａ${email.slice(1)}`, ...right })).body.code)
      return answers
    }
    const known = await guess('203.0.113.70', ADMIN.name, ADMIN.email)
    expect(known).toEqual(Array.from({ length: 4 }, () => 'login_failed'))
    expect(await guess('203.0.113.71', 'aaaa', 'aaaa@example.com')).toEqual(known)
    expect(sessionOf(await tryFrom('203.0.113.72', { name: ADMIN.email, ...right }))).not.toBe('')
  })

  test('of a name that is not there has the same answer after the same time', async () => {
    const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] }
    const shapes = new Set<string>()
    for (let index = 0; index < 24; index += 1) {
      const kind = index % 2 === 0 ? 'known' : 'unknown'
      const begun = performance.now()
      const answer = await tryFrom(`203.0.113.${100 + index}`, { name: kind === 'known' ? ADMIN.name : 'nobody' })
      times[kind].push(performance.now() - begun)
      const { date: _, 'x-request-id': id, ...headers } = answer.headers
      shapes.add(JSON.stringify([answer.status, headers, answer.text.replace(String(id), 'ID')]))
    }
    expect([...shapes]).toHaveLength(1)
    const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
    const ratio = median(times.unknown) / median(times.known)
    console.log(
      `median of known names ${median(times.known).toFixed(1)} ms; unknown ones take ${ratio.toFixed(2)} of it`,
    )
    // Told and not asserted, since a busy machine would fail it; that both compute one hash is asserted beside the code
    expect(Number.isFinite(ratio)).toBe(true)
  })

  test('and asking for a new one tells as little', async () => {
    const OPERATIONS = [
      ['auth/password/forgot', {}],
      ['auth/password/reset', { code: '123456', new_password: 'another phrase for tests' }],
    ] as const
    for (const [operation, fields] of OPERATIONS) {
      const texts = new Set<string>()
      for (const [index, name] of [ADMIN.name, ADMIN.email, 'nobody', 'nobody@example.com'].entries()) {
        const headers = { 'x-forwarded-for': `203.0.113.${200 + index}` }
        const answer = await send(proxied.port, `/api/v1/${operation}`, { json: { name, ...fields }, headers })
        texts.add(`${answer.status} ${answer.text.replace(String(answer.headers['x-request-id']), 'ID')}`)
      }
      expect([...texts]).toHaveLength(1)
    }
  })
})
