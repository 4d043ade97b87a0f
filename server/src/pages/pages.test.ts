import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { Refusal } from '../kernel/errors.ts'
import { errorPage, PAGES } from './index.ts'
import { ANSWERED, expectHarmless, expectSound, invalid, TestPages, VIEWER } from './test-pages.ts'

const HOSTILE = `"><img src=x onerror=alert(1)>'&</textarea><script>alert(1)</script>`

/** Every page that can be looked at, with who looks. */
const LOOKS: readonly [path: string, prepare: (pages: TestPages) => void][] = [
  ['/', () => undefined],
  ['/', (pages) => pages.signedOut()],
  ['/setup', (pages) => pages.status({ set_up: false, authenticated: false, user: null })],
  [
    `/setup?token=${encodeURIComponent(HOSTILE)}`,
    (pages) => pages.status({ set_up: false, authenticated: false, user: null }),
  ],
  [`/login?next=${encodeURIComponent(HOSTILE)}&done=${encodeURIComponent(HOSTILE)}`, (pages) => pages.signedOut()],
  ['/forgot', (pages) => pages.signedOut()],
  ['/forgot', (pages) => pages.status({ mail_reset: false })],
  ['/reset', (pages) => pages.signedOut()],
  [`/reset?token=${encodeURIComponent(HOSTILE)}`, (pages) => pages.signedOut()],
  ['/account', () => undefined],
  ['/account', (pages) => pages.status({ totp_enabled: true })],
  ['/account', (pages) => pages.status({ user: VIEWER })],
  ['/account/accounts/new', () => undefined],
  ['/account/accounts/order-mode?account=second', () => undefined],
  ['/account/password', () => undefined],
  ['/account/totp', () => undefined],
  ['/account/totp', (pages) => pages.status({ totp_enabled: true })],
  ['/account/recovery-codes', (pages) => pages.status({ totp_enabled: true })],
  ['/keys', () => undefined],
  ['/keys/new', () => undefined],
  ['/keys/rotate?id=key_one', () => undefined],
  ['/keys/revoke?id=key_one', () => undefined],
]

describe('a page', () => {
  it.each(LOOKS)('%s shows hostile text as text, and loads nothing but our files', async (path, prepare) => {
    const pages = new TestPages(HOSTILE)
    prepare(pages)
    const { status, headers, text } = await pages.get(path)
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    expect(headers['cache-control']).toBe('no-store')
    expect(headers['content-security-policy']).toContain("script-src 'self'; style-src 'self'")
    expectHarmless(text)
    expectSound(text)
  })

  it.each(ANSWERED)('%s answers a form with hostile text as text', async (path, fields) => {
    const pages = new TestPages(HOSTILE)
    if (path === '/account/recovery-codes') pages.status({ totp_enabled: true })
    const { status, headers, text } = await pages.postAndFollow(path, fields)
    expect(status).toBe(200)
    expect(headers['cache-control']).toBe('no-store')
    expectHarmless(text)
    expectSound(text)
  })

  it('is looked at above, whichever can be', () => {
    const looked = new Set(LOOKS.map(([path]) => path.split('?', 1)[0]))
    const unlooked = PAGES.filter(({ path, get }) => get !== undefined && !looked.has(path)).map(({ path }) => path)
    expect(unlooked).toEqual(['/login/totp', '/.well-known/change-password'])
  })

  it('has an answer for the methods that it lacks', async () => {
    const pages = new TestPages()
    const get = await pages.get('/logout')
    expect([get.status, get.headers['allow']]).toEqual([405, 'POST'])
    expect(get.text).toContain('GET is not allowed for /logout; use POST.')
    const answer = await pages.app.inject({ method: 'DELETE', url: '/keys', headers: { accept: 'text/html' } })
    expect([answer.statusCode, answer.headers['allow']]).toEqual([405, 'GET, HEAD'])
    expect(pages.asked).toEqual([])
  })

  it('is an error page when something goes wrong inside, with the id to look for and no word of it', async () => {
    const pages = new TestPages()
    pages.refuse('keys', new Error('secret detail'))
    const { status, headers, text } = await pages.get('/keys', {
      referer: `${ORIGIN}/account?x=1`,
      host: 'localhost:5000',
    })
    expect(status).toBe(500)
    expect(text).not.toContain('secret detail')
    expect(text).toContain(String(headers['x-request-id']))
    expect(text).toContain('href="/account?x&#61;1"')
    expectHarmless(text)
    expectSound(text)
  })
})

const ORIGIN = 'http://localhost:5000'

