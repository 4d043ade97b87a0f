import { join } from 'node:path'
import { TOTP } from 'otpauth'
import { afterEach, expect, test, vi } from 'vitest'
import { kyselyOver } from '../storage/dialect.ts'
import { migrate } from '../storage/migrate.ts'
import { moneyMigrations } from '../storage/migrations/money/index.ts'
import type { MoneyDatabase } from '../storage/schema.ts'
import { openFile } from '../storage/sqlite.ts'
import { OWNER } from './audit.ts'
import { CHALLENGE_MS, CHALLENGE_TRIES, CHALLENGES_MAX, LoginChallenges } from './login-challenges.ts'
import { PasswordHasher } from './password.ts'
import { openSecret } from './secret.ts'
import {
  AWAY,
  CHEAP,
  challengeOf,
  HOME,
  MINUTE_MS,
  PASSWORD,
  refusalOf,
  START,
  TestRooms,
  type TestRoomsOptions,
} from './test-rooms.ts'
import type { User } from './users.ts'

const TOO_LATE = { code: 'login_failed', message: expect.stringContaining('took too long') }
const WRONG = { code: 'login_failed', message: expect.stringContaining('code is wrong') }
/** Before logins that wait were on disk. */
const MIGRATIONS_BEFORE = 10

let rooms: TestRooms
afterEach(async () => {
  expect(rooms.errors).toEqual([])
  await rooms.dispose()
})

const login = async (from = HOME) => challengeOf(await rooms.identity.login('asha', PASSWORD, from))
const answer = (challenge: string, code: string, from = HOME) => rooms.identity.loginWithCode(challenge, code, from)
const rowsOf = () => rooms.databases.money.kysely.selectFrom('login_challenge').selectAll().execute()

/** Codes of around now of a user who gets a second factor here. */
async function enrol(user: User) {
  const { caller } = await rooms.signedIn(user)
  const { secret } = await rooms.identity.enrolTotp(caller, PASSWORD, HOME)
  const codeAt = (steps: number) => new TOTP({ secret }).generate({ timestamp: rooms.clock.now() + steps * 30_000 })
  const recoveryCodes = await rooms.identity.confirmTotp(caller, codeAt(0), HOME)
  rooms.clock.advance(MINUTE_MS)
  return { codeAt, recoveryCodes }
}

async function start(options: TestRoomsOptions = {}) {
  rooms = await TestRooms.open(options)
  const asha = rooms.identity.users.findByName('asha') ?? (await rooms.user('asha'))
  return { asha, ...(await enrol(asha)) }
}

test('a restart between password and code loses no login, and leaves none twice', async () => {
  const { asha, codeAt } = await start()
  const challenge = await login()
  await rooms.restart()
  const { token } = await answer(challenge, codeAt(0))
  expect(rooms.callerOf(token)).toMatchObject({ userId: asha.id })
  for (const times of [1, 2]) {
    expect(await refusalOf(answer(challenge, codeAt(times)))).toMatchObject(TOO_LATE)
    await rooms.restart()
  }
  expect(await rowsOf()).toEqual([])
})

test('the commit that uses a code up ends the login', async () => {
  const { codeAt } = await start()
  const challenge = await login()
  const writes = vi.spyOn(rooms.databases.money.writer, 'write')
  await answer(challenge, codeAt(0))
  const texts = writes.mock.calls.map(([statements]) => statements.map(({ sql }) => sql))
  writes.mockRestore()
  const [one] = texts.filter((sqls) => sqls.some((sql) => sql.includes('"totp_last_step"')))
  expect(one?.some((sql) => sql.startsWith('delete from "login_challenge"'))).toBe(true)
})

