import { expect, test } from 'vitest'
import { PAGES } from './index.ts'
import { TestPages } from './test-pages.ts'

const STALE = { csrf: 'of-a-session-that-is-over' }
const json = { accept: 'application/json' }

test.each(PAGES.filter((page) => page.for === 'members' && page.post !== undefined))(
  'a form of $path that was open when its session ended leads to sign in, and does nothing',
  async ({ path, formAt = path }) => {
    const pages = new TestPages()
    pages.signedOut()
    const { status, headers } = await pages.post(path, { ...STALE, name: 'x', id: 'key_one' })
    const login = formAt === '/' ? '/login?' : `/login?next=${encodeURIComponent(formAt)}&`
    expect([status, headers['location']]).toEqual([303, `${login}done=session-over`])
    expect(pages.asked).toEqual([])
    const told = await pages.post(path, STALE, json)
    expect([told.status, JSON.parse(told.text).code]).toEqual([401, 'session_missing'])
  },
)

test('a form to sign in, sent by who has signed in beside it, leads where it would have led', async () => {
  const pages = new TestPages()
  const { status, headers } = await pages.post('/login', { ...STALE, name: 'a', password: 'b', next: '/keys' })
  expect([status, headers['location']]).toEqual([303, '/keys'])
  expect(pages.asked).toEqual([])
})

test('another site’s form leads nowhere, whoever is signed in', async () => {
  const pages = new TestPages()
  for (const path of ['/login', '/keys/new']) {
    const { status, headers } = await pages.post(path, STALE, { origin: 'https://evil.example' })
    expect([status, headers['location']]).toEqual([403, undefined])
  }
})
