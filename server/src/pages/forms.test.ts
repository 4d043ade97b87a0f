import { describe, expect, it, vi } from 'vitest'
import { Refusal } from '../kernel/errors.ts'
import { input } from './fields.ts'
import { PAGES } from './index.ts'
import { FORM_BYTES_MAX } from './mount.ts'
import { NO_PROBLEMS } from './problems.ts'
import { expectSound, invalid, TestPages, VIEWER } from './test-pages.ts'

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

  it.each(PAGES.filter(({ post }) => post !== undefined).map((page) => [page.path, page] as const))(
    '%s does nothing without its token, with another one, or when another site sends it',
    async (path, page) => {
      const pages = new TestPages()
      if (page.for !== 'members') pages.signedOut()
      if (page.isSetUp) pages.status({ set_up: false })
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
    expect([large.status, large.text.includes(`at most ${FORM_BYTES_MAX} bytes`)]).toEqual([413, true])
    const json = await pages.post('/keys/new', {}, { 'content-type': 'application/json' })
    expect([json.status, json.text.includes('Programs use /api/v1/')]).toEqual([415, true])
    expect(pages.asked).toEqual([])
  })

  it('never gives a password back', () => {
    expect(input({ name: 'p', label: 'P', type: 'password', value: 'hunter222' }, NO_PROBLEMS)).not.toContain(
      'hunter222',
    )
  })

  it('is known to the logs by its page and what was wrong with it', async () => {
    const pages = new TestPages()
    pages.refuse('auth/password', invalid({ field: 'new_password', message: 'Too short.' }))
    await pages.post('/account/password', { new_password: 'x' })
    await pages.get('/keys/rotate?id=key_one')
    await pages.get('/assets/sauda.css')
    await vi.waitFor(() => expect(pages.finished).toHaveLength(3))
    expect(pages.finished).toEqual([
      { route: '/account/password', errorCode: 'validation_failed' },
      { route: '/keys/rotate', errorCode: '' },
      { route: '/assets/sauda.css', errorCode: '' },
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
    expect(status).toBe(200)
    expect(pages.asked.at(-1)?.[1]).toEqual({ name: 'n', scopes: ['read'] })
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
