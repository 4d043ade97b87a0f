/// <reference lib="dom" />
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { Checks } from '../checks.ts'
import { ServerProcess } from '../server-process.ts'
import { placeByDocumentation } from './documentation.ts'
import { press, tabTo, type, untilFocused } from './keyboard.ts'
import { showLongText } from './long-text.ts'
import { look } from './look.ts'
import { Mailbox } from './mailbox.ts'
import { changePassword, codeOf, forgetPassword, keepOnPaper, type Person, signIn, spend } from './passwords.ts'

/**
 * `npm run test:browser`: what a person sees and does, in Debian's Chromium (`apt-get install chromium`, or set CHROMIUM).
 * With SCREENSHOTS=folder it leaves a picture of each page there, light and dark, wide and narrow.
 */

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
const asha: Person = {
  name: 'asha',
  email: 'asha@example.com',
  password: 'four random words here',
  secret: '',
  codes: [],
}

if (!existsSync(executablePath)) {
  console.log(`There is no browser at ${executablePath}. Install Debian's chromium, or set CHROMIUM to one.`)
  process.exit(1)
}
const checks = new Checks('browser')
const mailbox = await Mailbox.open()
const server = await ServerProcess.start(mailbox.settings)
const foreign: string[] = []
const complaints: string[] = []
let browser: Browser | undefined
try {
  browser = await chromium.launch({ executablePath, args: ARGUMENTS })
  await live(await browser.newContext({ viewport: { width: 1280, height: 1000 } }))
  await withoutScript(await browser.newContext({ javaScriptEnabled: false }))
  await checks.check('the browser had nothing to complain of', async () => assert.deepEqual(complaints, []))
  await checks.check('nothing was asked of another host', async () => assert.deepEqual(foreign, []))
} finally {
  await browser?.close()
  await server.stop()
  await server.remove()
  mailbox.close()
}
console.log(`${checks.passed} passed, ${checks.failed} failed`)
process.exitCode = checks.failed === 0 ? 0 : 1

