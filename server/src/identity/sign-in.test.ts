import { TOTP } from 'otpauth'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Refusal } from '../kernel/errors.ts'
import { CODE_FAILURES_MAX } from './code-limit.ts'
import { CHALLENGE_TRIES } from './login-challenges.ts'
import { FREE_TRIES } from './login-throttle.ts'
import { HASHES_WAITING_MAX } from './password.ts'
import { AWAY, challengeOf, HOME, MINUTE_MS, PASSWORD, refusalOf, TestRooms } from './test-rooms.ts'
import type { User } from './users.ts'

const NEW_PASSWORD = 'seven kites orbit plum'

let rooms: TestRooms
let asha: User
beforeEach(async () => {
  rooms = await TestRooms.open()
  asha = await rooms.user('asha')
})
afterEach(() => rooms.dispose())

const login = (name: string, password = PASSWORD, from = HOME) => rooms.identity.login(name, password, from)

/** A second factor: its secret, codes of around now, and the recovery codes. */
async function enrol(user: User) {
  const { caller } = await rooms.signedIn(user)
  const { secret } = await rooms.identity.enrolTotp(caller, PASSWORD, HOME)
  const totp = new TOTP({ secret })
  const codeAt = (steps: number) => totp.generate({ timestamp: rooms.clock.now() + steps * 30_000 })
  const recoveryCodes = await rooms.identity.confirmTotp(caller, codeAt(0), HOME)
  await rooms.identity.sessions.endAll(user.id)
  rooms.clock.advance(MINUTE_MS)
  return { secret, codeAt, recoveryCodes, caller }
}

