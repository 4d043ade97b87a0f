import { TOTP } from 'otpauth'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Refusal } from '../kernel/errors.ts'
import { OWNER } from './audit.ts'
import { CODE_FAILURES_MAX } from './code-limit.ts'
import { HASHES_WAITING_MAX } from './password.ts'
import { RESET_LINKS_MAX } from './password-reset.ts'
import { AWAY, HOME, MINUTE_MS, PASSWORD, refusalOf, TestRooms } from './test-rooms.ts'
import type { User } from './users.ts'

const NEW_PASSWORD = 'seven kites orbit plum'

/** Of no password; comparing with it takes some tenths of a second. */
const SLOW_HASH = `$argon2id$v=19$m=65536,t=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`

interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
}

const mails: Mail[] = []
let rooms: TestRooms
let asha: User
beforeEach(async () => {
  mails.length = 0
  rooms = await TestRooms.open({
    mailer: {
      send(to, subject, text) {
        mails.push({ to, subject, text })
        return true
      },
    },
  })
  asha = await rooms.user('asha')
})
afterEach(() => rooms.dispose())

const login = (password: string) => rooms.identity.login('asha', password, HOME)
const tokenIn = (text: string) => /https:\/\/sauda\.example\/reset\?token=([\w-]{43})\s/.exec(text)?.[1] ?? ''

async function mailedToken(name = 'asha'): Promise<string> {
  const before = mails.length
  rooms.identity.forgot(name, HOME)
  await expect.poll(() => mails.length).toBe(before + 1)
  return tokenIn(mails.at(-1)?.text ?? '')
}

describe('a mailed link', () => {
  test('goes to the user, with the address of the setting, and sets a password once, in any browser', async () => {
    const { token: signedIn } = await rooms.signedIn(asha)
    const token = await mailedToken('Asha@example.com')
    expect(mails).toMatchObject([{ to: 'asha@example.com', subject: 'Set a new Sauda password' }])
    await rooms.restart()
    await rooms.identity.resetByLink(token, NEW_PASSWORD, AWAY)
    expect(rooms.callerOf(signedIn)).toBeUndefined()
    expect(await refusalOf(login(PASSWORD))).toMatchObject({ code: 'login_failed' })
    expect(await login(NEW_PASSWORD)).toMatchObject({ kind: 'session' })
    expect(await refusalOf(rooms.identity.resetByLink(token, PASSWORD, AWAY))).toMatchObject({ code: 'link_invalid' })
    expect(rooms.audit.map(({ action }) => action)).toContain('password.reset')
  })

  test('works for fifteen minutes', async () => {
    const [one, other] = [await mailedToken(), await mailedToken()]
    rooms.clock.advance(15 * MINUTE_MS - 1)
    expect(await refusalOf(rooms.identity.resetByLink(one, 'short', AWAY))).toMatchObject({
      code: 'validation_failed',
      errors: [{ field: 'new_password' }],
    })
    rooms.clock.advance(1)
    for (const token of [one, other])
      expect(await refusalOf(rooms.identity.resetByLink(token, NEW_PASSWORD, AWAY))).toMatchObject({
        code: 'link_invalid',
      })
  })

  test('is not used up by a password that may not be', async () => {
    const token = await mailedToken()
    for (const wrong of ['short', '1234567890', 'asha@example.com'])
      expect(await refusalOf(rooms.identity.resetByLink(token, wrong, AWAY))).toMatchObject({
        code: 'validation_failed',
      })
    await rooms.identity.resetByLink(token, NEW_PASSWORD, AWAY)
  })

  test('works for one of two browsers that use it at once', async () => {
    const token = await mailedToken()
    const both = await Promise.allSettled([
      rooms.identity.resetByLink(token, NEW_PASSWORD, HOME),
      rooms.identity.resetByLink(token, 'another good password', AWAY),
    ])
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })

  test('sets no password beside another way that is faster, but the owner’s word always counts', async () => {
    const tokens = [await mailedToken(), await mailedToken()]
    const settled = await Promise.allSettled([
      ...tokens.map((token, index) => rooms.identity.resetByLink(token, `good password ${index}`, HOME)),
      rooms.identity.overridePassword(asha, NEW_PASSWORD, OWNER),
    ])
    expect(settled[2]?.status).toBe('fulfilled')
    const byLinks = settled.slice(0, 2).filter(({ status }) => status === 'fulfilled')
    expect(byLinks.length).toBeLessThan(2)
    expect(await login(NEW_PASSWORD)).toMatchObject({ kind: 'session' })
  })

  test('is worth nothing once the password was changed another way, or the user disabled', async () => {
    const token = await mailedToken()
    const { caller } = await rooms.signedIn(asha)
    await rooms.identity.changePassword(caller, PASSWORD, NEW_PASSWORD, HOME)
    expect(await refusalOf(rooms.identity.resetByLink(token, PASSWORD, HOME))).toMatchObject({ code: 'link_invalid' })
    await rooms.user('ravi')
    const later = await mailedToken()
    await rooms.identity.changeUser(asha.id, { disabled: true }, OWNER)
    expect(await refusalOf(rooms.identity.resetByLink(later, PASSWORD, HOME))).toMatchObject({ code: 'link_invalid' })
  })

  test('is asked for without an answer, known or not; a user gets few mails, and the first ones go on working', async () => {
    await rooms.user('ravi')
    await rooms.identity.changeUser(asha.id, { disabled: true }, OWNER)
    for (const name of ['asha', 'nobody', '', '__proto__']) expect(rooms.identity.forgot(name, HOME)).toBeUndefined()
    const first = await mailedToken('ravi')
    for (let times = 0; times < 5; times += 1) {
      rooms.identity.forgot('ravi', AWAY)
      await expect
        .poll(() => rooms.audit.filter(({ action }) => action === 'password.reset-asked').length)
        .toBe(times + 2)
    }
    expect(mails).toHaveLength(RESET_LINKS_MAX)
    expect(new Set(mails.map(({ to }) => to))).toEqual(new Set(['ravi@example.com']))
    await rooms.identity.resetByLink(first, NEW_PASSWORD, HOME)
    expect(rooms.errors).toEqual([])
  })

  test.each(['', 'x', 'x'.repeat(43), '\u0000'])('with the token %j does not exist', async (token) => {
    await mailedToken()
    expect(await refusalOf(rooms.identity.resetByLink(token, NEW_PASSWORD, HOME))).toMatchObject({
      code: 'link_invalid',
    })
    expect(await refusalOf(rooms.identity.requireResetLink(token, AWAY))).toMatchObject({ code: 'link_invalid' })
    expect(rooms.failedLogins).toEqual([HOME.address, AWAY.address])
    expect(rooms.audit.slice(-2)).toMatchObject(
      [HOME, AWAY].map(({ address }) => ({ actor: 'unknown', action: 'password.reset-failed', address, target: '' })),
    )
  })

  test('is looked at without being used up', async () => {
    const look = (given: string) => rooms.identity.requireResetLink(given, AWAY)
    const token = await mailedToken()
    await look(token)
    await look(token)
    await rooms.identity.resetByLink(token, NEW_PASSWORD, HOME)
    expect(rooms.failedLogins).toEqual([])
    const [disabled, old] = [await mailedToken(), await mailedToken()]
    await rooms.user('ravi')
    await rooms.identity.changeUser(asha.id, { disabled: true }, OWNER)
    const answers = [await refusalOf(look(token)), await refusalOf(look('x')), await refusalOf(look(disabled))]
    await rooms.identity.changeUser(asha.id, { disabled: false }, OWNER)
    await look(old)
    rooms.clock.advance(15 * MINUTE_MS)
    answers.push(await refusalOf(look(old)))
    const wrong = answers.map((answer) => [(answer as Refusal).code, (answer as Refusal).message])
    expect(new Set(wrong.map(String)).size).toBe(1)
    expect(wrong[0]).toContain('link_invalid')
    expect(rooms.failedLogins).toHaveLength(4)
  })

  test('for set-up is no link for a reset', async () => {
    const other = await TestRooms.open()
    const token = (await other.identity.newSetUpToken()) ?? ''
    expect(await refusalOf(other.identity.resetByLink(token, NEW_PASSWORD, HOME))).toMatchObject({
      code: 'link_invalid',
    })
    await other.dispose()
  })
})