/** From the printed link to signing out, as somebody would the first time. */
async function live(context: BrowserContext): Promise<void> {
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  follow(page)
  let used = ''
  let key = ''

  await checks.check('until it is set up, pages lead to the set-up, which waits for the printed link', async () => {
    for (const path of ['/', '/login', '/account', '/keys']) {
      await page.goto(server.address + path)
      assert.equal(new URL(page.url()).pathname, '/setup')
    }
    assert.equal(await page.locator('input[type=password]').count(), 0)
    await look(page, 'waiting')
  })

  await checks.check('the printed link creates the first user, by keyboard alone', async () => {
    const link = /^Set up users within 30 minutes: (\S+)$/m.exec(server.output)?.[1] ?? ''
    const wrong = await page.goto(`${link.slice(0, -1)}~`)
    assert.equal(wrong?.status(), 403)
    assert.equal(await page.locator('input').count(), 0)
    await look(page, 'dead-link')
    await page.goto(link)
    await look(page, 'setup')
    await type(page, asha.name)
    await page.keyboard.press('Tab')
    await type(page, asha.email)
    await page.keyboard.press('Tab')
    await type(page, 'password123')
    await page.keyboard.press('Enter')
    await page.waitForSelector('[aria-invalid=true]')
    await look(page, 'setup-error')
    assert.equal(await page.inputValue('[name=name]'), asha.name)
    assert.equal(await page.inputValue('[name=password]'), '')
    await untilFocused(page, 'password')
    await type(page, asha.password)
    await page.keyboard.press('Enter')
    await page.waitForURL((url) => url.pathname === '/')
    await look(page, 'home')
    await page.goto(link)
    assert.notEqual(new URL(page.url()).pathname, '/setup')
  })

  await showLongText(checks, page, server.address, asha)

  await checks.check('a second factor is switched on with a code of the shown secret', async () => {
    await page.goto(`${server.address}/account`)
    await look(page, 'account')
    await page.goto(`${server.address}/account/totp`)
    await page.fill('[name=password]', asha.password)
    await page.keyboard.press('Enter')
    await page.waitForSelector('img[alt*=QR]')
    await look(page, 'totp')
    asha.secret = ((await page.textContent('[data-copy="the secret"]')) ?? '').trim()
    assert.match(asha.secret, /^[A-Z2-7]{32}$/)
    used = codeOf(asha)
    await page.fill('[name=code]', used)
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => /recovery/i.test(document.querySelector('h1')?.textContent ?? ''))
    await look(page, 'recovery-codes')
    asha.codes = ((await page.textContent('[data-copy="the recovery codes"]')) ?? '').trim().split(/\s+/)
    assert.equal(asha.codes.length, 10)
    await keepOnPaper(page, server.address, asha)
  })

  await checks.check(
    'signing in asks for the code, refuses one that was used, and takes a recovery code once',
    async () => {
      await signOut(page)
      await look(page, 'login')
      await signIn(page, asha)
      await look(page, 'code')
      await page.fill('[name=code]', used)
      await page.keyboard.press('Enter')
      await page.waitForSelector('[role=alert], .problem, .error')
      await page.fill('[name=code]', spend(asha))
      await page.keyboard.press('Enter')
      await page.waitForURL((url) => url.pathname === '/')
    },
  )

  await checks.check('another account is opened, and its orders by key wait for approval', async () => {
    await page.goto(`${server.address}/account`)
    await page.locator('a', { hasText: 'New account' }).click()
    await look(page, 'new-account')
    await type(page, 'default')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#field-name-error')
    await page.fill('[name=name]', 'options')
    await page.keyboard.press('Enter')
    await page.waitForURL((url) => url.pathname === '/account')
    const row = page.locator('li', { hasText: 'options' })
    await row.locator('a', { hasText: 'Change' }).click()
    await look(page, 'order-mode')
    await page.check('[value=semi_auto]')
    await page.locator('button', { hasText: 'Change' }).click()
    await page.waitForURL((url) => url.pathname === '/account')
    await look(page, 'account-changed')
    assert.match((await row.textContent()) ?? '', /Wait for approval/)
  })

  await checks.check('a key is created and shown once', async () => {
    await page.goto(`${server.address}/keys/new`)
    await look(page, 'new-key')
    await page.fill('[name=name]', 'browser')
    await page.check('[value=trade]')
    await page.locator('button', { hasText: 'Create key' }).click()
    await page.waitForFunction(() => /sk_/.test(document.querySelector('main')?.textContent ?? ''))
    await look(page, 'created-key')
    key = /sk_[A-Za-z0-9_-]{43}/.exec((await page.textContent('main')) ?? '')?.[0] ?? ''
    assert.ok(!page.url().includes(key))
    const reloaded = await page.reload()
    assert.equal(reloaded?.status(), 409)
    await look(page, 'key-made-before')
    const shown = (await page.textContent('main')) ?? ''
    assert.match(shown, /browser/)
    assert.match(shown, /can’t be shown again/)
    assert.ok(!shown.includes(key))
    assert.equal(await page.locator('a[href^="/keys/revoke"]').count(), 1)
    await press(page, 'Your keys')
    await page.waitForURL((url) => url.pathname === '/keys')
    await look(page, 'keys')
    assert.ok(!((await page.textContent('main')) ?? '').includes(key))
    assert.equal(await keysNamed(page, 'browser'), 1)
  })

  await checks.check('the way back from a new key leads to the form, and forth to no second key', async () => {
    await page.goto(`${server.address}/keys/new`)
    await page.fill('[name=name]', 'back and forth')
    await page.locator('button', { hasText: 'Create key' }).click()
    await page.waitForSelector('[data-copy="the key"]')
    await page.goBack()
    await page.waitForSelector('button:has-text("Create key")')
    // The browser asks whether to send the form again; a reload says yes
    await page.goForward().catch(() => undefined)
    await page.waitForURL('chrome-error://chromewebdata/')
    assert.equal((await page.reload())?.status(), 409)
    assert.equal(await keysNamed(page, 'back and forth'), 1)
  })

  await placeByDocumentation(checks, page, server.address, key)

  await checks.check('traffic, latency and the order log show it', async () => {
    const { data: orders } = await read(page, 'logs/orders')
    assert.equal((orders as { operation: string }[])[0]?.operation, 'placeorder')
    const { data: traffic } = await read(page, 'traffic?route=placeorder')
    assert.equal((traffic as { status: number }[])[0]?.status, 200)
    const { data: latency } = await read(page, 'latency?operation=placeorder&window=start')
    const steps = (latency as { step: string }[]).map(({ step }) => step)
    for (const step of ['authenticate', 'validate', 'venue', 'journal', 'total']) assert.ok(steps.includes(step), step)
    for (const found of [orders, traffic]) assert.ok(!JSON.stringify(found).includes(key))
  })

  await checks.check('a revoked key is refused at once', async () => {
    assert.equal(await fundsBy(key), 200)
    await page.goto(`${server.address}/keys`)
    await page.locator('li', { hasText: 'browser' }).locator('a', { hasText: 'Revoke' }).click()
    await look(page, 'revoke-key')
    await page.locator('button', { hasText: 'Revoke key' }).click()
    await page.waitForURL((url) => url.pathname === '/keys')
    assert.equal(await fundsBy(key), 403)
  })

  await checks.check('a key is replaced by keyboard alone, and the old one works as long as was chosen', async () => {
    await page.goto(`${server.address}/keys`)
    const [, name = ''] =
      /^Replace (.+)$/.exec((await page.getAttribute('a[href^="/keys/rotate"]', 'aria-label')) ?? '') ?? []
    await press(page, `Replace ${name}`)
    await page.waitForURL((url) => url.pathname === '/keys/rotate')
    await look(page, 'replace-key')
    await tabTo(page, 'overlap_hours')
    await page.keyboard.press('ArrowDown')
    assert.equal(await page.inputValue('[name=overlap_hours]'), '4')
    await press(page, 'Replace key')
    await page.waitForSelector('[data-copy="the key"]')
    assert.equal(new URL(page.url()).search, '')
    await look(page, 'replaced-key')
    const shown = (await page.textContent('main')) ?? ''
    const replacing = /sk_[A-Za-z0-9_-]{43}/.exec(shown)?.[0] ?? ''
    assert.match(shown, /The old key works until/)
    assert.equal((await page.reload())?.status(), 409)
    await press(page, 'Your keys')
    await page.waitForURL((url) => url.pathname === '/keys')
    await look(page, 'keys-replaced')
    assert.equal(await page.locator('li', { hasText: 'Works until' }).locator('a', { hasText: 'Replace' }).count(), 0)
    assert.deepEqual([await fundsBy(server.key), await fundsBy(replacing)], [200, 200])
  })

  await changePassword(checks, page, server.address, asha)

  await checks.check('after signing out, pages ask to sign in and come back to where one was going', async () => {
    await signOut(page)
    await page.goto(`${server.address}/keys`)
    assert.equal(new URL(page.url()).pathname, '/login')
    await signIn(page, asha)
    await page.fill('[name=code]', spend(asha))
    await page.keyboard.press('Enter')
    await page.waitForURL((url) => url.pathname === '/keys')
    await signOut(page)
  })

  await forgetPassword(checks, page, server.address, asha, mailbox)

  await checks.check('errors are pages, with the request id and a way back', async () => {
    const wrong: [string, number][] = [
      ['/nowhere', 404],
      ['/%zz', 400],
      ['/logout', 405],
    ]
    for (const [path, status] of wrong) {
      const answer = await page.goto(server.address + path)
      assert.equal(answer?.status(), status)
      assert.match((await page.textContent('body')) ?? '', /req-[\w-]+/)
      assert.ok((await page.locator('a[href="/"]').count()) > 0)
    }
    await page.goto(`${server.address}/nowhere`)
    await look(page, 'not-found')
    complaints.length = 0 // the browser reports each of those answers
  })
  await context.close()
}