describe('a login', () => {
  test.each(['asha', 'ASHA', ' asha ', 'Asha@Example.com'])('by the name %j begins a session', async (name) => {
    const result = await login(name)
    if (result.kind !== 'session') throw new Error('no session')
    expect(rooms.callerOf(result.begun.token)).toMatchObject({ userId: asha.id })
    expect(result.begun.session).toMatchObject({ address: HOME.address, device: HOME.device })
    expect(rooms.audit.at(-1)).toMatchObject({ actor: 'asha', action: 'session.begun', ...from(HOME) })
    expect(rooms.failedLogins).toEqual([])
  })

  test('begins another session each time, whatever the browser had before', async () => {
    const tokens = new Set<string>()
    for (let times = 0; times < 3; times += 1) {
      const result = await login('asha')
      if (result.kind === 'session') tokens.add(result.begun.token)
    }
    expect(tokens.size).toBe(3)
  })

  test('that fails says the same and costs one hash, whether there is such a user or not', async () => {
    const cost = async (name: string, password: string) => {
      const before = rooms.identity.hasher.computed
      const refusal = (await refusalOf(login(name, password))) as Refusal
      const { code, message, extra, errors } = refusal
      return { code, message, extra, errors, hashes: rooms.identity.hasher.computed - before }
    }
    const known = await cost('asha', 'wrong password')
    expect(known).toEqual({
      code: 'login_failed',
      message: 'The name or the password is wrong. After several that were, wait a while before the next.',
      extra: {},
      errors: undefined,
      hashes: 1,
    })
    for (const name of ['nobody', 'nobody@example.com', '', '__proto__', 'x'.repeat(10_000)])
      expect(await cost(name, PASSWORD)).toEqual(known)
    expect(rooms.failedLogins).toHaveLength(6)
  })

  test('is locked the same way for known and unknown names', async () => {
    const waits = async (name: string) => {
      const seen: unknown[] = []
      for (let tries = 0; tries < FREE_TRIES + 3; tries += 1) {
        const { code, message, extra } = (await refusalOf(login(name, 'wrong password'))) as Refusal
        seen.push({ code, message, extra })
        rooms.clock.advance(1_000)
      }
      return seen
    }
    const known = await waits('asha')
    expect(known.at(FREE_TRIES)).toMatchObject({ code: 'login_locked', extra: { retry_after: 1 } })
    rooms.clock.advance(10 * MINUTE_MS)
    expect(await waits('nobody')).toEqual(known)
  })

  test('that is locked refuses the right password too, without a hash, and passes elsewhere and later', async () => {
    for (let tries = 0; tries < FREE_TRIES; tries += 1) await refusalOf(login('asha', 'wrong password', AWAY))
    const before = rooms.identity.hasher.computed
    expect(await refusalOf(login('asha', PASSWORD, AWAY))).toMatchObject({ code: 'login_locked' })
    expect(rooms.identity.hasher.computed).toBe(before)
    expect(await login('asha', PASSWORD, HOME)).toMatchObject({ kind: 'session' })
    rooms.clock.advance(2_000)
    expect(await login('asha', PASSWORD, AWAY)).toMatchObject({ kind: 'session' })
  })

  test('has no more tries by name and e-mail address than by one, and says so no more than of names of nobody', async () => {
    const tries = async (name: string, email: string, right: string) => {
      const seen: unknown[] = []
      for (const [typed, password] of [
        ...Array.from({ length: FREE_TRIES }, () => [name, 'wrong password'] as const),
        [email, right],
        [email.toUpperCase(), right],
        [name, right],
      ] as const) {
        const before = rooms.identity.hasher.computed
        const refused = await refusalOf(login(typed, password, AWAY))
        const { code, message, extra } = refused as Refusal
        seen.push({ code, message, extra, hashes: rooms.identity.hasher.computed - before })
      }
      return seen
    }
    const known = await tries('asha', 'asha@example.com', PASSWORD)
    expect(known.map((answer) => (answer as Refusal).code)).toEqual([
      ...Array.from({ length: FREE_TRIES + 2 }, () => 'login_failed'),
      'login_locked',
    ])
    expect(await login('asha@example.com', PASSWORD, HOME)).toMatchObject({ kind: 'session' })
    rooms.clock.advance(2_000)
    expect(await login('asha@example.com', PASSWORD, AWAY)).toMatchObject({ kind: 'session' })
    await rooms.restart()
    rooms.clock.advance(24 * 60 * MINUTE_MS)
    expect(await tries('nobody', 'nobody@example.com', PASSWORD)).toEqual(known)
  })

  test.each(['Asha', ' ASHA ', '\u00a0asha\u3000', 'ａｓｈａ', 'ＡＳＨＡ'])(
    'by %j counts as by the name it finds',
    async (other) => {
      for (let tries = 0; tries < FREE_TRIES; tries += 1) await refusalOf(login('asha', 'wrong password'))
      expect(await refusalOf(login(other))).toMatchObject({ code: 'login_locked' })
      rooms.clock.advance(2_000)
      expect(await login(other)).toMatchObject({ kind: 'session' })
    },
  )

  test('attacked from a thousand addresses still passes from another one', async () => {
    for (let address = 0; address < 1_000; address += 1) {
      const away = { ...AWAY, address: `10.1.${address >> 8}.${address & 255}` }
      await refusalOf(login('asha', 'wrong password', away))
    }
    expect(await login('asha')).toMatchObject({ kind: 'session' })
  })

  test('that is cut short by too many others is no failure', async () => {
    const { hasher } = rooms.identity
    const busy = Promise.allSettled(Array.from({ length: HASHES_WAITING_MAX + 2 }, () => hasher.hash('something')))
    for (let tries = 0; tries < 3 * FREE_TRIES; tries += 1)
      expect(await refusalOf(login('asha'))).toMatchObject({ code: 'overloaded' })
    await busy
    expect(await login('asha')).toMatchObject({ kind: 'session' })
    expect(rooms.failedLogins).toEqual([])
  })

  test('is audited when it fails, without what was typed as a name that nobody has', async () => {
    await refusalOf(login('asha', 'wrong password', AWAY))
    await refusalOf(login('my secret password', PASSWORD, AWAY))
    const [known, unknown] = rooms.audit.slice(-2)
    expect(known).toMatchObject({ actor: 'asha', action: 'login.failed', target: asha.id, ...from(AWAY) })
    expect(unknown).toMatchObject({ actor: 'unknown', action: 'login.failed', target: '', ...from(AWAY) })
    expect(rooms.failedLogins).toEqual([AWAY.address, AWAY.address])
    expect(JSON.stringify(rooms.audit)).not.toContain('secret password')
  })

  test('under way while the password is changed fails', async () => {
    const { caller } = await rooms.signedIn(asha)
    const changing = rooms.identity.changePassword(caller, PASSWORD, NEW_PASSWORD, HOME)
    const logins = await Promise.allSettled(Array.from({ length: 3 }, () => login('asha', PASSWORD, AWAY)))
    const { session } = await changing
    expect(rooms.identity.sessions.list(asha.id).map(({ id }) => id)).toEqual([session.id])
    expect(logins.length).toBe(3)
  })
})

const from = ({ address, requestId }: typeof HOME) => ({ address, requestId })

