import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { OWNER } from './audit.ts'
import { AWAY, HOME, PASSWORD, refusalOf, TestRooms } from './test-rooms.ts'

let rooms: TestRooms
beforeEach(async () => {
  rooms = await TestRooms.open()
})
afterEach(() => rooms.dispose())

const wanted = (name: string, role = 'trader') => ({ name, email: `${name}@example.com`, password: PASSWORD, role })

describe('a new user', () => {
  test.each([
    ['name', { name: 'ab' }],
    ['name', { name: '1abc' }],
    ['name', { name: 'a b c' }],
    ['name', { name: `a${'b'.repeat(32)}` }],
    ['name', { name: 'asha@home' }],
    ['name', { name: 'аsha' }], // the first letter is Cyrillic
    ['name', { name: 'Owner' }],
    ['name', { name: 'sauda' }],
    ['name', { name: 'EXISTING' }],
    ['email', { email: 'asha' }],
    ['email', { email: 'asha@example' }],
    ['email', { email: 'asha@@example.com' }],
    ['email', { email: 'asha@example.com\r\nBcc: x@example.com' }],
    ['email', { email: 'asha@example.com, ravi@example.com' }],
    ['email', { email: '"Asha" <asha@example.com>' }],
    ['email', { email: `${'a'.repeat(250)}@example.com` }],
    ['email', { email: 'Existing@Example.com' }],
    ['email', { email: 'ｅxisting@example.com' }],
    ['role', { role: 'god' }],
    ['role', { role: '__proto__' }],
    ['password', { password: 'short' }],
    ['password', { password: 'ravi.kumar' }],
  ])('has no wrong %s: %j', async (field, change) => {
    await rooms.user('existing')
    const refusal = await refusalOf(rooms.identity.createUser({ ...wanted('ravi.kumar'), ...change }, OWNER))
    expect(refusal).toMatchObject({ code: 'validation_failed', errors: [{ field }] })
    expect(rooms.identity.users.count).toBe(1)
  })

  test('is found by name and by address, however they are written, also after a restart', async () => {
    await rooms.user('existing')
    const user = await rooms.identity.createUser(wanted('Ravi'), OWNER)
    expect(user.id).toMatch(/^usr_[a-z2-7]{10}$/)
    await rooms.restart()
    for (const text of ['ravi', ' RAVI ', 'ravi@EXAMPLE.com', 'ｒavi', '\u00a0ravi\u3000'])
      expect(rooms.identity.users.findByName(text)?.id).toBe(user.id)
    const jose = await rooms.identity.createUser({ ...wanted('jose'), email: 'jos\u00e9@example.com' }, OWNER)
    for (const email of ['jose\u0301@example.com', 'JOS\u00c9@example.com'])
      expect(rooms.identity.users.findByName(email)?.id).toBe(jose.id)
    expect(rooms.identity.users.find(user.id)).toEqual(user)
  })

  test('of before names were compared in all their forms is found by what is theirs alone', async () => {
    const [first, later] = [await rooms.user('existing'), await rooms.user('mira')]
    rooms.clock.advance(1)
    const { writer } = rooms.databases.money
    await writer.write([
      {
        sql: 'UPDATE user SET email = ?, created_at = ? WHERE id = ?',
        parameters: ['ｅxisting@example.com', rooms.clock.now(), later.id],
      },
    ])
    await rooms.restart()
    const found = ['existing@example.com', 'ｅxisting@example.com', 'mira'].map(
      (text) => rooms.identity.users.findByName(text)?.id,
    )
    expect(found).toEqual([first.id, first.id, later.id])
  })

  test('starts with an account of its own on paper', async () => {
    const admin = await rooms.user('existing')
    const user = await rooms.identity.createUser(wanted('ravi'), OWNER)
    const accounts = rooms.accounts.list(user.id)
    expect(accounts).toMatchObject([{ name: 'default', venue: 'paper', userId: user.id }])
    expect(rooms.accounts.defaultOf(admin.id)).not.toBe(accounts[0]?.id)
  })

  test('gets a name once, however many ask for it at once', async () => {
    await rooms.user('existing')
    const asked = Array.from({ length: 5 }, () => rooms.identity.createUser(wanted('ravi'), OWNER))
    const settled = await Promise.allSettled(asked)
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(rooms.identity.users.count).toBe(2)
  })

  test('who is the first must be an admin, and owns what belonged to nobody', async () => {
    const key = await rooms.keys.createFirstKey(OWNER)
    expect(await refusalOf(rooms.identity.createUser(wanted('ravi'), OWNER))).toMatchObject({
      errors: [{ field: 'role' }],
    })
    const settled = await Promise.allSettled([
      rooms.identity.createUser(wanted('asha', 'admin'), OWNER),
      rooms.identity.createUser(wanted('ravi', 'admin'), OWNER),
    ])
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
    const owner = rooms.accounts.find('default')?.userId ?? ''
    expect(rooms.accounts.list(owner).map(({ id }) => id)).toEqual(['default'])
    expect(rooms.keys.check(key?.text ?? '', rooms.clock.now())).toMatchObject({ userId: owner, account: 'default' })
    const later = rooms.identity.users.list().find(({ id }) => id !== owner)?.id ?? ''
    expect(rooms.accounts.list(later)).toMatchObject([{ name: 'default' }])
  })
})

