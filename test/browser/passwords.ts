/// <reference lib="dom" />
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Secret, TOTP } from 'otpauth'
import type { Page } from 'playwright-core'
import type { Checks } from '../checks.ts'
import { enter, press, tabTo, type, untilFocused } from './keyboard.ts'
import { look, picture } from './look.ts'
import type { Mailbox } from './mailbox.ts'

const STEP_MS = 30_000

/** Who uses the browser; what proves it changes on the way. */
export interface Person {
  readonly name: string
  readonly email: string
  password: string
  /** Of the authenticator; empty until there is one. */
  secret: string
  /** Recovery codes that are left. */
  codes: string[]
}

/** A code of now. One of the next half minute is taken too, for who has used that of now. */
export function codeOf({ secret }: Person, { isNext = false } = {}): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + (isNext ? STEP_MS : 0) })
}

/** A recovery code, which is gone then. */
export function spend(person: Person): string {
  const code = person.codes.shift()
  assert.ok(code !== undefined, 'no recovery code is left')
  return code
}

/** Name and password, on the page that asks for them. */
export async function signIn(page: Page, { name, password }: Person): Promise<void> {
  await page.fill('[name=name]', name)
  await page.fill('[name=password]', password)
  await page.keyboard.press('Enter')
  await page.waitForURL((url) => url.pathname === '/login/totp')
}

/** Changes the password of who is signed in, by keyboard alone. */
export async function changePassword(checks: Checks, page: Page, address: string, person: Person): Promise<void> {
  await checks.check('the password is changed, by keyboard alone', async () => {
    await page.goto(`${address}/account`)
    await press(page, 'Change password')
    await page.waitForURL((url) => url.pathname === '/account/password')
    await look(page, 'password')
    await untilFocused(page, 'current_password')
    await type(page, 'not my password')
    await press(page, 'Show current password')
    assert.equal(await page.getAttribute('[name=current_password]', 'type'), 'text')
    await look(page, 'password-shown')
    await press(page, 'Hide current password')
    assert.equal(await page.getAttribute('[name=current_password]', 'type'), 'password')
    await tabTo(page, 'new_password')
    await enter(page, 'seven kites orbit plum')
    await page.waitForSelector('#field-current_password-error')
    assert.equal(await page.title(), 'Error: Change password · Sauda')
    await look(page, 'password-error')
    await untilFocused(page, 'current_password')
    await type(page, person.password)
    await tabTo(page, 'new_password')
    await enter(page, 'seven kites orbit plum')
    await page.waitForURL((url) => url.pathname === '/account')
    assert.match((await page.textContent('[role=status]')) ?? '', /password is changed/)
    person.password = 'seven kites orbit plum'
  })
}

/** Takes the recovery codes that a page shows away: as a file, and on paper. */
export async function keepOnPaper(page: Page, address: string, { name, codes }: Person): Promise<void> {
  const downloading = page.waitForEvent('download')
  await press(page, 'Download')
  const file = readFileSync(await (await downloading).path(), 'utf8')
  assert.deepEqual(file.split('\n').slice(3, -1), codes)
  assert.ok(file.startsWith(`Recovery codes of ${name} at ${address}\n`), file)
  await page.evaluate(() => {
    window.print = () => document.body.setAttribute('data-printed', '')
  })
  await press(page, 'Print')
  await page.waitForSelector('[data-printed]')
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
  await picture(page, 'recovery-codes-printed')
  for (const text of [codes.join('\n'), name, address])
    assert.ok(await page.locator('main').getByText(text).first().isVisible(), text)
  for (const name of ['Sign out', 'Copy', 'Download'])
    assert.ok(!(await page.getByText(name).first().isVisible()), name)
  const [ink, scheme] = await page.evaluate(() => {
    const { color, colorScheme } = getComputedStyle(
      document.documentElement.querySelector('.copyable') ?? document.body,
    )
    return [color, colorScheme]
  })
  assert.deepEqual([ink, scheme], ['rgb(20, 33, 43)', 'light'], 'dark ink on paper')
  await page.emulateMedia({ media: 'screen', colorScheme: 'light' })
}

/** Sets new passwords without the old one, by keyboard alone; nobody is signed in before or afterwards. */
export async function forgetPassword(
  checks: Checks,
  page: Page,
  address: string,
  person: Person,
  mailbox: Mailbox,
): Promise<void> {
  await checks.check('a forgotten password is set anew by a mailed link, once', async () => {
    await page.goto(`${address}/login`)
    await press(page, 'Forgotten your password?')
    await page.waitForURL((url) => url.pathname === '/forgot')
    await look(page, 'forgot')
    await untilFocused(page, 'name')
    await enter(page, person.email)
    await page.waitForURL((url) => url.pathname === '/login')
    assert.match((await page.textContent('[role=status]')) ?? '', /link is on its way/)
    const link = await mailbox.link()
    assert.ok(link.startsWith(`${address}/reset?token=`), link)
    const wrong = await page.goto(`${link.slice(0, -1)}~`)
    assert.equal(wrong?.status(), 403)
    assert.equal(await page.locator('input').count(), 0)
    await look(page, 'dead-reset-link')
    await press(page, 'Ask for a new link')
    await page.waitForURL((url) => url.pathname === '/forgot')
    await page.goto(link)
    await look(page, 'reset-link')
    await untilFocused(page, 'new_password')
    await enter(page, 'password123')
    await page.waitForSelector('#field-new_password-error')
    await untilFocused(page, 'new_password')
    await enter(page, 'amber lamps over quiet rivers')
    await page.waitForURL((url) => url.pathname === '/login')
    person.password = 'amber lamps over quiet rivers'
    assert.match((await page.textContent('[role=status]')) ?? '', /new password is set/)
    assert.equal((await page.goto(link))?.status(), 403)
  })

  await checks.check('a recovery code or one of the authenticator sets a new password, too, once', async () => {
    await page.goto(`${address}/login`)
    await press(page, 'Forgotten your password?')
    await page.waitForURL((url) => url.pathname === '/forgot')
    await press(page, 'Use an authenticator or recovery code')
    await page.waitForURL((url) => url.pathname === '/reset')
    await look(page, 'reset')
    await untilFocused(page, 'name')
    const spent = spend(person)
    await resetBy(page, person, spent, 'copper fields under one moon')
    await page.goto(`${address}/reset`)
    assert.equal(await statusOfReset(page, person, spent, 'never to be the password'), 401)
    await page.waitForSelector('[role=alert]')
    await look(page, 'reset-error')
    await page.goto(`${address}/reset`)
    await resetBy(page, person, codeOf(person, { isNext: true }), 'slow winter trains go north')
    await signIn(page, person)
    await page.goto(`${address}/login`)
  })
}

async function resetBy(page: Page, person: Person, code: string, password: string): Promise<void> {
  assert.equal(await statusOfReset(page, person, code, password), 303)
  await page.waitForURL((url) => url.pathname === '/login')
  person.password = password
}

async function statusOfReset(page: Page, { name }: Person, code: string, password: string): Promise<number> {
  await untilFocused(page, 'name')
  await type(page, name)
  await tabTo(page, 'code')
  await type(page, code)
  await tabTo(page, 'new_password')
  const answered = page.waitForResponse((answer) => answer.request().method() === 'POST')
  await enter(page, password)
  return (await answered).status()
}
