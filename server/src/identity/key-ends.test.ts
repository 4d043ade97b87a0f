import { afterEach, beforeEach, expect, test } from 'vitest'
import { OWNER } from './audit.ts'
import { KEYS_PER_USER_MAX, LAPSED_KEYS_MAX } from './key-store.ts'
import type { NewKey } from './new-key.ts'
import { HOUR_MS, START, TestRooms } from './test-rooms.ts'

const DAY_MS = 24 * HOUR_MS

let rooms: TestRooms
beforeEach(async () => {
  rooms = await TestRooms.open()
})
afterEach(() => rooms.dispose())

const create = (wanted: Partial<NewKey> = {}) =>
  rooms.keys.createKey({ account: 'default', name: 'bot', scopes: ['read', 'trade'], ...wanted }, OWNER)

/** `known`, or why it isn't. */
function standing(key: string): string {
  const checked = rooms.keys.check(key, rooms.clock.now())
  return typeof checked === 'string' ? checked : 'known'
}

// Expiry

test('a key works until the instant of its expiry, and is told from one that never was', async () => {
  const key = await create({ expiresDays: 3 })
  expect(key.expiresAt).toBe(START + 3 * DAY_MS)
  rooms.clock.advance(3 * DAY_MS - 1)
  expect(standing(key.text)).toBe('known')
  rooms.clock.advance(1)
  expect(standing(key.text)).toBe('expired')
  expect(rooms.keys.callerOf(key.id)).toBeUndefined()
  await rooms.restart()
  expect(standing(key.text)).toBe('expired')
  expect(rooms.keys.list()).toMatchObject([{ id: key.id, expiresAt: START + 3 * DAY_MS }])
  await expect(rooms.keys.rotate(key.id, 0, OWNER)).rejects.toMatchObject({ code: 'validation_failed' })
})

// Replacing

test('a replaced key works to the end of the overlap and no longer; its successor has the same rights', async () => {
  const old = await create({ networks: '10.0.0.0/8', expiresDays: 30 })
  const next = await rooms.keys.rotate(old.id, 24, OWNER)
  expect(next).toMatchObject({
    name: 'bot',
    account: 'default',
    scopes: ['read', 'trade'],
    networks: '10.0.0.0/8',
    expiresAt: old.expiresAt,
  })
  expect(next.text).not.toBe(old.text)
  expect(rooms.keys.find(old.id)).toMatchObject({ replacedBy: next.id, revokedAt: START + 24 * HOUR_MS })
  await rooms.restart()
  rooms.clock.advance(24 * HOUR_MS - 1)
  expect([old.text, next.text].map(standing)).toEqual(['known', 'known'])
  expect(rooms.keys.list().map(({ id }) => id)).toEqual([old.id, next.id])
  rooms.clock.advance(1)
  expect([old.text, next.text].map(standing)).toEqual(['expired', 'known'])
  expect(rooms.keys.list().map(({ id }) => id)).toEqual([next.id])
  await expect(rooms.keys.revoke(old.id, OWNER)).rejects.toMatchObject({ code: 'not_found' })
  await create() // which makes room of those that are over
  expect([old.text, next.text].map(standing)).toEqual(['expired', 'known'])
  await rooms.restart()
  expect([old.text, next.text].map(standing)).toEqual(['expired', 'known'])
})

test('without an overlap the old key is refused when the new one is known', async () => {
  const old = await create()
  const next = await rooms.keys.rotate(old.id, 0, OWNER)
  expect([old.text, next.text].map(standing)).toEqual(['expired', 'known'])
  await rooms.restart()
  expect([old.text, next.text].map(standing)).toEqual(['expired', 'known'])
})

