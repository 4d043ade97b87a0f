import { expect, it, test } from 'vitest'
import { NOW, TestPages, VIEWER } from './test-pages.ts'

const codesIn = (text: string): string => /data-copy="the recovery codes">([^<]*)</.exec(text)?.[1] ?? ''

test('recovery codes are kept as a file, which says whose they are, and printed', async () => {
  const pages = new TestPages('first-code')
  pages.status({ totp_enabled: true })
  const { text } = await pages.postAndFollow('/account/recovery-codes', { password: 'x' })
  expect(codesIn(text)).toBe('first-code\nsecond-code')
  const [, href = ''] =
    /href="data:text\/plain;charset&#61;utf-8,([^"]*)" download="sauda-recovery-codes.txt"/.exec(text) ?? []
  expect(decodeURIComponent(href)).toBe(
    'Recovery codes of first-code at http://localhost:80\nMade 2026-11-25. Each works once.\n\nfirst-code\nsecond-code\n',
  )
  expect(text).toContain('<button class="quiet" type="button" data-print hidden>')
  expect(text).toContain('2026-11-25 12:00 IST')
})

test.each([
  [4, false],
  [3, true],
  [0, true],
])('with %i recovery codes left it is time for new ones: %s', async (left, isTime) => {
  const pages = new TestPages()
  pages.status({ totp_enabled: true, recovery_codes_left: left })
  expect((await pages.get('/account')).text.includes('Few left')).toBe(isTime)
})

it('lists this browser first, then those that were seen last', async () => {
  const pages = new TestPages()
  const session = { address: '192.0.2.7', created_at: NOW, current: false, id: 'ses_one', last_seen_at: NOW }
  const data = [
    { ...session, device: 'seen-before', last_seen_at: NOW - 2 },
    { ...session, device: 'seen-last', last_seen_at: NOW - 1 },
    { ...session, device: 'this-one', last_seen_at: NOW - 3, current: true },
  ]
  pages.answers['auth/sessions'] = { data }
  const { text } = await pages.get('/account')
  const names = Array.from(text.matchAll(/<h3>((?:seen|this)-\w+)<\/h3>/g), ([, name]) => name)
  expect(names).toEqual(['this-one', 'seen-last', 'seen-before'])
})

it.each(['/account/password', '/account/totp'])(
  '%s tells password managers whose password it asks for',
  async (path) => {
    expect((await new TestPages('asha').get(path)).text).toMatch(
      /name="username" value="asha" autocomplete="username" aria-hidden="true" tabindex="-1" readonly>[\s\S]*autocomplete="current-password"/,
    )
  },
)

it('password managers find where a password is changed', async () => {
  const { status, headers } = await new TestPages().get('/.well-known/change-password')
  expect([status, headers['location']]).toEqual([303, '/account/password'])
})

it('browsers find the picture of what is no page', async () => {
  const { status, headers, text } = await new TestPages().get('/favicon.ico')
  expect([status, headers['content-type'], headers['cache-control']]).toEqual([200, 'image/svg+xml', 'no-cache'])
  expect(text).toMatch(/^<svg /)
})

it('home begins with an order for who may trade, and with the funds for who may not', async () => {
  const pages = new TestPages()
  expect((await pages.get('/')).text).toContain('/api/v1/placeorder')
  pages.status({ user: VIEWER })
  const { text } = await pages.get('/')
  expect(text).not.toContain('/api/v1/placeorder')
  expect(text).toContain('/api/v1/funds')
})
