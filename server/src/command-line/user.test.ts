import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { HOME, refusalOf, TestRooms } from '../identity/test-rooms.ts'
import { type ControlServer, startControl } from './control.ts'
import { runUserCommand } from './user.ts'
import { userCommands } from './user-commands.ts'

const PASSWORD = 'plum orbit seven kites'

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sauda-user-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

async function user(argv: readonly string[], typed = PASSWORD, folder = dataDir) {
  let out = ''
  let err = ''
  const asked: string[] = []
  const terminal = {
    print: (text: string) => {
      out += text
    },
    printError: (text: string) => {
      err += text
    },
    readSecret: async (question: string) => {
      asked.push(question)
      return typed
    },
  }
  const config = { dataDir: folder, publicUrl: '', port: 5001 }
  const code = await runUserCommand(argv, config, terminal)
  return { code, out, err, asked }
}

const create = (name: string, ...more: readonly string[]) => [
  ...['create', '--name', name, '--email', `${name}@example.com`],
  ...more,
]

describe('without a server', () => {
  test('users are created, listed, disabled and enabled on the files', async () => {
    expect((await user(['list'])).out).toBe(
      'There are no users. Open the link that npm start prints, or: npm run user -- create\n',
    )
    const asha = await user(create('asha'))
    expect(asha).toMatchObject({ code: 0, err: '', asked: ['New password: '] })
    expect(asha.out).toMatch(/^Created usr_[a-z2-7]{10} "asha", admin\.\n$/)
    expect((await user(create('ravi'))).out).toMatch(/"ravi", trader\.\n$/)
    expect((await user(create('mira', '--role', 'viewer'))).out).toMatch(/"mira", viewer\.\n$/)
    expect(await user(['disable', 'RAVI'])).toMatchObject({ code: 0, err: '' })
    const { out } = await user(['list'])
    expect(out.split('\n').map((line) => line.split(/ {2,}/).slice(1, 6).join(' '))).toEqual([
      'NAME E-MAIL ROLE STATE TOTP',
      'asha asha@example.com admin enabled no',
      'ravi ravi@example.com trader disabled no',
      'mira mira@example.com viewer enabled no',
      '',
    ])
    expect((await user(['enable', 'ravi'])).out).toBe('Enabled ravi.\n')
    expect(await user(['disable', 'asha'])).toMatchObject({
      code: 1,
      err: 'asha is the only admin. Make somebody else an admin first.\n',
    })
  })

  test('a link to set a password is printed, for the address of the settings', async () => {
    await user(create('asha'))
    const { code, out } = await user(['reset-password', 'asha@example.com'])
    expect(code).toBe(0)
    expect(out).toMatch(
      /^asha sets a new password here, once, within 15 minutes:\n\nhttp:\/\/127\.0\.0\.1:5001\/reset\?token=[\w-]{43}\n$/,
    )
  })

  test.each([
    [[], 'Say what to do with users.'],
    [['make'], '"make" is no command.'],
    [['create', '--email', 'a@example.com'], '--name is missing.'],
    [['create', '--name', 'asha'], '--email is missing.'],
    [create('asha', '--password', PASSWORD), "Unknown option '--password'"],
    [['reset-password'], 'The name of the user is missing.'],
    [['reset-password', 'asha', PASSWORD], 'is one argument too many.'],
    [['reset-password', 'asha', `--password=${PASSWORD}`], "Option '--password' does not take an argument"],
    [['list', 'all'], '"all" is one argument too many.'],
    [['disable'], 'The name of the user is missing.'],
  ])('%j is wrong usage', async (argv, message) => {
    const { code, out, err, asked } = await user(argv)
    expect({ code, out, asked }).toEqual({ code: 2, out: '', asked: [] })
    expect(err).toContain(message)
    expect(err).toContain('npm run user -- create --name NAME --email EMAIL [--role ROLE]')
    expect(readdirSync(dataDir)).toEqual([])
  })

  test.each([
    [create('asha', '--role', 'god'), PASSWORD, `"god" isn't a role: choose from admin, trader, viewer.\n`],
    [create('asha', '--role', 'trader'), PASSWORD, 'The first user must be an admin.\n'],
    [create('owner'), PASSWORD, '"owner" is taken by Sauda itself.\n'],
    [create('asha'), '', 'A password has at least 10 characters; this one has 0.\n'],
    [['disable', 'nobody'], '', 'There is no user with the name "nobody".\n'],
    [['reset-password', 'nobody'], '', 'There is no user with the name "nobody".\n'],
  ])('%j is refused', async (argv, typed, err) => {
    expect(await user(argv, typed)).toMatchObject({ code: 1, out: '', err })
  })
})

describe('with a server', () => {
  let rooms: TestRooms
  let control: ControlServer
  beforeEach(async () => {
    rooms = await TestRooms.open()
    control = await startControl(rooms.dataDir, userCommands(rooms.identity), (error) => rooms.errors.push(error))
  })
  afterEach(async () => {
    await control.close()
    await rooms.dispose()
  })
  const asked = (argv: readonly string[], typed?: string) => user(argv, typed, rooms.dataDir)

  test('a user can sign in as soon as it is created, and not any more once it is disabled', async () => {
    await asked(create('asha'))
    await asked(create('ravi'))
    const result = await rooms.identity.login('ravi', PASSWORD, HOME)
    if (result.kind !== 'session') throw new Error('no session')
    await asked(['disable', 'ravi'])
    expect(rooms.callerOf(result.begun.token)).toBeUndefined()
    expect(await refusalOf(rooms.identity.login('ravi', PASSWORD, HOME))).toMatchObject({ code: 'login_failed' })
    expect(await asked(['reset-password', 'ravi'])).toMatchObject({
      code: 1,
      err: 'ravi is disabled. Enable the user first.\n',
    })
    expect(rooms.audit.filter(({ actor }) => actor === 'owner').map(({ action }) => action)).toEqual([
      'user.created',
      'user.created',
      'user.changed',
    ])
    expect(rooms.errors).toEqual([])
  })

  test('the printed link works, and --password sets one at once; sessions end', async () => {
    const asha = await rooms.user('asha')
    const { token: before } = await rooms.signedIn(asha)
    const { out } = await asked(['reset-password', 'asha'])
    const token = /https:\/\/sauda\.example\/reset\?token=([\w-]+)/.exec(out)?.[1] ?? ''
    await rooms.identity.resetByLink(token, 'seven kites orbit plum', HOME)
    expect(rooms.callerOf(before)).toBeUndefined()
    const set = await asked(['reset-password', 'asha', '--password'], 'another good password')
    expect(set.out).toBe('Set the password of asha; every session is over.\n')
    expect(set.asked).toEqual(['New password: '])
    expect(await rooms.identity.login('asha', 'another good password', HOME)).toMatchObject({ kind: 'session' })
  })

  test('the second factor stays unless it is to be removed', async () => {
    const asha = await rooms.user('asha')
    await rooms.identity.users.update(asha.id, { totpSecret: 'sealed', totpConfirmedAt: 1 })
    expect((await asked(['reset-password', 'asha'])).out).toContain(
      'The second factor stays; --remove-totp takes it away.',
    )
    expect((await asked(['list'])).out).toMatch(/enabled +yes/)
    expect((await asked(['reset-password', 'asha', '--remove-totp'])).out).toContain(
      'There is no second factor any more.',
    )
    expect(rooms.identity.users.find(asha.id)).toMatchObject({ totpSecret: undefined, totpConfirmedAt: undefined })
  })
})