test('of the keys that were replaced, so many of the latest are told from those that never were', async () => {
  const [first, second] = [await create(), await create()]
  await rooms.keys.rotate(first.id, 0, OWNER)
  rooms.clock.advance(1)
  const others = `WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?)
    INSERT INTO api_key (id, account, name, scopes, hash, created_at, revoked_at, networks, replaced_by)
    SELECT 'other' || n, 'default', 'other', 'read', 'hash' || n, ?, ?, '', 'next' || n FROM number`
  await rooms.databases.money.writer.write([
    { sql: others, parameters: [LAPSED_KEYS_MAX - 1, START, rooms.clock.now()] },
  ])
  await rooms.restart()
  expect(standing(first.text)).toBe('expired')
  await rooms.keys.rotate(second.id, 0, OWNER)
  expect([first.text, second.text].map(standing)).toEqual(['unknown', 'expired'])
  rooms.clock.advance(1)
  await rooms.restart()
  expect([first.text, second.text].map(standing)).toEqual(['unknown', 'expired'])
})

test('an expiry that comes before the end of the overlap counts', async () => {
  const old = await create({ expiresDays: 1 })
  rooms.clock.advance(23 * HOUR_MS)
  const next = await rooms.keys.rotate(old.id, 24, OWNER)
  rooms.clock.advance(HOUR_MS)
  expect([old.text, next.text].map(standing)).toEqual(['expired', 'expired'])
})

test('a key that is replaced can be revoked before the overlap ends', async () => {
  const old = await create()
  const next = await rooms.keys.rotate(old.id, 24, OWNER)
  await rooms.keys.revoke(old.id, OWNER)
  expect([old.text, next.text].map(standing)).toEqual(['unknown', 'known'])
  await rooms.restart()
  expect([old.text, next.text].map(standing)).toEqual(['unknown', 'known'])
})

test('a key is replaced once, also when that is asked for twice at the same time', async () => {
  const old = await create()
  const settled = await Promise.allSettled([rooms.keys.rotate(old.id, 1, OWNER), rooms.keys.rotate(old.id, 1, OWNER)])
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  expect(rooms.keys.list()).toHaveLength(2)
  await expect(rooms.keys.rotate(old.id, 1, OWNER)).rejects.toMatchObject({ code: 'validation_failed' })
})

test.each([-1, 25, 1.5, Number.NaN])('an overlap of %d hours is refused', async (hours) => {
  const { id, text } = await create()
  await expect(rooms.keys.rotate(id, hours, OWNER)).rejects.toMatchObject({
    code: 'validation_failed',
    message: `Must be a whole number from 0 to 24. Got ${hours}.`,
  })
  expect(standing(text)).toBe('known')
})

test('when the disk fails, the old key goes on working and there is no new one', async () => {
  const old = await create()
  await rooms.databases.money.writer.close()
  await expect(rooms.keys.rotate(old.id, 0, OWNER)).rejects.toMatchObject({ code: 'shutting_down' })
  expect(standing(old.text)).toBe('known')
  expect(rooms.keys.list().map(({ id }) => id)).toEqual([old.id])
})

// Room

test('nobody takes the room of all others: neither by new keys, many at once, nor by replaced ones', async () => {
  const { id: userId } = await rooms.user('vera', 'viewer')
  const wanted = { account: rooms.accounts.defaultOf(userId), userId, scopes: ['read'] }
  const settled = await Promise.allSettled(Array.from({ length: KEYS_PER_USER_MAX + 3 }, () => create(wanted)))
  const refused = settled.filter((one) => one.status === 'rejected').map(({ reason }) => reason.message)
  expect(refused).toEqual(Array(3).fill('You have 100 keys, as many as there may be: revoke one first.'))
  const [first, second] = rooms.keys.list(userId).map(({ id }) => id)
  await rooms.keys.revoke(first ?? '', OWNER)
  await rooms.keys.rotate(second ?? '', 1, OWNER) // both work now
  await expect(create(wanted)).rejects.toMatchObject({ code: 'validation_failed' })
  const other = await rooms.user('tom', 'trader')
  await create({ account: rooms.accounts.defaultOf(other.id), userId: other.id })
  rooms.clock.advance(HOUR_MS)
  await create(wanted)
})
