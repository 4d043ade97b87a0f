import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { OWNER } from './audit.ts'
import { SET_UP_LINK_MS } from './identity.ts'
import { AWAY, HOME, PASSWORD, refusalOf, TestRooms } from './test-rooms.ts'

let rooms: TestRooms
beforeEach(async () => {
  rooms = await TestRooms.open()
})
afterEach(() => rooms.dispose())

const ASHA = { name: 'asha', email: 'asha@example.com', password: PASSWORD }
const setUp = (token: string, wanted = ASHA) => rooms.identity.setUp({ ...wanted, token }, HOME)
const newToken = async () => (await rooms.identity.newSetUpToken()) ?? ''

describe('set-up', () => {
  test('makes an admin, who owns the first account and every key, and signs them in', async () => {
    const key = await rooms.keys.createFirstKey(OWNER)
    const token = await newToken()
    expect(rooms.identity.isSetUp).toBe(false)
    await rooms.identity.requireSetUpToken(token, HOME) // which doesn't use it up
    const begun = await setUp(token)
    const caller = rooms.callerOf(begun.token)
    expect(caller).toMatchObject({ userName: 'asha', role: 'admin', account: 'default' })
    expect(rooms.keys.check(key?.text ?? '', rooms.clock.now())).toMatchObject({ userId: caller?.userId })
    expect(rooms.openedBooks).toEqual([])
    expect(rooms.audit.slice(-2).map(({ actor, action }) => [actor, action])).toEqual([
      ['asha', 'user.created'],
      ['asha', 'session.begun'],
    ])
    await rooms.restart()
    expect(rooms.callerOf(begun.token)).toEqual(caller)
    expect(rooms.keys.check(key?.text ?? '', rooms.clock.now())).toMatchObject({ userId: caller?.userId })
  })

  test('happens once', async () => {
    const token = await newToken()
    await setUp(token)
    expect(await refusalOf(setUp(token, { ...ASHA, name: 'ravi', email: 'ravi@example.com' }))).toMatchObject({
      code: 'already_set_up',
    })
    expect(await rooms.identity.newSetUpToken()).toBeUndefined()
    expect(await refusalOf(rooms.identity.requireSetUpToken(token, HOME))).toMatchObject({ code: 'already_set_up' })
  })

  test('happens once, also when two do it at the same moment', async () => {
    const token = await newToken()
    const both = await Promise.allSettled([
      setUp(token),
      setUp(token, { ...ASHA, name: 'ravi', email: 'r@example.com' }),
    ])
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(rooms.identity.users.count).toBe(1)
  })

  test('does not happen after the command line has made a user', async () => {
    const token = await newToken()
    await rooms.identity.createUser({ ...ASHA, role: 'admin' }, OWNER)
    await expect(setUp(token, { ...ASHA, name: 'ravi', email: 'r@example.com' })).rejects.toMatchObject({
      code: 'already_set_up',
    })
    expect(rooms.identity.users.list().map(({ name }) => name)).toEqual(['asha'])
  })

  test('at the same moment as the command line makes a user happens first or not at all', async () => {
    const token = await newToken()
    const [byOwner, bySetUp] = await Promise.allSettled([
      rooms.identity.createUser({ ...ASHA, role: 'admin' }, OWNER),
      setUp(token, { ...ASHA, name: 'ravi', email: 'r@example.com' }),
    ])
    expect(byOwner.status).toBe('fulfilled')
    const [first, ...others] = rooms.identity.users.list()
    // Which hash is ready first is up to the machine
    expect([
      ['rejected', 'asha', 0],
      ['fulfilled', 'ravi', 1],
    ]).toContainEqual([bySetUp.status, first?.name, others.length])
    expect(rooms.accounts.find('default')?.userId).toBe(first?.id)
  })

  test('needs the token', async () => {
    await newToken()
    for (const token of ['', 'x'.repeat(43), '__proto__'])
      expect(await refusalOf(setUp(token))).toMatchObject({ code: 'link_invalid' })
    expect(rooms.identity.users.count).toBe(0)
  })

  test('counts a wrong token as a failed login, looked at or used, and nothing else', async () => {
    const token = await newToken()
    expect(await refusalOf(setUp('x'))).toMatchObject({ code: 'link_invalid' })
    expect(await refusalOf(rooms.identity.requireSetUpToken('x', AWAY))).toMatchObject({ code: 'link_invalid' })
    expect(rooms.failedLogins).toEqual([HOME.address, AWAY.address])
    expect(rooms.audit.slice(-2)).toMatchObject(
      [HOME, AWAY].map(({ address }) => ({ actor: 'unknown', action: 'set-up.failed', address, target: '' })),
    )
    await refusalOf(setUp(token, { ...ASHA, password: 'short' }))
    await setUp(token)
    await refusalOf(setUp(token))
    expect(rooms.failedLogins).toHaveLength(2)
  })

  test('needs it within thirty minutes, and the newest one', async () => {
    const old = await newToken()
    const token = await newToken()
    expect(await refusalOf(setUp(old))).toMatchObject({ code: 'link_invalid' })
    rooms.clock.advance(SET_UP_LINK_MS)
    expect(SET_UP_LINK_MS).toBe(30 * 60_000)
    expect(await refusalOf(setUp(token))).toMatchObject({ code: 'link_invalid' })
    await setUp(await newToken())
  })

  test('that is refused leaves the token good', async () => {
    const token = await newToken()
    for (const [field, wrong] of [
      ['name', { name: 'x' }],
      ['email', { email: 'x' }],
      ['password', { password: 'short' }],
    ] as const)
      expect(await refusalOf(setUp(token, { ...ASHA, ...wrong }))).toMatchObject({ errors: [{ field }] })
    rooms.clock.advance(SET_UP_LINK_MS - 1)
    await setUp(token)
  })
})