describe('before the instance is set up', () => {
  it.each(PAGES.filter(({ get, isSetUp }) => get !== undefined && !isSetUp).map(({ path }) => path))(
    '%s leads to the set-up, which says to open the printed link',
    async (path) => {
      const pages = new TestPages()
      pages.status({ set_up: false, authenticated: false, user: null })
      const { status, headers } = await pages.get(path)
      expect([status, headers['location']]).toEqual([303, '/setup'])
      const { text } = await pages.get('/setup')
      expect(text).toContain('Open the printed link')
      expect(text).not.toContain('<form')
    },
  )

  it('programs are told', async () => {
    const pages = new TestPages()
    pages.status({ set_up: false, authenticated: false, user: null })
    const { status, text } = await pages.get('/keys', { accept: 'application/json' })
    expect([status, JSON.parse(text).code]).toEqual([409, 'not_set_up'])
  })

  it('the set-up sends the token of the link with what was typed, and leads home', async () => {
    const pages = new TestPages()
    pages.status({ set_up: false, authenticated: false, user: null })
    const typed = { name: ' asha ', email: 'asha@example.com', password: ' a long phrase ' }
    const { status, headers } = await pages.post('/setup', { token: 'printed', ...typed })
    expect([status, headers['location']]).toEqual([303, '/?done=set-up'])
    expect(pages.asked).toEqual([['auth/setup', { token: 'printed', ...typed, name: 'asha' }]])
  })

  it('a link that does not work is told, and what was typed is kept but for the password', async () => {
    const pages = new TestPages()
    pages.status({ set_up: false, authenticated: false, user: null })
    pages.refuse('auth/setup', new Refusal('link_invalid', 'This link doesn’t work.'))
    const { status, text } = await pages.post('/setup', {
      token: 'old',
      name: 'asha',
      email: 'a@b.c',
      password: 'hunter222',
    })
    expect(status).toBe(403)
    expect(text).toMatch(/role="alert"><p>This link doesn’t work\.<\/p>/)
    expect(text).toContain('value="asha"')
    expect(text).toContain('name="token" value="old"')
    expect(text).not.toContain('hunter222')
  })

  it('a link that does not work shows why and no form', async () => {
    const pages = new TestPages()
    pages.status({ set_up: false, authenticated: false, user: null })
    pages.refuse('auth/setup/check', new Refusal('link_invalid', 'This link does not work.'))
    const { status, text } = await pages.get(`/setup?token=${'x'.repeat(300)}`)
    expect(status).toBe(403)
    expect(text).toContain('For a new link, start Sauda again')
    expect(text).not.toContain('<form')
    expect(pages.asked).toEqual([['auth/setup/check', { token: 'x'.repeat(300) }]])
    const told = await pages.get('/setup?token=x', { accept: 'application/json' })
    expect([told.status, JSON.parse(told.text).code]).toEqual([403, 'link_invalid'])
    pages.refuse('auth/setup/check', new Refusal('rate_limited', 'Wait 9 seconds.'))
    expect((await pages.get('/setup?token=x')).text).toContain('Wait 9 seconds.')
  })

  it('afterwards the set-up page leads away', async () => {
    const pages = new TestPages()
    expect((await pages.get('/setup?token=x')).headers['location']).toBe('/')
    pages.signedOut()
    expect((await pages.get('/setup?token=x')).headers['location']).toBe('/login')
    expect((await pages.post('/setup', { token: 'x' })).headers['location']).toBe('/login')
    expect(pages.asked).toEqual([])
  })
})

