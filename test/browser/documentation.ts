/// <reference lib="dom" />
import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import type { Checks } from '../checks.ts'
import { look } from './look.ts'

/** The interactive documentation, as whoever is signed in and has a key uses it; home again at the end. */
export async function placeByDocumentation(checks: Checks, page: Page, address: string, key: string): Promise<void> {
  await checks.check('the interactive documentation asks who is signed in for no key', async () => {
    await page.goto(`${address}/api/v1/`)
    await page.locator('.opblock-tag[data-tag="Users and keys"]').click()
    const { data: keys } = await tryItOut(page, '/keys')
    assert.ok(JSON.stringify(keys).includes('browser'))
    await page.locator('.opblock-tag[data-tag="Users and keys"]').click()
  })

  await checks.check('the interactive documentation places an order with that key', async () => {
    await page.goto(`${address}/api/v1/`)
    await page.waitForSelector('.opblock')
    const { tags, paths } = (await (await fetch(`${address}/api/v1/openapi.json`)).json()) as Documents
    assert.equal(await page.locator('.opblock-tag-section').count(), tags.length)
    const ofOrders = Object.values(paths).flatMap((path) =>
      Object.values(path).filter((one) => one.tags[0] === 'Orders'),
    )
    assert.equal(await page.locator('.opblock').count(), ofOrders.length)
    await page.locator('.btn.authorize').click()
    assert.equal(await page.locator('.auth-container').count(), 1, 'there is one thing to authorise with')
    await look(page, 'docs-authorise')
    await authorise(page, key)
    const answer = await tryItOut(page, '/placeorder')
    assert.equal(answer['status'], 'success')
    assert.match(answer['orderid'] ?? '', /^\d{14}$/)
    await page.locator('.opblock-tag[data-tag="Account"]').click()
    const book = await tryItOut(page, '/orderbook')
    assert.match(JSON.stringify(book), new RegExp(answer['orderid'] ?? 'none'))
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.waitForSelector('html.dark-mode')
    await page.emulateMedia({ colorScheme: 'light' })
    await page.waitForSelector('html:not(.dark-mode)')
    await look(page, 'docs')
    await page.locator('a', { hasText: 'home, account and keys' }).click()
    await page.waitForURL((url) => url.pathname === '/')
  })
}

/** In the dialog that *Authorize* has opened. */
async function authorise(page: Page, key: string): Promise<void> {
  const dialog = page.locator('.auth-container')
  await dialog.locator('input').fill(key)
  await dialog.locator('button.authorize').click()
  await page.locator('.btn-done').first().click()
}

interface Documents {
  readonly tags: readonly object[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly tags: readonly string[] }>>>>
}

/** Opens an operation, sends its example and reads the answer that the page shows. */
async function tryItOut(page: Page, path: string): Promise<Record<string, string>> {
  const block = page.locator('.opblock', { has: page.locator(`[data-path$="${path}"]`) }).first()
  if ((await block.locator('.opblock-body').count()) === 0) await block.locator('.opblock-summary-control').click()
  await block.locator('button.execute').click()
  const shown = block.locator('.live-responses-table .response-col_description code').first()
  await shown.waitFor()
  return JSON.parse((await shown.textContent()) ?? '') as Record<string, string>
}