describe('a second factor', () => {
  test('is asked for after the right password only', async () => {
    const { codeAt } = await enrol(asha)
    expect(await refusalOf(login('asha', 'wrong password'))).toMatchObject({ code: 'login_failed' })
    const challenge = challengeOf(await login('asha'))
    expect(rooms.identity.sessions.list(asha.id)).toEqual([])
    const { token } = await rooms.identity.loginWithCode(challenge, codeAt(0), HOME)
    expect(rooms.callerOf(token)).toMatchObject({ userId: asha.id })
    expect(await refusalOf(rooms.identity.loginWithCode(challenge, codeAt(1), HOME))).toMatchObject({
      code: 'login_failed',
    })
  })

  test('takes each code once, also of two browsers at once and after a restart', async () => {
    const { codeAt } = await enrol(asha)
    const [one, other] = [challengeOf(await login('asha')), challengeOf(await login('asha', PASSWORD, AWAY))]
    const both = await Promise.allSettled([
      rooms.identity.loginWithCode(one, codeAt(0), HOME),
      rooms.identity.loginWithCode(other, codeAt(0), AWAY),
    ])
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    await rooms.restart()
    const again = challengeOf(await login('asha'))
    for (const steps of [0, -1])
      expect(await refusalOf(rooms.identity.loginWithCode(again, codeAt(steps), HOME))).toMatchObject({
        code: 'login_failed',
      })
    expect(await rooms.identity.loginWithCode(again, codeAt(1), HOME)).toHaveProperty('token')
  })

  test('may be tried five times for each login', async () => {
    const { codeAt } = await enrol(asha)
    const challenge = challengeOf(await login('asha'))
    for (let tries = 0; tries < CHALLENGE_TRIES; tries += 1) {
      expect(await refusalOf(rooms.identity.loginWithCode(challenge, '000000', HOME))).toMatchObject({
        code: 'login_failed',
        message: 'The code is wrong, or was used before.',
      })
      rooms.clock.advance(10_000)
    }
    expect(await refusalOf(rooms.identity.loginWithCode(challenge, codeAt(0), HOME))).toMatchObject({
      message: 'This login took too long. Sign in again with your name and password.',
    })
    expect(rooms.audit.at(-1)).toMatchObject({ actor: 'asha', action: 'login.code-failed' })
    expect(rooms.failedLogins).toHaveLength(CHALLENGE_TRIES)
  })

  test('must follow within five minutes', async () => {
    const { codeAt } = await enrol(asha)
    const [late, intime] = [challengeOf(await login('asha')), challengeOf(await login('asha'))]
    rooms.clock.advance(5 * MINUTE_MS - 1)
    await rooms.identity.loginWithCode(intime, codeAt(0), HOME)
    rooms.clock.advance(1)
    expect(await refusalOf(rooms.identity.loginWithCode(late, codeAt(1), HOME))).toMatchObject({ code: 'login_failed' })
  })

  test('does not complete a login whose password was changed meanwhile', async () => {
    const { codeAt } = await enrol(asha)
    const challenge = challengeOf(await login('asha', PASSWORD, AWAY))
    const { caller } = await rooms.signedIn(asha)
    await rooms.identity.changePassword(caller, PASSWORD, NEW_PASSWORD, HOME)
    expect(await refusalOf(rooms.identity.loginWithCode(challenge, codeAt(0), AWAY))).toMatchObject({
      code: 'login_failed',
    })
    expect(rooms.identity.sessions.list(asha.id)).toHaveLength(1)
  })

  test('guessed from many addresses is locked, but not where the user is signed in, nor for recovery codes', async () => {
    const { codeAt, recoveryCodes } = await enrol(asha)
    await rooms.signedIn(asha, HOME)
    for (let tries = 0; tries < CODE_FAILURES_MAX; tries += 1) {
      const away = { ...AWAY, address: `10.0.0.${tries}` }
      const challenge = challengeOf(await login('asha', PASSWORD, away))
      expect(await refusalOf(rooms.identity.loginWithCode(challenge, '000000', away))).toMatchObject({
        code: 'login_failed',
      })
    }
    const challenge = challengeOf(await login('asha', PASSWORD, AWAY))
    expect(await refusalOf(rooms.identity.loginWithCode(challenge, codeAt(0), AWAY))).toMatchObject({
      code: 'login_locked',
    })
    expect(await rooms.identity.loginWithCode(challenge, recoveryCodes[0] ?? '', AWAY)).toHaveProperty('token')
    const home = challengeOf(await login('asha', PASSWORD, HOME))
    expect(await rooms.identity.loginWithCode(home, codeAt(0), HOME)).toHaveProperty('token')
  })

  test('counts once a code has proved it', async () => {
    const { caller } = await rooms.signedIn(asha)
    expect(await refusalOf(rooms.identity.confirmTotp(caller, '123456', HOME))).toMatchObject({ code: 'totp_missing' })
    expect(await refusalOf(rooms.identity.enrolTotp(caller, 'wrong password', HOME))).toMatchObject({
      code: 'login_failed',
      errors: [{ field: 'password' }],
    })
    const { secret } = await rooms.identity.enrolTotp(caller, PASSWORD, HOME)
    expect(await refusalOf(rooms.identity.confirmTotp(caller, '000000', HOME))).toMatchObject({ code: 'totp_invalid' })
    expect(await login('asha')).toMatchObject({ kind: 'session' })
    const code = new TOTP({ secret }).generate({ timestamp: rooms.clock.now() })
    expect(await rooms.identity.confirmTotp(caller, code, HOME)).toHaveLength(10)
    expect(await login('asha')).toMatchObject({ kind: 'totp' })
    expect(await refusalOf(rooms.identity.enrolTotp(caller, PASSWORD, HOME))).toMatchObject({ code: 'totp_exists' })
    expect(await refusalOf(rooms.identity.confirmTotp(caller, code, HOME))).toMatchObject({ code: 'totp_exists' })
  })

  test('is removed with the password and a code, and can be set up again within the same half minute', async () => {
    const { codeAt, caller, recoveryCodes } = await enrol(asha)
    const remove = (password: string, code: string) => rooms.identity.disableTotp(caller, password, code, HOME)
    expect(await refusalOf(remove('wrong password', codeAt(0)))).toMatchObject({ code: 'login_failed' })
    expect(await refusalOf(remove(PASSWORD, '000000'))).toMatchObject({ code: 'login_failed' })
    await remove(PASSWORD, codeAt(0))
    expect(rooms.audit.at(-1)).toMatchObject({ actor: 'asha', action: 'totp.disabled' })
    expect(await refusalOf(remove(PASSWORD, codeAt(1)))).toMatchObject({ code: 'totp_missing' })
    expect(await login('asha')).toMatchObject({ kind: 'session' })
    expect(await rooms.identity.recoveryCodesLeft(asha.id)).toBe(0)
    const { secret } = await rooms.identity.enrolTotp(caller, PASSWORD, HOME)
    const code = new TOTP({ secret }).generate({ timestamp: rooms.clock.now() })
    expect(await rooms.identity.confirmTotp(caller, code, HOME)).not.toContain(recoveryCodes[0])
  })
})