describe('a link for a new password', () => {
  const dead = () => new Refusal('link_invalid', 'This link does not work.')

  it('that works is asked about without the password, and opens the form', async () => {
    const pages = new TestPages()
    pages.signedOut()
    const { status, text } = await pages.get('/reset?token=mailed')
    expect(status).toBe(200)
    expect(text).toContain('name="token" value="mailed"')
    expect(text).not.toContain('name="name"')
    expect(pages.asked).toEqual([['auth/password/reset/check', { token: 'mailed' }]])
    expect((await pages.get('/reset')).text).toContain('name="name"')
    expect(pages.asked).toHaveLength(1)
  })

  it('that does not work shows a way to another one and no form', async () => {
    const pages = new TestPages()
    pages.signedOut()
    pages.refuse('auth/password/reset/check', dead())
    const { status, text } = await pages.get(`/reset?token=${'x'.repeat(300)}`)
    expect(status).toBe(403)
    expect(text).toContain('href="/forgot">Ask for a new link</a>')
    expect(text).not.toContain('<form')
    expectHarmless(text)
    expectSound(text)
    expect(pages.asked).toEqual([['auth/password/reset/check', { token: 'x'.repeat(300) }]])
    expect(pages.finished.at(-1)).toMatchObject({ route: '/reset', errorCode: 'link_invalid' })
    const told = await pages.get('/reset?token=x', { accept: 'application/json' })
    expect([told.status, JSON.parse(told.text).code]).toEqual([403, 'link_invalid'])
    pages.refuse('auth/password/reset/check', new Refusal('rate_limited', 'Wait 9 seconds.'))
    const limited = await pages.get('/reset?token=x')
    expect([limited.status, limited.text]).toEqual([429, expect.stringContaining('Wait 9 seconds.')])
  })

  it('that ends while the form is filled in shows the same', async () => {
    const pages = new TestPages()
    pages.signedOut()
    pages.refuse('auth/password/reset', dead())
    const { status, text } = await pages.post('/reset', { token: 'x', new_password: 'hunter222' })
    expect([status, text]).toEqual([403, expect.stringContaining('Ask for a new link')])
    expect(text).not.toContain('<form')
  })
})

describe('who is not signed in', () => {
  it.each(PAGES.filter((page) => page.for === 'members' && page.get !== undefined).map(({ path }) => path))(
    'is led from %s to sign in, and back afterwards',
    async (path) => {
      const pages = new TestPages()
      pages.signedOut()
      const { status, headers } = await pages.get(`${path}?id=1`)
      const login = `/login?next=${encodeURIComponent(`${path}?id=1`)}`
      expect([status, headers['location']]).toEqual([303, login])
      expect(pages.asked).toEqual([])
      const form = await pages.get(login)
      expect(form.text).toContain(`name="next" value="${path}?id&#61;1"`)
      const signedIn = await pages.post('/login', { name: 'a', password: 'b', next: `${path}?id=1` })
      expect(signedIn.headers['location']).toBe(`${path}?id=1`)
    },
  )

  it('is led to sign in when the session ends under a form', async () => {
    const pages = new TestPages()
    pages.refuse('keys/revoke', new Refusal('session_missing', 'Sign in first.'))
    const { status, headers } = await pages.post('/keys/revoke', { id: 'key_one' })
    expect([status, headers['location']]).toEqual([303, '/login?next=%2Fkeys&done=session-over'])
  })

  it.each([
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/%0d%0aset-cookie:x',
    'javascript:alert(1)',
    '/ok\r\nx: y',
  ])('is led home, not to %s', async (next) => {
    const pages = new TestPages()
    pages.signedOut()
    const { headers } = await pages.post('/login', { name: 'a', password: 'b', next })
    expect([headers['location'], headers['set-cookie']]).toEqual([next.startsWith('/%0d') ? next : '/', undefined])
  })

  it('goes through the second step with the challenge in a cookie, in no page and no address', async () => {
    const pages = new TestPages()
    pages.signedOut()
    expect((await pages.get('/login/totp?next=%2Fkeys')).headers['location']).toBe('/login?next=%2Fkeys')
    pages.answers['auth/login'] = { data: { challenge: 'the-challenge', totp_required: true } }
    const first = await pages.post('/login', { name: 'a', password: 'b', next: '/keys' })
    expect(first.headers['location']).toBe('/login/totp?next=%2Fkeys')
    expect(first.headers['set-cookie']).toEqual([
      'sauda_challenge=the-challenge; Path=/login/totp; HttpOnly; SameSite=Strict; Max-Age=300',
    ])
    const cookie = 'sauda_session=session-of-a-test; sauda_challenge=the-challenge'
    const form = await pages.get('/login/totp?next=%2Fkeys', { cookie })
    expect(form.text).not.toContain('the-challenge')
    expectSound(form.text)
    const second = await pages.post('/login/totp', { code: ' 123456 ', next: '/keys' }, { cookie })
    expect(second.headers['location']).toBe('/keys')
    expect(second.headers['set-cookie']).toEqual([expect.stringContaining('sauda_challenge=; ')])
    expect(pages.asked.at(-1)).toEqual(['auth/login/totp', { challenge: 'the-challenge', code: '123456' }])
  })

  it('keeps the challenge to https under https', async () => {
    const pages = new TestPages('plain', 'https://sauda.example')
    pages.signedOut()
    pages.answers['auth/login'] = { data: { challenge: 'c', totp_required: true } }
    const { headers } = await pages.post('/login', { name: 'a', password: 'b' })
    expect(headers['set-cookie']).toEqual([expect.stringContaining('; Secure')])
  })

  it('sees the login no more when signed in', async () => {
    const pages = new TestPages()
    expect((await pages.get('/login?next=%2Fkeys')).headers['location']).toBe('/keys')
    expect((await pages.get('/login?next=%2F%2Fevil')).headers['location']).toBe('/')
  })
})

