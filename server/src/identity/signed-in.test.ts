import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FRESH_MS } from './identity.ts'
import { AWAY, HOME, PASSWORD, refusalOf, TestRooms } from './test-rooms.ts'
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

describe('who is signed in', () => {
  test('gives the password again for what touches keys and users', async () => {
    const { caller } = await rooms.signedIn(asha)
    const isFresh = () => {
      try {
        rooms.identity.requireFresh(caller, rooms.clock.now())
        return true
      } catch (error) {
        expect(error).toMatchObject({ code: 'reauthentication_required' })
        return false
      }
    }
    rooms.clock.advance(FRESH_MS - 1)
    expect(isFresh()).toBe(true)
    rooms.clock.advance(1)
    expect(isFresh()).toBe(false)
    expect(await refusalOf(rooms.identity.confirm(caller, 'wrong password', HOME))).toMatchObject({
      code: 'login_failed',
    })
    expect(isFresh()).toBe(false)
    await rooms.identity.confirm(caller, PASSWORD, HOME)
    expect(isFresh()).toBe(true)
    await rooms.restart()
    expect(isFresh()).toBe(true)
  })

  test('changes the password: every session ends, and a new one begins', async () => {
    const { caller, token } = await rooms.signedIn(asha)
    const { token: elsewhere } = await rooms.signedIn(asha, AWAY)
    const change = (current: string, wanted: string) => rooms.identity.changePassword(caller, current, wanted, HOME)
    expect(await refusalOf(change('wrong password', NEW_PASSWORD))).toMatchObject({
      code: 'login_failed',
      errors: [{ field: 'current_password' }],
    })
    expect(await refusalOf(change(PASSWORD, '1234567890'))).toMatchObject({ errors: [{ field: 'new_password' }] })
    expect([token, elsewhere].map((each) => rooms.callerOf(each) !== undefined)).toEqual([true, true])
    const begun = await change(PASSWORD, NEW_PASSWORD)
    expect([token, elsewhere].map((each) => rooms.callerOf(each))).toEqual([undefined, undefined])
    expect(rooms.callerOf(begun.token)).toMatchObject({ userId: asha.id })
    expect(await refusalOf(login('asha', PASSWORD, AWAY))).toMatchObject({ code: 'login_failed' })
    expect(await login('asha', NEW_PASSWORD)).toMatchObject({ kind: 'session' })
    expect(rooms.audit.map(({ action }) => action)).toContain('password.changed')
  })

  test('changes the password once with the old one, however many do it at once; the others change nothing', async () => {
    const { caller } = await rooms.signedIn(asha)
    const wanted = [NEW_PASSWORD, 'another good password', 'a third good password']
    const changes = await Promise.allSettled(
      wanted.map((each) => rooms.identity.changePassword(caller, PASSWORD, each, HOME)),
    )
    expect(changes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected'])
    for (const [index, { status }] of changes.entries()) {
      const signsIn = await Promise.allSettled([login('asha', wanted[index], { ...AWAY, address: `10.0.0.${index}` })])
      expect(signsIn[0]?.status).toBe(status)
    }
  })

  test('ends sessions of their own only', async () => {
    const ravi = await rooms.user('ravi')
    const { caller, token } = await rooms.signedIn(asha)
    const { caller: other, token: otherToken } = await rooms.signedIn(ravi)
    const actor = { name: 'asha', address: HOME.address, requestId: 'r' }
    expect(await refusalOf(rooms.identity.endSession(caller, other.sessionId ?? '', actor))).toMatchObject({
      code: 'not_found',
    })
    const { token: second } = await rooms.signedIn(asha, AWAY)
    expect(await rooms.identity.endOtherSessions(caller, actor)).toBe(1)
    expect([token, second, otherToken].map((each) => rooms.callerOf(each) !== undefined)).toEqual([true, false, true])
    await rooms.identity.endSession(caller, caller.sessionId ?? '', actor)
    expect(rooms.callerOf(token)).toBeUndefined()
    expect(rooms.audit.slice(-2).map(({ action }) => action)).toEqual(['session.others-ended', 'session.ended'])
  })
})