describe('a change', () => {
  test('of the role ends the sessions, and keys follow', async () => {
    await rooms.user('asha')
    const ravi = await rooms.user('ravi', 'trader')
    const { token } = await rooms.signedIn(ravi)
    const account = rooms.accounts.defaultOf(ravi.id)
    const key = await rooms.keys.createKey({ account, userId: ravi.id, name: 'bot', scopes: ['read', 'trade'] }, OWNER)
    await rooms.identity.changeUser(ravi.id, { role: 'viewer' }, OWNER)
    expect(rooms.callerOf(token)).toBeUndefined()
    expect(rooms.keys.check(key.text, rooms.clock.now())).toMatchObject({ role: 'viewer', scopes: new Set(['read']) })
    await rooms.restart()
    expect(rooms.identity.users.find(ravi.id)?.role).toBe('viewer')
  })

  test('that disables ends the sessions and keys at once; signing in fails as with a wrong password', async () => {
    await rooms.user('asha')
    const ravi = await rooms.user('ravi', 'trader')
    const { token } = await rooms.signedIn(ravi)
    const account = rooms.accounts.defaultOf(ravi.id)
    const key = await rooms.keys.createKey({ account, userId: ravi.id, name: 'bot', scopes: ['read'] }, OWNER)
    await rooms.identity.changeUser(ravi.id, { disabled: true }, OWNER)
    expect(rooms.callerOf(token)).toBeUndefined()
    expect(rooms.keys.check(key.text, rooms.clock.now())).toBe('disabled')
    const refused = await refusalOf(rooms.identity.login('ravi', PASSWORD, HOME))
    const wrong = await refusalOf(rooms.identity.login('asha', 'wrong password', HOME))
    expect(refused).toEqual(wrong)
    await rooms.identity.changeUser(ravi.id, { disabled: false }, OWNER)
    expect(rooms.keys.check(key.text, rooms.clock.now())).toMatchObject({ userId: ravi.id })
    expect(await rooms.identity.login('ravi', PASSWORD, HOME)).toMatchObject({ kind: 'session' })
    expect(rooms.callerOf(token)).toBeUndefined()
  })

  test('never leaves the instance without an admin, also when two are asked for at once', async () => {
    const asha = await rooms.user('asha')
    expect(await refusalOf(rooms.identity.changeUser(asha.id, { disabled: true }, OWNER))).toMatchObject({
      code: 'last_admin',
    })
    const ravi = await rooms.user('ravi')
    const settled = await Promise.allSettled([
      rooms.identity.changeUser(asha.id, { role: 'trader' }, OWNER),
      rooms.identity.changeUser(ravi.id, { disabled: true }, OWNER),
    ])
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    expect(rooms.identity.users.enabledAdmins).toBe(1)
  })

  test('that comes while another is on its way to the disk takes nothing back', async () => {
    await rooms.user('asha')
    const ravi = await rooms.user('ravi', 'trader')
    await Promise.all([
      rooms.identity.changeUser(ravi.id, { disabled: true }, OWNER),
      rooms.identity.users.update(ravi.id, { passwordHash: 'other' }),
      rooms.identity.users.holdStep(ravi.id, 77)?.useIn((using) => rooms.databases.money.writer.write([using])),
    ])
    await rooms.restart()
    expect(rooms.identity.users.find(ravi.id)).toMatchObject({
      passwordHash: 'other',
      totpLastStep: 77,
      disabledAt: rooms.clock.now(),
    })
  })

  test('is told to the audit log, with who did it and from where', async () => {
    await rooms.user('asha')
    const ravi = await rooms.user('ravi', 'trader')
    rooms.audit.length = 0
    await rooms.identity.changeUser(
      ravi.id,
      { role: 'viewer' },
      { name: 'asha', address: AWAY.address, requestId: 'r1' },
    )
    expect(rooms.audit).toEqual([
      {
        actor: 'asha',
        address: AWAY.address,
        requestId: 'r1',
        action: 'user.changed',
        target: ravi.id,
        detail: { name: 'ravi', role: 'viewer', disabled: false },
      },
    ])
  })

  test('of nobody is refused', async () => {
    expect(await refusalOf(rooms.identity.changeUser('usr_nobody', { role: 'god' }, OWNER))).toMatchObject({
      code: 'not_found',
    })
  })
})