describe('a caller that prefers JSON', () => {
  const json = { accept: 'application/json' }

  it.each([
    ['application/json', true],
    ['Application/JSON; charset=utf-8', true],
    ['text/html;q=0.4, application/json;q=0.5', true],
    ['application/json;q=0.9,text/html', false],
    ['application/json,text/html', false],
    ['application/json;q=0', false],
    ['application/json;q=lots', false],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', false],
    ['*/*', false],
    ['', false],
  ])('is known by Accept: %s (%s)', async (accept, isJson) => {
    const { headers } = await new TestPages().get('/keys', { accept })
    expect(headers['content-type']).toContain(isJson ? 'application/json' : 'text/html')
  })

  it('gets what a page is made from', async () => {
    const pages = new TestPages()
    const { status, headers, text } = await pages.get('/keys', json)
    expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8'])
    expect(JSON.parse(text)).toMatchObject({ status: 'success', data: [{ id: 'key_one' }, {}, {}] })
    expect(JSON.parse((await pages.get('/', json)).text)).toMatchObject({ data: { api_keys: 3, authenticated: true } })
  })

  it('gets what went wrong as the API tells it', async () => {
    const pages = new TestPages()
    pages.refuse('auth/password', invalid({ field: 'new_password', message: 'Too short.' }))
    const refused = await pages.post('/account/password', { new_password: 'x' }, json)
    expect([refused.status, JSON.parse(refused.text)]).toMatchObject([
      400,
      { code: 'validation_failed', errors: [{ field: 'new_password', message: 'Too short.' }], status: 'error' },
    ])
    expect(JSON.parse((await pages.get('/nowhere', json)).text)).toMatchObject({ code: 'not_found' })
    pages.signedOut()
    const { status, headers, text } = await pages.get('/account', json)
    expect([status, JSON.parse(text).code]).toEqual([401, 'session_missing'])
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  })

  it('is told where a form leads instead of being led', async () => {
    const pages = new TestPages()
    const { status, text } = await pages.post('/keys/revoke', { id: 'key_one' }, json)
    expect([status, JSON.parse(text)]).toMatchObject([200, { status: 'success', next: '/keys?done=key-revoked' }])
  })
})

describe('an error page', () => {
  it.each([400, 401, 403, 404, 405, 408, 409, 413, 415, 418, 429, 500, 501, 503])(
    'of status %i has the message, the request id and a way back, as text',
    (status) => {
      const html = errorPage(status, HOSTILE, `req-${HOSTILE}`, { back: `/${HOSTILE}` })
      expectHarmless(html)
      expectSound(html)
      expect(html).toContain(`<p class="status">${status} `)
      expect(html).toContain('&#34;&#62;&#60;img src&#61;x')
      expect(html).toContain('<code>req-&#34;')
      expect(html).toContain('href="/">Start page</a>')
    },
  )

  it('leads back to no other site', async () => {
    const pages = new TestPages()
    for (const referer of ['http://evil.example/x', 'nonsense', 'http://localhost:5000//evil.example']) {
      const { text } = await pages.get('/nowhere', { referer, host: 'localhost:5000' })
      expect(text).not.toContain('Go back')
    }
  })
})

describe('the files that pages load', () => {
  it.each(['sauda.css', 'sauda.js', 'sauda.svg'])(
    '%s may be kept for ever under the address that pages give',
    async (name) => {
      const pages = new TestPages()
      const [, address = ''] = new RegExp(`"(/assets/${name}\\?v=[\\w-]+)"`).exec((await pages.get('/')).text) ?? []
      const kept = await pages.get(address)
      expect([kept.status, kept.headers['cache-control']]).toEqual([200, 'public, max-age=31536000, immutable'])
      expect(kept.headers['x-content-type-options']).toBe('nosniff')
      expect((await pages.get(`/assets/${name}`)).headers['cache-control']).toBe('no-cache')
      expect((await pages.get(`/assets/${name}?v=old`)).headers['cache-control']).toBe('no-cache')
    },
  )
})

test('no expression of a page is let through unescaped by an exclamation mark of its text', () => {
  const folder = new URL('.', import.meta.url)
  const sources = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  const text = sources.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n')
  expect(text).toContain('!${')
  expect(text.match(/[\w.]!\$\{/g) ?? []).toEqual([])
})
