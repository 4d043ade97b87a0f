import { afterEach, beforeEach, expect, test } from 'vitest'
import { CODE_FAILURES_MAX } from './code-limit.ts'
import { ENTRIES_MAX, FailureCounts } from './failure-counts.ts'
import { FAILURES_KEPT_MS, WRITTEN_EVERY_MS } from './failure-log.ts'
import { FREE_TRIES } from './login-throttle.ts'
import { AWAY, HOME, PASSWORD, refusalOf, TestRooms } from './test-rooms.ts'

let rooms: TestRooms
beforeEach(async () => {
  rooms = await TestRooms.open()
})
afterEach(() => rooms.dispose())

const login = (name: string, password: string, from = AWAY) => rooms.identity.login(name, password, from)
const rows = () => rooms.databases.record.kysely.selectFrom('login_failure').selectAll().execute()

async function lockOut(name: string): Promise<void> {
  for (let tries = 0; tries < FREE_TRIES; tries += 1) await refusalOf(login(name, 'wrong password'))
  expect(await refusalOf(login(name, PASSWORD))).toMatchObject({ code: 'login_locked' })
}

test('a restart ends no lock, and begins none elsewhere', async () => {
  await rooms.user('asha')
  await lockOut('asha')
  await rooms.restart()
  const refused = await refusalOf(login(' ASHA ', PASSWORD))
  expect(refused).toMatchObject({ code: 'login_locked', extra: { retry_after: 2 } })
  expect(await login('asha', PASSWORD, HOME)).toMatchObject({ kind: 'session' })
  rooms.clock.advance(2_000)
  expect(await login('asha', PASSWORD)).toMatchObject({ kind: 'session' })
  await rooms.restart()
  expect(await login('asha', PASSWORD)).toMatchObject({ kind: 'session' })
})

test('a crash forgets the last seconds alone', async () => {
  await rooms.user('asha')
  await lockOut('asha')
  rooms.clock.advance(WRITTEN_EVERY_MS)
  await expect.poll(async () => (await rows()).length).toBe(5)
  for (let tries = 0; tries < 2; tries += 1) await refusalOf(login('asha', 'wrong password'))
  await rooms.databases.close()
  await rooms.start()
  await refusalOf(login('asha', 'wrong password'))
  expect(await refusalOf(login('asha', PASSWORD))).toMatchObject({ code: 'login_locked', extra: { retry_after: 4 } })
})

test('codes that were tried count on after a restart, until a day has passed', async () => {
  const reset = (address: string) =>
    refusalOf(rooms.identity.resetByCode('nobody', '000000', 'seven kites orbit plum', { ...AWAY, address }))
  for (let tries = 0; tries < CODE_FAILURES_MAX; tries += 1)
    expect(await reset(`10.0.0.${tries}`)).toMatchObject({ code: 'login_failed' })
  await rooms.restart()
  expect(await reset('10.0.1.1')).toMatchObject({ code: 'login_locked' })
  rooms.clock.advance(FAILURES_KEPT_MS)
  await rooms.restart()
  expect(await reset('10.0.1.1')).toMatchObject({ code: 'login_failed' })
  await rooms.identity.close()
  expect((await rows()).length).toBeLessThan(8) // what no longer counts is no longer kept
})

test('no name is written: it may be a password in the wrong field', async () => {
  await refusalOf(login('my-secret-password', PASSWORD))
  await rooms.identity.close()
  expect((await rows()).length).toBe(5)
  expect(rooms.filesWith(['my-secret-password'])).toEqual([])
})

test('failures that can not be written are told, and written with the next ones', async () => {
  await rooms.databases.record.writer.close()
  await refusalOf(login('nobody', PASSWORD))
  for (let times = 1; times <= 2; times += 1) {
    rooms.clock.advance(WRITTEN_EVERY_MS)
    await expect.poll(() => rooms.errors.length).toBe(times)
  }
  expect(rooms.errors[1]).toMatchObject({ code: 'shutting_down' })
})

test('who makes room in memory makes it on disk too', () => {
  const changed: string[] = []
  const counts = new FailureCounts(
    (text) => text,
    ({ hash }) => changed.push(hash),
  )
  for (let entry = 0; entry <= ENTRIES_MAX; entry += 1) counts.add('name', String(entry), { count: 1, at: entry })
  expect(counts.of('name', '0')).toBeUndefined()
  expect(counts.of('name', '1')).toEqual({ count: 1, at: 1 })
  expect(changed).toContain('login failure\nname\n0')
})
