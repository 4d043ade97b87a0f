import { describe, expect, it } from 'vitest'
import { Refusal } from '../kernel/errors.ts'
import { expectHarmless, expectSound, invalid, TestPages } from './test-pages.ts'

const KEY = 'sk_the-key'
const FORMS: readonly [path: string, operation: string, fields: Record<string, string | string[]>][] = [
  ['/keys/new', 'keys/create', { name: 'alerts', scopes: ['read'] }],
  ['/keys/rotate', 'keys/rotate', { id: 'key_one', overlap_hours: '4' }],
]
const idIn = (text: string): string => /name="client_request_id" value="([\w-]{22})"/.exec(text)?.[1] ?? ''
const made = (id: string) =>
  new Refusal('key_exists', `This request made the key ${id} already.`, { extra: { key_id: id } })

describe.each(FORMS)('the form at %s', (path, operation, fields) => {
  it('is answered the key at once, which nobody may keep, and nothing else has', async () => {
    const pages = new TestPages(KEY)
    const { status, headers, text } = await pages.post(path, fields)
    expect([status, headers['cache-control']]).toEqual([200, 'no-store'])
    expect(text).toContain(`<code data-copy="the key">${KEY}</code>`)
    expect(text).toContain('It is shown this once')
    expect(JSON.stringify(headers)).not.toContain(KEY)
    expectSound(text)
  })

  it('has an id of its own each time that it is shown anew, and keeps it while it is put right', async () => {
    const pages = new TestPages()
    const shown = async () => idIn((await pages.get(`${path}?id=key_one`)).text)
    const ids = [await shown(), await shown()]
    expect(new Set([...ids, '']).size).toBe(3)
    const [id = ''] = ids
    pages.refuse(operation, invalid({ field: 'name', message: 'Wrong.' }))
    const again = await pages.post(path, { ...fields, client_request_id: id })
    expect([again.status, idIn(again.text)]).toEqual([400, id])
    expect(pages.asked.find(([name]) => name === operation)?.[1]).toMatchObject({ client_request_id: id })
  })

  it('that made its key says so when it is sent again, and leads to replacing or revoking it', async () => {
    const pages = new TestPages(KEY)
    pages.refuse(operation, made('key_one'))
    const { status, headers, text } = await pages.post(path, { ...fields, client_request_id: 'sent-before' })
    expect([status, headers['cache-control']]).toEqual([409, 'no-store'])
    expect(text).toContain('can’t be shown again')
    expect(text).toContain('href="/keys/rotate?id&#61;key_one"')
    expect(text).toContain('href="/keys/revoke?id&#61;key_one"')
    expect(text).not.toContain('data-copy')
    expect(text).not.toContain('client_request_id')
    expectSound(text)
    expect(pages.finished.at(-1)).toMatchObject({ route: path, errorCode: 'key_exists' })
  })

  it('says so of a key that was revoked since, too, as text', async () => {
    const pages = new TestPages()
    pages.refuse(operation, made('"><img src=x>'))
    const { status, text } = await pages.post(path, { ...fields, client_request_id: 'sent-before' })
    expect([status, text]).toEqual([409, expect.stringContaining('has been revoked or replaced since')])
    expectHarmless(text)
    expectSound(text)
  })

  it('sent by a program is answered as the operation answers', async () => {
    const pages = new TestPages(KEY)
    const json = { accept: 'application/json' }
    const first = await pages.post(path, fields, json)
    expect([first.status, JSON.parse(first.text)]).toMatchObject([200, { status: 'success', data: { key: KEY } }])
    pages.refuse(operation, made('key_one'))
    const again = await pages.post(path, fields, json)
    expect([again.status, JSON.parse(again.text)]).toMatchObject([409, { code: 'key_exists', key_id: 'key_one' }])
  })
})

it('a key is replaced without a look at a list that has the old one no more', async () => {
  const pages = new TestPages(KEY)
  pages.answers['keys'] = { data: [] }
  const { status, text } = await pages.post('/keys/rotate', { id: 'key_one', overlap_hours: '0' })
  expect([status, text]).toEqual([200, expect.stringContaining('The old key is refused from now on.')])
})

it('a key that may do nothing is told in words for a person, under a title that says so, and all else is kept', async () => {
  const pages = new TestPages()
  pages.refuse('keys/create', invalid({ field: 'scopes', message: 'Must contain 1 to 3 items. Got 0.' }))
  const { text } = await pages.post('/keys/new', { name: 'alerts', networks: '10.0.0.0/8' })
  expect(text).toContain('<p class="error" id="field-scopes-error">Tick one at least.</p>')
  expect(text).toContain('<title>Error: New API key · Sauda</title>')
  expect(text).toContain('value="10.0.0.0/8"')
  pages.refuse('keys/create', invalid({ field: 'scopes', message: 'Not for a viewer.' }))
  expect((await pages.post('/keys/new', { scopes: ['admin'] })).text).toContain('Not for a viewer.')
})

it('the addresses of a key are told apart, and have a line of their own when they are many', async () => {
  const shown = async (networks: string): Promise<string> => {
    const { text } = await new TestPages(networks).get('/keys')
    return /<div[^>]*><dt>IP addresses<\/dt><dd>[^<]*<\/dd><\/div>/.exec(text)?.[0] ?? ''
  }
  expect(await shown('10.0.0.0/8')).toBe('<div><dt>IP addresses</dt><dd>10.0.0.0/8</dd></div>')
  expect(await shown('10.0.0.0/8,192.0.2.7,2001:db8::/32')).toBe(
    '<div class="wide"><dt>IP addresses</dt><dd>10.0.0.0/8, 192.0.2.7, 2001:db8::/32</dd></div>',
  )
  expect(await shown('')).toBe('<div><dt>IP addresses</dt><dd>Any</dd></div>')
})
