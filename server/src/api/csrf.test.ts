import { expect, test } from 'vitest'
import { Csrf } from './csrf.ts'
import { Cookies, readCookie } from './session-cookie.ts'
import { Visit } from './visit.ts'

const SECRET = Buffer.alloc(32, 1)

const visitWith = (cookie?: string): Visit =>
  new Visit({
    id: 'request-1',
    at: 0,
    elapsedMs: () => 0,
    method: 'POST',
    url: '/login',
    headers: cookie === undefined ? {} : { cookie },
    address: '127.0.0.1',
  })

const cookies = new Cookies({ isHttps: false })
const csrf = new Csrf(SECRET, cookies)
const setCookies = (visit: Visit): readonly string[] => [visit.answerHeaders['set-cookie'] ?? []].flat()
const accepts = (visit: Visit, token: string | undefined): boolean => {
  try {
    csrf.check(visit, token)
    return true
  } catch {
    return false
  }
}

test('a form shown before signing in is accepted from the same browser alone', () => {
  const shown = visitWith()
  const token = csrf.tokenFor(shown)
  const [cookie = ''] = setCookies(shown)
  expect(cookie).toMatch(/^sauda_form=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/)
  const browser = cookie.split(';', 1)[0]
  expect(accepts(visitWith(browser), token)).toBe(true)
  expect(csrf.tokenFor(visitWith(browser))).toBe(token)
  for (const other of [undefined, 'sauda_form=AAAAAAAAAAAAAAAAAAAAAA', 'sauda_session=x']) {
    expect(accepts(visitWith(other), token)).toBe(false)
  }
  for (const wrong of [undefined, '', token.slice(1), `${token}x`, token.toLowerCase()]) {
    expect(accepts(visitWith(browser), wrong)).toBe(false)
  }
})

test('a form of one session is refused in another, also of the same browser', () => {
  const before = 'sauda_form=AAAAAAAAAAAAAAAAAAAAAA'
  const token = csrf.tokenFor(visitWith(`${before}; sauda_session=first`))
  expect(accepts(visitWith(`${before}; sauda_session=first`), token)).toBe(true)
  expect(accepts(visitWith(`${before}; sauda_session=second`), token)).toBe(false)
  expect(accepts(visitWith(before), token)).toBe(false)
})

test('another server cannot make a form of this one', () => {
  const visit = visitWith('sauda_session=first')
  const theirs = new Csrf(Buffer.alloc(32, 2), cookies).tokenFor(visit)
  expect(accepts(visit, theirs)).toBe(false)
})

test('under https cookies are bound to the host; each cookie is set once', () => {
  const secure = new Cookies({ isHttps: true })
  const visit = visitWith()
  secure.setForm(visit, 'form')
  secure.setSession(visit, 'old', 1_000)
  secure.setSession(visit, 'new', 3_600_999)
  expect(setCookies(visit)).toEqual([
    '__Host-sauda_form=form; Path=/; HttpOnly; SameSite=Lax; Secure',
    '__Host-sauda_session=new; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=3600',
  ])
  secure.clearSession(visit)
  expect(setCookies(visit)[1]).toBe('__Host-sauda_session=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0')
  expect(secure.sessionToken({ cookie: 'sauda_session=x' })).toBeUndefined()
  expect(secure.sessionToken({ cookie: 'a=b;  __Host-sauda_session=x' })).toBe('x')
})

test.each([
  [undefined, undefined],
  ['', undefined],
  ['name', undefined],
  ['name=', undefined],
  ['other=1; name=abc-_9', 'abc-_9'],
  ['xname=1', undefined],
  ['name=first; name=second', 'first'],
  ['name=a b', undefined],
  [`name=${'x'.repeat(129)}`, undefined],
])('of %j the cookie is %j', (header, value) => {
  expect(readCookie(header, 'name')).toBe(value)
})