describe('a link of the machine’s owner', () => {
  test('replaces earlier ones', async () => {
    const mailed = await mailedToken()
    const one = await rooms.identity.resetLink(asha, OWNER)
    const other = await rooms.identity.resetLink(asha, OWNER)
    for (const url of [mailed, tokenIn(`${one}\n`)])
      expect(await refusalOf(rooms.identity.resetByLink(url, NEW_PASSWORD, HOME))).toMatchObject({
        code: 'link_invalid',
      })
    await rooms.identity.resetByLink(tokenIn(`${other}\n`), NEW_PASSWORD, HOME)
    expect(rooms.audit.filter(({ action }) => action === 'password.reset-link')).toMatchObject([
      { actor: 'owner', target: asha.id },
      { actor: 'owner', target: asha.id },
    ])
  })
})

describe('a reset by code', () => {
  async function enrol(user: User) {
    const { caller } = await rooms.signedIn(user)
    const { secret } = await rooms.identity.enrolTotp(caller, PASSWORD, HOME)
    const code = () => new TOTP({ secret }).generate({ timestamp: rooms.clock.now() })
    const recoveryCodes = await rooms.identity.confirmTotp(caller, code(), HOME)
    rooms.clock.advance(MINUTE_MS)
    return { code, recoveryCodes }
  }
  const reset = (name: string, code: string, from = HOME, password = NEW_PASSWORD) =>
    rooms.identity.resetByCode(name, code, password, from)

  test('takes a code of the authenticator or a recovery code, once', async () => {
    const { code, recoveryCodes } = await enrol(asha)
    const [recovery = ''] = recoveryCodes
    const { token } = await rooms.signedIn(asha)
    await reset('asha', code())
    expect(rooms.callerOf(token)).toBeUndefined()
    expect(await login(NEW_PASSWORD)).toMatchObject({ kind: 'totp' })
    expect(await refusalOf(reset('asha', code()))).toMatchObject({ code: 'login_failed' })
    await reset('asha@example.com', recovery, HOME, 'another good password')
    expect(await refusalOf(reset('asha', recovery))).toMatchObject({ code: 'login_failed' })
    expect(await login('another good password')).toMatchObject({ kind: 'totp' })
  })

  test('uses no code up for a password that may not be', async () => {
    const { recoveryCodes } = await enrol(asha)
    const [recovery = ''] = recoveryCodes
    expect(await refusalOf(reset('asha', recovery, HOME, 'short'))).toMatchObject({ code: 'validation_failed' })
    await reset('asha', recovery)
  })

  test('uses no code up when the new password can not be hashed now', async () => {
    const { code, recoveryCodes } = await enrol(asha)
    const { hasher, users } = rooms.identity
    await refusalOf(reset('asha', '000000')) // loads what checks passwords
    for (const given of [recoveryCodes[0] ?? '', code()]) {
      // Two that take long, and as many behind them as may wait
      const slow = Array.from({ length: 2 }, () => hasher.verify(SLOW_HASH, 'x'))
      const behind = Array.from({ length: HASHES_WAITING_MAX }, () => hasher.verify(undefined, 'x'))
      const before = users.find(asha.id)
      expect(await refusalOf(reset('asha', given))).toMatchObject({ code: 'overloaded' })
      expect(users.find(asha.id)).toEqual(before)
      await Promise.all([...slow, ...behind])
      await reset('asha', given)
      expect(await refusalOf(reset('asha', given))).toMatchObject({ code: 'login_failed' })
    }
  })

  test('uses a code up with the new password or not at all', async () => {
    const { recoveryCodes } = await enrol(asha)
    const { writer } = rooms.databases.money
    const writes = vi.spyOn(writer, 'write')
    await reset('asha', recoveryCodes[0] ?? '')
    const texts = writes.mock.calls.map(([statements]) => statements.map(({ sql }) => sql))
    writes.mockRestore()
    const [one] = texts.filter((sqls) => sqls.some((sql) => sql.includes('"recovery_code"')))
    expect(one?.some((sql) => sql.includes('"password_hash"'))).toBe(true)
  })

  test('says the same of who has no second factor, is disabled, or does not exist', async () => {
    await enrol(asha)
    await rooms.user('ravi')
    const gone = await rooms.user('gone')
    const { code } = await enrol(gone)
    await rooms.identity.changeUser(gone.id, { disabled: true }, OWNER)
    const answers: unknown[] = []
    for (const [name, given] of [
      ['asha', '000000'],
      ['ravi', '000000'],
      ['gone', code()],
      ['nobody', '000000'],
    ] as const) {
      const { code: refused, message, extra } = (await refusalOf(reset(name, given))) as Refusal
      answers.push({ refused, message, extra })
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(answers[0]).toMatchObject({ refused: 'login_failed' })
    expect(rooms.failedLogins).toHaveLength(4)
  })

  test('guessed by name and e-mail address has no more tries than by one; a recovery code works on', async () => {
    const { code, recoveryCodes } = await enrol(asha)
    const from = (network: number, tries: number) => ({ ...AWAY, address: `10.0.${network}.${tries}` })
    const last = async (name: string, email: string, network: number) => {
      for (let tries = 0; tries < CODE_FAILURES_MAX; tries += 1)
        expect(await refusalOf(reset(name, '000000', from(network, tries)))).toMatchObject({ code: 'login_failed' })
      const answers = [await refusalOf(reset(email, code(), AWAY)), await refusalOf(reset(name, code(), AWAY))]
      return answers.map((answer) => [(answer as Refusal).code, (answer as Refusal).message])
    }
    const known = await last('asha', 'asha@example.com', 1)
    expect(known.map(([refused]) => refused)).toEqual(['login_failed', 'login_locked'])
    await reset('asha@example.com', recoveryCodes[0] ?? '', HOME)
    rooms.clock.advance(MINUTE_MS * 60)
    expect((await last('nobody', 'nobody@example.com', 2)).map(String)).toEqual(known.map(String))
  })

  test('guessed from many addresses is locked alike for known and unknown names; signing in is not', async () => {
    await enrol(asha)
    await rooms.identity.sessions.endAll(asha.id)
    const locked = async (name: string, network: number) => {
      for (let tries = 0; tries < CODE_FAILURES_MAX; tries += 1)
        expect(await refusalOf(reset(name, '000000', { ...AWAY, address: `10.0.${network}.${tries}` }))).toMatchObject({
          code: 'login_failed',
        })
      const { code, message, extra } = (await refusalOf(reset(name, '000000', AWAY))) as Refusal
      return { code, message, extra }
    }
    const known = await locked('asha', 1)
    expect(known).toMatchObject({ code: 'login_locked' })
    expect(await locked('nobody', 2)).toEqual(known)
    expect(await login(PASSWORD)).toMatchObject({ kind: 'totp' })
  })
})
