import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it, test, vi } from 'vitest'
import { Refusal } from '../kernel/errors.ts'
import { input } from './fields.ts'
import { errorPage, PAGES } from './index.ts'
import { NO_PROBLEMS } from './problems.ts'
import { ANSWERED, invalid, TestPages } from './test-pages.ts'

const HOSTILE = `"><img src=x onerror=alert(1)>'&</textarea><script>alert(1)</script>`

const VIEWER = { email: 'v', id: 'v', name: 'v', role: 'viewer' }

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

function expectHarmless(html: string): void {
  expect(html).toMatch(/^<!doctype html>/)
  expect(html).not.toContain('<img src=x')
  expect(html).not.toContain('alert(1)</script>')
  expect(html.replace(/"[^"<>]*"/g, '""')).not.toMatch(/\son\w+\s*=|\sstyle\s*=|<style/i)
  const scripts = html.match(/<script[^>]*>[^<]*/g) ?? []
  expect(scripts).toHaveLength(1)
  expect(scripts[0]).toMatch(/^<script src="\/assets\/sauda\.js\?v=[\w-]{12}" defer>$/)
  expect(html).not.toMatch(/(?:src|href|action)="(?:https?:)?\/\//)
}

/** Of every form: where it goes and that it carries what proves where it comes from. */
function expectSound(html: string): void {
  for (const [form] of html.matchAll(/<form[\s\S]*?<\/form>/g)) {
    expect(form).toMatch(/<form[^>]* method="post"/)
    expect(form).toMatch(/<input type="hidden" name="csrf" value="[\w-]{43}">/)
  }
  const ids = Array.from(html.matchAll(/ id="([^"]+)"/g), ([, id]) => id)
  expect(new Set(ids).size, `ids ${ids} are unique`).toBe(ids.length)
  const references = Array.from(html.matchAll(/ (?:for|aria-describedby|aria-labelledby)="([^"]+)"/g), ([, id]) => id)
  for (const id of references.flatMap((text) => text?.split(' ') ?? [])) expect(ids).toContain(id)
  expect(html.match(/<h1/g)).toHaveLength(1)
  expect((html.match(/ autofocus/g) ?? []).length).toBeLessThan(2)
}

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
    expect(unlooked).toEqual(['/login/totp'])
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
    expect(pages.asked).toEqual([['auth/setup/check', { token: 'x'.repeat(128) }]])
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

describe('a form', () => {
  const FORMS: readonly [path: string, operation: string, fields: Record<string, string>, hidden?: string[]][] = [
    ['/login', 'auth/login', { name: 'asha', password: 'hunter222' }],
    ['/forgot', 'auth/password/forgot', { name: 'asha' }],
    ['/reset', 'auth/password/reset', { name: 'asha', code: '123123', new_password: 'hunter222' }],
    ['/account/password', 'auth/password', { current_password: 'hunter221', new_password: 'hunter222' }],
    ['/account/accounts/new', 'accounts/create', { name: 'options' }],
    ['/account/accounts/order-mode', 'accounts/order-mode', { account: 'second', mode: 'semi_auto' }],
    ['/account/totp', 'auth/totp/enrol', { password: 'hunter222' }],
    ['/account/totp/confirm', 'auth/totp/confirm', { code: '123123' }],
    ['/keys/new', 'keys/create', { name: 'alerts', expires_days: '12', networks: '10.1.2.3', scopes: 'trade' }],
    ['/keys/rotate', 'keys/rotate', { id: 'key_one', overlap_hours: '4' }],
  ]

  it.each(FORMS)(
    '%s shows what is wrong beside each field and keeps what was typed',
    async (path, operation, fields) => {
      const pages = new TestPages()
      if (path === '/login') pages.signedOut()
      const names = Object.keys(fields).filter((name) => name !== 'id' && name !== 'account')
      pages.refuse(operation, invalid(...names.map((field) => ({ field, message: `${field} is <wrong>` }))))
      const { status, text } = await pages.post(path, fields)
      expect(status).toBe(400)
      expectSound(text)
      for (const name of names) {
        expect(text).toContain(`<p class="error" id="field-${name}-error">${name} is &#60;wrong&#62;</p>`)
        expect(text).toMatch(new RegExp(`aria-describedby="[^"]*field-${name}-error" aria-invalid="true"`))
        expect(text).toContain(`<a href="#field-${name}">`)
      }
      for (const [name, value] of Object.entries(fields)) {
        const isKept = !name.includes('password') && name !== 'code'
        expect(text.includes(`value="${value}"`), `${name} is kept`).toBe(isKept)
      }
      expect(text.match(/ autofocus/g)).toHaveLength(1)
    },
  )

  it('shows what is wrong with it as a whole, and how long to wait', async () => {
    const pages = new TestPages()
    pages.signedOut()
    pages.refuse('auth/login', new Refusal('login_locked', 'Wait 9 seconds.', { extra: { retry_after: 9 } }))
    const { status, headers, text } = await pages.post('/login', { name: 'asha', password: 'hunter222' })
    expect([status, headers['retry-after']]).toEqual([429, '9'])
    expect(text).toContain('role="alert"><p>Wait 9 seconds.</p>')
  })

  it('tells what is wrong with a field that it does not show', async () => {
    const pages = new TestPages()
    pages.refuse('keys/create', invalid({ field: 'colour', message: 'Unknown field.' }))
    const { text } = await pages.post('/keys/new', { name: 'x' })
    expect(text).toContain('role="alert"><p>colour: Unknown field.</p>')
  })

  it.each(PAGES.filter(({ post }) => post !== undefined).map(({ path }) => path))(
    '%s does nothing without its token, with another one, or when another site sends it',
    async (path) => {
      const pages = new TestPages()
      for (const fields of [{ csrf: '' }, { csrf: 'x'.repeat(43) }]) {
        const { status, text } = await pages.post(path, fields)
        expect(status).toBe(403)
        expect(text).toContain('no longer valid')
      }
      const foreign = await pages.post(path, {}, { origin: 'https://evil.example' })
      expect(foreign.status).toBe(403)
      expect(foreign.text).toContain('sent by another site')
      const unknown = await pages.post(path, {}, { cookie: 'sauda_session=of-somebody-else' })
      expect(unknown.status).toBe(403)
      expect(pages.asked).toEqual([])
    },
  )

  it('is refused when it is too large, or no form', async () => {
    const pages = new TestPages()
    const large = await pages.post('/keys/new', { name: 'x'.repeat(17_000) })
    expect(large.status).toBe(413)
    const json = await pages.post('/keys/new', {}, { 'content-type': 'application/json' })
    expect([json.status, json.text.includes('Programs use /api/v1/')]).toEqual([415, true])
    expect(pages.asked).toEqual([])
  })

  it('never gives a password back', () => {
    expect(input({ name: 'p', label: 'P', type: 'password', value: 'hunter222' }, NO_PROBLEMS)).not.toContain(
      'hunter222',
    )
  })

  it('is known to the logs by its page, what was wrong with it and its size', async () => {
    const pages = new TestPages()
    pages.refuse('auth/password', invalid({ field: 'new_password', message: 'Too short.' }))
    await pages.post('/account/password', { new_password: 'x' })
    await pages.get('/keys/rotate?id=key_one')
    await pages.get('/assets/sauda.css')
    await vi.waitFor(() => expect(pages.finished).toHaveLength(3))
    expect(pages.finished).toEqual([
      { route: '/account/password', errorCode: 'validation_failed', bytesIn: 63 },
      { route: '/keys/rotate', errorCode: '', bytesIn: 0 },
      { route: '/assets/sauda.css', errorCode: '', bytesIn: 0 },
    ])
  })

  it('that names fields of objects sends them nowhere', async () => {
    const pages = new TestPages()
    const { status } = await pages.post('/keys/new', {
      __proto__: 'x',
      constructor: 'x',
      name: 'n',
      scopes: ['read'],
    } as never)
    expect(status).toBe(303)
    expect(pages.asked.at(-1)?.[1]).toEqual({ name: 'n', scopes: ['read'] })
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

describe('what is done', () => {
  it.each([
    ['/account/password', { current_password: 'a', new_password: 'b' }, '/account?done=password-changed'],
    ['/account/sessions/revoke', { id: 'ses_one' }, '/account?done=session-ended'],
    ['/account/sessions/revoke-others', {}, '/account?done=others-ended'],
    ['/account/accounts/new', { name: 'options' }, '/account?done=account-opened'],
    ['/account/accounts/order-mode', { account: 'second', mode: 'semi_auto' }, '/account?done=orders-wait'],
    ['/keys/revoke', { id: 'key_one' }, '/keys?done=key-revoked'],
    ['/logout', {}, '/login?done=signed-out'],
    ['/forgot', { name: 'a' }, '/login?done=link-asked'],
    ['/reset', { token: 't', new_password: 'b' }, '/login?done=password-set'],
  ])('%s is followed by another page, which says so in words of ours', async (path, fields, location) => {
    const pages = new TestPages()
    const { status, headers, text } = await pages.post(path, fields)
    expect([status, headers['location'], text]).toEqual([303, location, ''])
    expect(headers['cache-control']).toBe('no-store')
    const [page = '', code] = location.split('?done=')
    if (page === '/login') pages.signedOut()
    expect((await pages.get(`${page}?done=${code}`)).text).toContain('<p class="notice" role="status">')
    expect((await pages.get(`${page}?done=toString`)).text).not.toContain('class="notice"')
  })

  it('a key is shown once, after its form, with a command that uses it', async () => {
    const pages = new TestPages('sk_the-key')
    const { status, text } = await pages.postAndFollow('/keys/new', { name: 'alerts', scopes: ['read', 'trade'] })
    expect(status).toBe(200)
    expect(text).toContain('<code data-copy="the key">sk_the-key</code>')
    expect(text).toContain('curl -X POST http://localhost:80/api/v1/placeorder')
    expect(text).toContain('&#34;apikey&#34;: &#34;sk_the-key&#34;')
  })

  it('commands name the host that the browser used, or the public address behind https', async () => {
    const command = async (publicUrl: string, host: string): Promise<string | undefined> => {
      const { text } = await new TestPages('plain', publicUrl).get('/', { host })
      return /curl -X POST (\S*)\/api/.exec(text)?.[1]
    }
    expect(await command('http://127.0.0.1:5000', 'desk.lan:5000')).toBe('http://desk.lan:5000')
    expect(await command('http://127.0.0.1:5000', '[::1]:5000')).toBe('http://[::1]:5000')
    expect(await command('http://127.0.0.1:5000', '$(reboot)')).toBe('http://127.0.0.1:5000')
    expect(await command('https://sauda.example', '127.0.0.1:5000')).toBe('https://sauda.example')
  })

  it('asks for the password again when the operation wants it, and gives it before the next try', async () => {
    const pages = new TestPages()
    pages.refuse('keys/create', new Refusal('reauthentication_required', 'Give your password again first.'))
    const fields = { name: 'alerts', scopes: ['read', 'trade'], networks: '10.0.0.0/8' }
    const refused = await pages.post('/keys/new', fields)
    expect(refused.status).toBe(403)
    expect(refused.text).toMatch(/<input id="field-password" name="password" type="password" value=""/)
    expect(refused.text).toContain('value="10.0.0.0/8"')
    expect(refused.text).toMatch(/value="trade" checked/)
    expect((await pages.get('/keys/new')).text).not.toContain('name="password"')
    pages.answers['keys/create'] = new TestPages('sk_new').answers['keys/create'] ?? {}
    pages.asked.length = 0
    const created = await pages.postAndFollow('/keys/new', { ...fields, password: 'mine' })
    expect(created.text).toContain('sk_new')
    expect(pages.asked).toEqual([
      ['auth/confirm', { password: 'mine' }],
      ['keys/create', { name: 'alerts', networks: '10.0.0.0/8', scopes: ['read', 'trade'] }],
    ])
  })

  it('offers to open accounts and change how orders by key are sent, to who may trade', async () => {
    const pages = new TestPages()
    const { text } = await pages.get('/account')
    expect(text).toContain('href="/account/accounts/new"')
    expect(text).toContain('href="/account/accounts/order-mode?account&#61;second"')
    const form = await pages.get('/account/accounts/order-mode?account=second')
    const radios = Array.from(form.text.matchAll(/type="radio" name="mode" value="(\w+)"( checked)?/g))
    expect(radios.map(([, value, checked]) => [value, checked])).toEqual([
      ['auto', ' checked'],
      ['semi_auto', undefined],
    ])
    await pages.post('/account/accounts/order-mode', { account: 'second', mode: 'semi_auto' })
    expect(pages.asked.at(-1)).toEqual(['accounts/order-mode', { account: 'second', mode: 'semi_auto' }])
    const stranger = await pages.post('/account/accounts/order-mode', { account: 'of-another', mode: 'auto' })
    expect([stranger.status, stranger.text.includes('You have no account')]).toEqual([404, true])
    expect(pages.asked.at(-1)?.[0]).toBe('accounts')
    pages.status({ user: VIEWER })
    expect((await pages.get('/account')).text).not.toContain('/account/accounts/')
    for (const path of ['/account/accounts/new', '/account/accounts/order-mode?account=second'])
      expect((await pages.get(path)).status).toBe(403)
  })

  it('offers a key no more than its user may do', async () => {
    const pages = new TestPages()
    pages.status({ user: VIEWER })
    const { text } = await pages.get('/keys/new')
    expect(Array.from(text.matchAll(/name="scopes" value="(\w+)"/g), ([, scope]) => scope)).toEqual(['read'])
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
    const { status, text } = await pages.get('/account', json)
    expect([status, JSON.parse(text).code]).toEqual([401, 'session_missing'])
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
