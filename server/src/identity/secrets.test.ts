import { TOTP } from 'otpauth'
import { expect, test } from 'vitest'
import { OWNER } from './audit.ts'
import { HOME, PASSWORD, refusalOf, TestRooms } from './test-rooms.ts'

test('no file of the data folder has a secret in clear, and the audit log is told none', async () => {
  const mailed: string[] = []
  const rooms = await TestRooms.open({
    mailer: { send: (_to, _subject, text) => mailed.push(text) > 0 },
  })
  const setUpToken = (await rooms.identity.newSetUpToken()) ?? ''
  const wanted = { token: setUpToken, name: 'asha', email: 'asha@example.com', password: PASSWORD }
  const { token } = await rooms.identity.setUp(wanted, HOME)
  const caller = rooms.callerOf(token)
  if (caller === undefined) throw new Error('not signed in')
  const { secret } = await rooms.identity.enrolTotp(caller, PASSWORD, HOME)
  const code = new TOTP({ secret }).generate({ timestamp: rooms.clock.now() })
  const recoveryCodes = await rooms.identity.confirmTotp(caller, code, HOME)
  await refusalOf(rooms.identity.login(PASSWORD, 'a wrong password', HOME))
  rooms.identity.forgot('asha', HOME)
  await expect.poll(() => mailed.length).toBe(1)
  const resetToken = /token=([\w-]+)/.exec(mailed[0] ?? '')?.[1] ?? ''
  const key = await rooms.keys.createKey(
    { account: 'default', userId: caller.userId, name: 'k', scopes: ['read'] },
    OWNER,
  )
  const secrets = [
    ...[PASSWORD, 'a wrong password', setUpToken, token, secret, resetToken, key.text],
    ...recoveryCodes.flatMap((each) => [each, each.replaceAll('-', '')]),
  ]
  expect(secrets.every((each) => each.length >= 12)).toBe(true)
  const bytes = [token, resetToken, setUpToken].map((each) => Buffer.from(each, 'base64url').toString('latin1'))
  await rooms.identity.sessions.tidy()
  expect(rooms.filesWith(['asha@example.com'])).not.toEqual([])
  expect(rooms.filesWith([...secrets, ...bytes])).toEqual([])
  const told = JSON.stringify([rooms.audit, rooms.errors])
  expect(secrets.filter((each) => told.includes(each))).toEqual([])
  await rooms.dispose()
})