/** Everything but the documentation works without script. */
async function withoutScript(context: BrowserContext): Promise<void> {
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  await checks.check('without script somebody signs in as far as the second step', async () => {
    await page.goto(`${server.address}/login`)
    await signIn(page, asha)
    await page.waitForURL((url) => url.pathname === '/login/totp')
  })
  await checks.check('a form of another site is refused', async () => {
    await page.setContent(
      `<form method="post" action="${server.address}/login"><input name="name" value="asha"><input name="password" value="x"><button>Go</button></form>`,
    )
    await page.click('button')
    await page.waitForURL(`${server.address}/login`)
    assert.match((await page.textContent('body')) ?? '', /403|Forbidden/)
  })
  await context.close()
}

function follow(page: Page): void {
  page.on('request', (request) => {
    if (!request.url().startsWith(server.address) && !request.url().startsWith('data:')) foreign.push(request.url())
  })
  page.on('console', (message) => {
    // Refusals that a check provokes are told there too
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
}

/** Status of the answer to a program that asks for its funds with a key. */
async function fundsBy(key: string): Promise<number> {
  const answer = await fetch(`${server.address}/api/v1/funds`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': key },
    body: '{}',
  })
  return answer.status
}

async function keysNamed(page: Page, wanted: string): Promise<number> {
  const { data: keys } = await read(page, 'keys')
  return (keys as { name: string }[]).filter(({ name }) => name === wanted).length
}

async function signOut(page: Page): Promise<void> {
  await page.goto(`${server.address}/account`)
  await page.locator('button', { hasText: 'Sign out' }).first().click()
  await page.waitForURL((url) => url.pathname === '/login')
}

/** An operation's answer, asked for from the page, as whoever is signed in. */
function read(page: Page, path: string): Promise<Record<string, unknown>> {
  return page.evaluate(async (url) => {
    const answer = await fetch(url)
    return (await answer.json()) as Record<string, unknown>
  }, `/api/v1/${path}`)
}
