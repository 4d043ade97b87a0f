/// <reference lib="dom" />
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import type { Checks } from '../checks.ts'
import { look } from './look.ts'
import type { Person } from './passwords.ts'

/** As long as names and lists of keys may be, and longer than any browser calls itself. */
const KEY_NAME = 'W'.repeat(64)
const NETWORKS = Array.from({ length: 20 }, (_, at) => `2001:db8:1234:5678:9abc:def0:1234:${100 + at}`)
const USER_AGENT = 'Z'.repeat(500)

/** What people and programs call themselves and their things, as long as it gets; the key is gone again at the end. */
export async function showLongText(checks: Checks, page: Page, address: string, person: Person): Promise<void> {
  await checks.check('the longest names and lists fit on every page', async () => {
    const elsewhere = await fetch(`${address}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': USER_AGENT },
      body: JSON.stringify({ name: person.name, password: person.password }),
    })
    assert.equal(elsewhere.status, 200)
    await page.goto(`${address}/account`)
    const [first = '', second = ''] = await page.locator('[aria-labelledby=sessions] li').allTextContents()
    assert.match(first, /This browser/)
    assert.match(second, /^Z{59}…/)
    await look(page, 'account-long')
    await page.goto(`${address}/keys/new`)
    await page.fill('[name=name]', KEY_NAME)
    await page.fill('[name=networks]', NETWORKS.join(','))
    await page.uncheck('[value=read]')
    await page.locator('button', { hasText: 'Create key' }).click()
    await page.waitForSelector('#field-scopes-error')
    assert.equal(await page.textContent('#field-scopes-error'), 'Tick one at least.')
    await look(page, 'new-key-error')
    assert.equal(await page.inputValue('[name=networks]'), NETWORKS.join(','))
    await page.check('[value=read]')
    await page.locator('button', { hasText: 'Create key' }).click()
    await page.waitForSelector('[data-copy="the key"]')
    await look(page, 'created-key-long')
    await page.goto(`${address}/keys`)
    await look(page, 'keys-long')
    const row = page.locator('li', { hasText: KEY_NAME })
    assert.ok(((await row.textContent()) ?? '').includes(NETWORKS.join(', ')))
    await row.locator('a', { hasText: 'Revoke' }).click()
    await look(page, 'revoke-key-long')
    await page.locator('button', { hasText: 'Revoke key' }).click()
    await page.waitForURL((url) => url.pathname === '/keys')
  })
}
