import { afterEach, beforeEach, expect, test } from 'vitest'
import { SESSIONS_PER_USER_MAX } from './sessions.ts'
import { AWAY, HOME, HOUR_MS, MINUTE_MS, refusalOf, TestRooms } from './test-rooms.ts'
import type { User } from './users.ts'

const RULES = { idleMs: HOUR_MS, absoluteMs: 12 * HOUR_MS }

let rooms: TestRooms
let asha: User
beforeEach(async () => {
  rooms = await TestRooms.open({ sessionRules: RULES })
  asha = await rooms.user('asha')
})
afterEach(() => rooms.dispose())

const begin = (from = HOME) => rooms.identity.sessions.begin(asha.id, from.device, from.address)
const isLive = (token: string) => rooms.identity.sessions.check(token, rooms.clock.now()) !== undefined

test('a session has a random token and an id of its own, and is found again after a restart', async () => {
  const [one, other] = [await begin(), await begin(AWAY)]
  expect(one.token).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(new Set([one.token, other.token, one.session.id, other.session.id]).size).toBe(4)
  expect(one.expiresAt).toBe(rooms.clock.now() + RULES.absoluteMs)
  expect(rooms.callerOf(one.token)).toMatchObject({
    kind: 'session',
    userId: asha.id,
    userName: 'asha',
    role: 'admin',
    sessionId: one.session.id,
    account: rooms.accounts.defaultOf(asha.id),
  })
  await rooms.restart()
  expect(rooms.callerOf(one.token)?.sessionId).toBe(one.session.id)
  expect(rooms.identity.sessions.find(other.session.id)).toEqual(other.session)
})

test.each(['', 'x', 'sk_'])('what is almost a token is worth nothing: %j', async (odd) => {
  const { token } = await begin()
  for (const almost of [odd, token + odd, token.slice(1), token.toLowerCase()].filter((text) => text !== token))
    expect(isLive(almost)).toBe(false)
})

test('a session that rests too long is over; every request keeps it alive, up to its absolute end', async () => {
  const rested = await begin()
  const used = await begin()
  for (let at = 0; at < 11 * 60; at += 59) {
    expect(isLive(used.token)).toBe(true)
    rooms.clock.advance(59 * MINUTE_MS)
  }
  expect(isLive(rested.token)).toBe(false)
  expect(isLive(used.token)).toBe(true)
  rooms.clock.moveTo(used.expiresAt - 1)
  expect(isLive(used.token)).toBe(true)
  rooms.clock.advance(1)
  expect(isLive(used.token)).toBe(false)
})

test('a session is over exactly at the end of its rest, also after a restart', async () => {
  const { token } = await begin()
  rooms.clock.advance(RULES.idleMs - 1)
  await rooms.restart()
  rooms.clock.advance(1)
  expect(isLive(token)).toBe(false)
  expect(rooms.identity.sessions.list(asha.id)).toEqual([])
})

test('when it was last seen is written at most once a minute, and when stopping', async () => {
  const { session, token } = await begin()
  const written = async () => {
    const row = await rooms.databases.money.kysely
      .selectFrom('session')
      .select('last_seen_at')
      .where('id', '=', session.id)
      .executeTakeFirst()
    return row?.last_seen_at
  }
  rooms.clock.advance(10_000)
  expect(isLive(token)).toBe(true)
  expect(await written()).toBe(session.createdAt)
  rooms.clock.advance(50_000)
  await expect.poll(written).toBe(session.createdAt + 10_000)
  rooms.clock.advance(5_000)
  expect(isLive(token)).toBe(true)
  await rooms.restart()
  expect(await written()).toBe(session.createdAt + 65_000)
})

test('what is over leaves the disk within a minute', async () => {
  await begin()
  rooms.clock.advance(RULES.idleMs + MINUTE_MS)
  const rows = () => rooms.databases.money.kysely.selectFrom('session').select('id').execute()
  await expect.poll(rows).toEqual([])
})

test('a session that was ended fails the next check, before the disk has answered, and after a restart', async () => {
  const { token, session } = await begin()
  const ending = rooms.identity.sessions.end(session.id)
  expect(isLive(token)).toBe(false)
  await ending
  await rooms.restart()
  expect(isLive(token)).toBe(false)
})

test('a user has so many sessions; the one seen longest ago makes room, never the new one', async () => {
  const tokens: string[] = []
  for (let count = 0; count < SESSIONS_PER_USER_MAX; count += 1) tokens.push((await begin()).token)
  const other = await rooms.user('ravi')
  const others = await rooms.identity.sessions.begin(other.id, '', '')
  rooms.clock.advance(1)
  for (const [index, token] of tokens.entries()) if (index !== 7) expect(isLive(token)).toBe(true)
  const newest = await begin()
  expect(tokens.map(isLive)).toEqual(tokens.map((_, index) => index !== 7))
  expect([isLive(newest.token), isLive(others.token)]).toEqual([true, true])
  expect(rooms.identity.sessions.list(asha.id)).toHaveLength(SESSIONS_PER_USER_MAX)
})

test('sessions begun in the same moment make room for one another', async () => {
  const begun: { readonly token: string }[] = []
  for (let count = 0; count < SESSIONS_PER_USER_MAX + 3; count += 1) {
    const one = await begin()
    expect(isLive(one.token)).toBe(true)
    begun.push(one)
  }
  expect(begun.filter(({ token }) => isLive(token))).toHaveLength(SESSIONS_PER_USER_MAX)
})

test('a session that is being begun while all are ended never lives', async () => {
  const beginning = begin()
  await rooms.identity.sessions.endAll(asha.id)
  expect(await refusalOf(beginning)).toMatchObject({ code: 'login_failed' })
  await rooms.restart()
  expect(rooms.identity.sessions.list(asha.id)).toEqual([])
})

test('all but one can be ended', async () => {
  const [kept, one, other] = [await begin(), await begin(), await begin()]
  expect(await rooms.identity.sessions.endAll(asha.id, kept.session.id)).toBe(2)
  expect([kept, one, other].map(({ token }) => isLive(token))).toEqual([true, false, false])
})

test('a session that could not be written does not live', async () => {
  await rooms.databases.money.writer.close()
  expect(await refusalOf(begin())).toMatchObject({ code: 'shutting_down' })
  expect(rooms.identity.sessions.list(asha.id)).toEqual([])
})

test('a long name of a browser is cut', async () => {
  const { session } = await begin({ ...HOME, device: 'x'.repeat(5_000) })
  expect(session.device).toBe('x'.repeat(200))
})