describe('recovery codes', () => {
  test('are ten, each works once, however it is written', async () => {
    const { recoveryCodes } = await enrol(asha)
    expect(new Set(recoveryCodes).size).toBe(10)
    for (const code of recoveryCodes) expect(code).toMatch(/^[a-hjkmnp-z2-9]{4}-[a-hjkmnp-z2-9]{4}-[a-hjkmnp-z2-9]{4}$/)
    const [one = '', other = ''] = recoveryCodes
    const use = async (code: string) => rooms.identity.loginWithCode(challengeOf(await login('asha')), code, HOME)
    expect(await use(` ${one.toUpperCase().replaceAll('-', ' ')}`)).toHaveProperty('token')
    expect(await refusalOf(use(one))).toMatchObject({ code: 'login_failed' })
    expect(await use(other)).toHaveProperty('token')
    expect(await rooms.identity.recoveryCodesLeft(asha.id)).toBe(8)
  })

  test('work once, also of two browsers at once, and for their user only', async () => {
    const { recoveryCodes } = await enrol(asha)
    const ravi = await rooms.user('ravi')
    await enrol(ravi)
    const [code = ''] = recoveryCodes
    const foreign = challengeOf(await login('ravi'))
    expect(await refusalOf(rooms.identity.loginWithCode(foreign, code, HOME))).toMatchObject({ code: 'login_failed' })
    const [one, other] = [challengeOf(await login('asha')), challengeOf(await login('asha'))]
    const both = await Promise.allSettled([
      rooms.identity.loginWithCode(one, code, HOME),
      rooms.identity.loginWithCode(other, code, AWAY),
    ])
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })

  test('are replaced by new ones', async () => {
    const { recoveryCodes, caller } = await enrol(asha)
    expect(await refusalOf(rooms.identity.renewRecoveryCodes(caller, 'wrong password', HOME))).toMatchObject({
      code: 'login_failed',
    })
    const renewed = await rooms.identity.renewRecoveryCodes(caller, PASSWORD, HOME)
    expect(renewed).toHaveLength(10)
    const challenge = challengeOf(await login('asha'))
    expect(await refusalOf(rooms.identity.loginWithCode(challenge, recoveryCodes[3] ?? '', HOME))).toMatchObject({
      code: 'login_failed',
    })
    expect(await rooms.identity.loginWithCode(challenge, renewed[3] ?? '', HOME)).toHaveProperty('token')
  })
})
