import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { Checks } from '../checks.ts'
import { ServerProcess } from '../server-process.ts'

/** `npm run test:browser`: what a person sees, in Debian's Chromium (`apt-get install chromium`, or set CHROMIUM). */

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

if (!existsSync(executablePath)) {
  console.log(`There is no browser at ${executablePath}. Install Debian's chromium, or set CHROMIUM to one.`)
  process.exit(1)
}
const checks = new Checks('browser')
const server = await ServerProcess.start()
let browser: Browser | undefined
try {
  browser = await chromium.launch({ executablePath, args: ARGUMENTS })
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } })
  await look(page)
} finally {
  await browser?.close()
  await server.stop()
  await server.remove()
}
console.log(`${checks.passed} passed, ${checks.failed} failed`)
process.exitCode = checks.failed === 0 ? 0 : 1

async function look(page: Page): Promise<void> {
  const foreign: string[] = []
  const complaints: string[] = []
  page.on('request', (request) => {
    if (!request.url().startsWith(server.address) && !request.url().startsWith('data:')) foreign.push(request.url())
  })
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))

  await checks.check('the home page leads to the documentation', async () => {
    await page.goto(server.address)
    await page.locator('a[href*="/api/v1/"]').first().click()
    await page.waitForSelector('.opblock')
  })

  await checks.check('the documentation lists every operation', async () => {
    const answer = await fetch(`${server.address}/api/v1/openapi.json`)
    const { paths } = (await answer.json()) as { paths: object }
    assert.equal(await page.locator('.opblock').count(), Object.keys(paths).length)
  })

  await checks.check('Try it out places an order that fills', async () => {
    const answer = await tryItOut(page, '/placeorder')
    assert.equal(answer['status'], 'success')
    assert.match(answer['orderid'] ?? '', /^\d{14}$/)
    const book = await tryItOut(page, '/orderbook')
    assert.match(JSON.stringify(book), /"order_status":"complete"/)
  })

  await checks.check('the browser had nothing to complain of', async () => assert.deepEqual(complaints, []))

  await checks.check('an unknown page is a page', async () => {
    const answer = await page.goto(`${server.address}/nowhere`)
    assert.equal(answer?.status(), 404)
    assert.match((await page.textContent('body')) ?? '', /nowhere/)
  })

  await checks.check('nothing was asked of another host', async () => assert.deepEqual(foreign, []))
  if (process.env['SCREENSHOT'] !== undefined) {
    await page.goto(`${server.address}/api/v1/`)
    await tryItOut(page, '/quotes')
    await page.screenshot({ path: process.env['SCREENSHOT'] })
  }
}

/** Opens an operation, puts the key into its example, sends it and reads the answer that the page shows. */
async function tryItOut(page: Page, path: string): Promise<Record<string, string>> {
  const block = page.locator('.opblock', { has: page.locator(`[data-path$="${path}"]`) })
  if ((await block.locator('.opblock-body').count()) === 0) await block.locator('.opblock-summary-control').click()
  const body = block.locator('textarea.body-param__text')
  const example = JSON.parse(await body.inputValue()) as Record<string, unknown>
  await body.fill(JSON.stringify({ ...example, apikey: server.key }))
  await block.locator('button.execute').click()
  const shown = block.locator('.live-responses-table .response-col_description code').first()
  await shown.waitFor()
  return JSON.parse((await shown.textContent()) ?? '') as Record<string, string>
}