test('of codes that are tried at once one signs in, and no other is used up', async () => {
  const { asha, codeAt, recoveryCodes } = await start()
  await rooms.identity.sessions.endAll(asha.id)
  const challenge = await login()
  const codes = [codeAt(-1), codeAt(0), codeAt(1), ...recoveryCodes]
  const tried = await Promise.allSettled(codes.map((code) => answer(challenge, code)))
  expect(tried.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect(rooms.identity.sessions.list(asha.id)).toHaveLength(1)
  expect(await rooms.identity.recoveryCodesLeft(asha.id)).toBe(10)
})

test('codes may be tried five times, counted on disk before each is judged, whatever restarts in between', async () => {
  const { codeAt } = await start()
  const challenge = await login()
  for (let tries = 1; tries <= CHALLENGE_TRIES; tries += 1) {
    expect(await refusalOf(answer(challenge, '000000'))).toMatchObject(WRONG)
    expect(await rowsOf()).toMatchObject([{ tries }])
    await rooms.restart()
    rooms.clock.advance(30_000)
  }
  expect(await refusalOf(answer(challenge, codeAt(0)))).toMatchObject(TOO_LATE)
})

test('many codes at once are five tries, too', async () => {
  const { codeAt } = await start()
  const challenge = await login()
  const from = (index: number) => ({ ...AWAY, address: `10.0.0.${index}` })
  const guesses = Array.from({ length: 20 }, (_, index) => refusalOf(answer(challenge, '000000', from(index))))
  const refusals = (await Promise.all(guesses)) as { message: string }[]
  expect(refusals.filter(({ message }) => message.startsWith('The code is wrong'))).toHaveLength(CHALLENGE_TRIES)
  expect(await refusalOf(answer(challenge, codeAt(0)))).toMatchObject(TOO_LATE)
})

test('a try that has to wait is none', async () => {
  const { codeAt } = await start()
  const challenge = await login()
  for (let tries = 0; tries < 3; tries += 1) await refusalOf(answer(challenge, '000000'))
  for (let times = 0; times < 10; times += 1)
    expect(await refusalOf(answer(challenge, codeAt(0)))).toMatchObject({ code: 'login_locked' })
  rooms.clock.advance(2_000)
  expect(await answer(challenge, codeAt(0))).toHaveProperty('token')
})

test('a login waits five minutes, also over a restart, and is forgotten with the next', async () => {
  const { codeAt } = await start()
  const [late, intime] = [await login(), await login()]
  rooms.clock.advance(CHALLENGE_MS - 1)
  await rooms.restart()
  expect(await answer(intime, codeAt(0))).toHaveProperty('token')
  rooms.clock.advance(1)
  expect(await refusalOf(answer(late, codeAt(1)))).toMatchObject(TOO_LATE)
  await login()
  expect(await rowsOf()).toHaveLength(1)
})

test('after a restart, a password that was changed or a user who was disabled ends it still', async () => {
  const { asha, codeAt } = await start()
  await rooms.user('ravi')
  const before = await login()
  await rooms.identity.changeUser(asha.id, { disabled: true }, OWNER)
  expect(await refusalOf(answer(before, codeAt(0)))).toMatchObject(TOO_LATE)
  await rooms.identity.changeUser(asha.id, { disabled: false }, OWNER)
  const challenge = await login()
  await rooms.identity.overridePassword(asha, 'seven kites orbit plum', OWNER)
  await rooms.restart()
  expect(await refusalOf(answer(challenge, codeAt(0)))).toMatchObject(TOO_LATE)
})

test('so many logins wait, the newest ones; no file has their tokens', async () => {
  const { asha, codeAt } = await start()
  const { databases, clock, identity } = rooms
  const hash = (text: string) => `hash of ${text.length} ${text}`
  const challenges = new LoginChallenges({ money: databases.money, users: identity.users, hash, clock })
  const first = await challenges.make(asha)
  clock.advance(1)
  const others = await Promise.all(Array.from({ length: CHALLENGES_MAX }, () => challenges.make(asha)))
  expect(await rowsOf()).toHaveLength(CHALLENGES_MAX)
  const isThere = (token: string) => challenges.answer(token, async (challenge) => challenge !== undefined)
  expect([await isThere(first), await isThere(others[0] ?? ''), await isThere(others.at(-1) ?? '')]).toEqual([
    false,
    true,
    true,
  ])
  clock.advance(1)
  const challenge = await login()
  expect(await rowsOf()).toHaveLength(CHALLENGES_MAX)
  expect(rooms.filesWith([challenge])).toEqual([])
  expect(await answer(challenge, codeAt(0))).toHaveProperty('token')
})

test('a file from before goes on, and its users sign in as far as a restart and on', async () => {
  const hash = await new PasswordHasher(CHEAP).hash(PASSWORD)
  const { codeAt } = await start({
    async prepare(dataDir) {
      openSecret(dataDir, false)
      const before = openFile(join(dataDir, 'money.db'), 'FULL', 'read-write')
      const kysely = kyselyOver<MoneyDatabase>(before)
      await migrate(kysely, moneyMigrations.slice(0, MIGRATIONS_BEFORE), 'money.db', START)
      before
        .prepare(
          `INSERT INTO user (id, name, email, role, password_hash, created_at, password_changed_at)
           VALUES ('usr_before', 'asha', 'asha@example.com', 'admin', ?, ?, ?)`,
        )
        .run(hash, START, START)
      await kysely.destroy()
    },
  })
  const challenge = await login()
  await rooms.restart()
  const { token } = await answer(challenge, codeAt(0))
  expect(rooms.callerOf(token)).toMatchObject({ userId: 'usr_before' })
})
