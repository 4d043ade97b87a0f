import { expect, it } from 'vitest'
import { WAITING_MS, WAITING_PER_SESSION_MAX } from './shown-once.ts'
import { FOLLOWED, SESSION, TestPages } from './test-pages.ts'

const SHOWN = 'They are shown this once'

/** Sends the form that makes recovery codes. Answers the address that it leads to. */
async function makeCodes(pages: TestPages): Promise<string> {
  const { headers } = await pages.post('/account/recovery-codes', { password: 'x' })
  return String(headers['location'])
}

function enrolled(): TestPages {
  const pages = new TestPages('the-code')
  pages.status({ totp_enabled: true })
  return pages
}

it.each(FOLLOWED)('%s: a reload shows the secret no more and does nothing again', async (path, fields) => {
  const pages = path === '/account/recovery-codes' ? enrolled() : new TestPages('the-secret')
  const { status, headers, text } = await pages.post(path, fields)
  expect([status, text]).toEqual([303, ''])
  const asked = pages.asked.length
  const location = String(headers['location'])
  expect(location).toMatch(/^\/[a-z/-]+\?once=[\w-]{16}$/)
  const foreign = await pages.get(location, { cookie: 'sauda_session=of-somebody-else' })
  expect(foreign.text).not.toContain('this once')
  await pages.app.inject({ method: 'HEAD', url: location, headers: { cookie: SESSION } })
  const said = /They are shown this once|Scan this code/
  expect((await pages.get(location)).text).toMatch(said)
  expect((await pages.get(location)).text).not.toMatch(said)
  expect(pages.asked.slice(asked)).toEqual([])
})

it('what nobody looks at is not kept for long', async () => {
  const pages = enrolled()
  const location = await makeCodes(pages)
  pages.clock.advance(WAITING_MS)
  expect((await pages.get(location)).text).not.toContain(SHOWN)
})

it('so many secrets wait for one session, the newest ones', async () => {
  const pages = enrolled()
  const locations: string[] = []
  for (let made = 0; made <= WAITING_PER_SESSION_MAX; made += 1) locations.push(await makeCodes(pages))
  const shown: boolean[] = []
  for (const location of locations) shown.push((await pages.get(location)).text.includes(SHOWN))
  expect(shown).toEqual([false, ...locations.slice(1).map(() => true)])
})

it('a program that sends the form is answered the secret at once', async () => {
  const { status, text } = await enrolled().post(
    '/account/recovery-codes',
    { password: 'x' },
    { accept: 'application/json' },
  )
  expect([status, JSON.parse(text)]).toMatchObject([200, { data: { recovery_codes: ['the-code', 'second-code'] } }])
})
