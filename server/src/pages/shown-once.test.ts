import { expect, it } from 'vitest'
import { WAITING_MS, WAITING_PER_SESSION_MAX } from './shown-once.ts'
import { ANSWERED, SESSION, TestPages } from './test-pages.ts'

it.each(ANSWERED)('%s: a reload shows the secret no more and does nothing again', async (path, fields) => {
  const pages = new TestPages('sk_the-key')
  if (path === '/account/recovery-codes') pages.status({ totp_enabled: true })
  const { status, headers, text } = await pages.post(path, fields)
  expect([status, text]).toEqual([303, ''])
  const asked = pages.asked.length
  const location = String(headers['location'])
  expect(location).toMatch(/^\/[a-z/-]+\?once=[\w-]{16}$/)
  const foreign = await pages.get(location, { cookie: 'sauda_session=of-somebody-else' })
  expect(foreign.text).not.toContain('this once')
  await pages.app.inject({ method: 'HEAD', url: location, headers: { cookie: SESSION } })
  const said = /It is shown this once|They are shown this once|Scan this code/
  expect((await pages.get(location)).text).toMatch(said)
  expect((await pages.get(location)).text).not.toMatch(said)
  expect(pages.asked.slice(asked).filter(([name]) => !['keys', 'accounts'].includes(name))).toEqual([])
})

it('a key that nobody looks at is not kept for long, and the list says that it is shown once', async () => {
  const pages = new TestPages('sk_the-key')
  const { headers } = await pages.post('/keys/new', { name: 'alerts', scopes: ['read'] })
  pages.clock.advance(WAITING_MS)
  expect((await pages.get(String(headers['location']))).text).toContain('The text of a new key is shown once')
})

it('so many secrets wait for one session, the newest ones', async () => {
  const pages = new TestPages('sk_the-key')
  const locations: string[] = []
  for (let made = 0; made <= WAITING_PER_SESSION_MAX; made += 1) {
    const { headers } = await pages.post('/keys/new', { name: 'alerts', scopes: ['read'] })
    locations.push(String(headers['location']))
  }
  const isShown = async (location: string) => (await pages.get(location)).text.includes('It is shown this once')
  const shown: boolean[] = []
  for (const location of locations) shown.push(await isShown(location))
  expect(shown).toEqual([false, ...locations.slice(1).map(() => true)])
})

it('a program that sends the form is answered the secret at once', async () => {
  const pages = new TestPages('sk_the-key')
  const { status, text } = await pages.post(
    '/keys/new',
    { name: 'alerts', scopes: ['read'] },
    { accept: 'application/json' },
  )
  expect([status, JSON.parse(text)]).toMatchObject([200, { status: 'success', data: { key: 'sk_the-key' } }])
})
