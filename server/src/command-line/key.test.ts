import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { acquireInstanceLock } from './instance-lock.ts'
import { runKeyCommand } from './key.ts'

const PROCESS = fileURLToPath(new URL('./control-process.ts', import.meta.url))

let dataDir: string
const servers = new Set<ChildProcessWithoutNullStreams>()
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sauda-key-'))
})
afterEach(async () => {
  for (const server of servers) await killed(server)
  rmSync(dataDir, { recursive: true, force: true })
})

async function killed(server: ChildProcessWithoutNullStreams): Promise<void> {
  servers.delete(server)
  if (server.exitCode !== null) return
  const exited = new Promise((resolve) => server.once('exit', resolve))
  server.kill('SIGKILL')
  await exited
}

/** A running server, and its next line of output. */
function start(): { readonly server: ChildProcessWithoutNullStreams; readonly nextLine: () => Promise<string> } {
  const server = spawn(process.execPath, [PROCESS, dataDir])
  servers.add(server)
  server.stderr.pipe(process.stderr)
  const lines = createInterface(server.stdout)[Symbol.asyncIterator]()
  return { server, nextLine: async () => String((await lines.next()).value) }
}

async function key(...argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let out = ''
  let err = ''
  const print = (text: string) => {
    out += text
  }
  const printError = (text: string) => {
    err += text
  }
  const code = await runKeyCommand(argv, { dataDir }, { print, printError })
  return { code, out, err }
}

const keyIn = (out: string): string => /^sk_[A-Za-z0-9_-]{43}$/m.exec(out)?.[0] ?? ''
const idIn = (out: string): string => /key_[a-z2-7]{10}/.exec(out)?.[0] ?? ''

test('a running server knows a key as soon as it is created, and not any more once it is revoked', async () => {
  const { server, nextLine } = start()
  expect(await nextLine()).toBe('ready')
  const checked = (text: string) => {
    server.stdin.write(`${text}\n`)
    return nextLine()
  }
  const created = await key('create', '--name', 'chart bot', '--scopes', 'read')
  expect(created).toMatchObject({ code: 0, err: '' })
  const id = idIn(created.out)
  expect(await checked(keyIn(created.out))).toBe(id)

  const listed = await key('list')
  expect(listed.out).toMatch(
    new RegExp(
      `^${id}  default  read    \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d IST  -            -     chart bot$`,
      'm',
    ),
  )
  expect(listed.out).not.toContain(keyIn(created.out))

  expect(await key('revoke', id)).toEqual({ code: 0, out: `Revoked ${id}.\n`, err: '' })
  expect(await checked(keyIn(created.out))).toBe('unknown')
  expect(await key('revoke', id)).toEqual({ code: 1, out: '', err: `No live key has the id "${id}".\n` })
})

test('a key may have an end and networks, and be replaced by one that has the same', async () => {
  const { server, nextLine } = start()
  expect(await nextLine()).toBe('ready')
  const checked = (text: string) => {
    server.stdin.write(`${text}\n`)
    return nextLine()
  }
  const options = ['--expires-days', '30', '--networks', '10.0.0.0/8 203.0.113.9', '--account', 'default']
  const first = await key('create', ...options)
  expect(first).toMatchObject({ code: 0, err: '' })
  const second = await key('rotate', idIn(first.out), '--overlap-hours', '24')
  expect(second).toMatchObject({ code: 0, err: '' })
  const [newId = ''] = /(?<=Created )key_[a-z2-7]{10}/.exec(second.out) ?? []
  expect(second.out).toContain(
    `Created ${newId} in place of ${idIn(first.out)}. ${idIn(first.out)} works for 24 more hours.`,
  )
  expect([await checked(keyIn(first.out)), await checked(keyIn(second.out))]).toEqual([idIn(first.out), newId])

  const instant = String.raw`(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) IST`
  const row = new RegExp(`^(key_\\w+)  default  read,trade  ${instant}  ${instant}  10.0.0.0/8,203.0.113.9  unnamed$`)
  const rows = (await key('list')).out.trim().split('\n').slice(1)
  const shown = rows
    .map((line) => row.exec(line) ?? [])
    .map(([, id, made = '', ends = '']) => {
      const hours = (Date.parse(`${ends}Z`) - Date.parse(`${made}Z`)) / 3_600_000
      return { id, hours: Math.round(hours) }
    })
  expect(shown).toEqual([
    { id: idIn(first.out), hours: 24 },
    { id: newId, hours: 720 },
  ])

  const third = await key('rotate', newId)
  expect(third.out).toContain(`${newId} works no more.`)
  expect(await checked(keyIn(second.out))).toBe('expired')
})

test('without a server the same commands work on the files', async () => {
  const created = await key('create')
  expect(created.code).toBe(0)
  expect(created.out).toContain('"unnamed" for account default, with read, trade.')
  const { nextLine, server } = start()
  expect(await nextLine()).toBe('ready')
  server.stdin.write(`${keyIn(created.out)}\n`)
  expect(await nextLine()).toBe(idIn(created.out))
  await killed(server)
  expect((await key('revoke', idIn(created.out))).code).toBe(0)
  expect((await key('list')).out).toBe('There are no keys. Create one: npm run key -- create\n')
})

test('a second server on the same folder is refused, until the first is killed', async () => {
  const first = start()
  expect(await first.nextLine()).toBe('ready')
  const second = start()
  expect(await second.nextLine()).toBe(
    `The data folder ${dataDir} is in use by another running Sauda. Stop that one first, or set DATA_DIR to another folder.`,
  )
  await killed(first.server)
  const third = start()
  expect(await third.nextLine()).toBe('ready')
})

test('a folder in use by a process that takes no commands is left alone', async () => {
  const lock = acquireInstanceLock(dataDir)
  const refused = await key('list')
  expect(refused).toMatchObject({ code: 1, out: '' })
  expect(refused.err).toContain(`The data folder ${dataDir} is in use`)
  lock.release()
  expect((await key('list')).code).toBe(0)
})

test.skipIf(process.platform === 'win32')('everything in the folder can be opened by its owner alone', async () => {
  const { nextLine } = start()
  expect(await nextLine()).toBe('ready')
  await key('create')
  const files = readdirSync(dataDir)
  expect(files).toEqual(
    expect.arrayContaining(['control.sock', 'instance.lock', 'money.db', 'money.db-wal', 'secret.key']),
  )
  expect(files.map((name) => (statSync(join(dataDir, name)).mode & 0o777).toString(8))).toEqual(files.map(() => '600'))
})

test.each([
  [[], 'Say what to do with keys.'],
  [['make'], '"make" is no command.'],
  [['create', '--colour', 'red'], "Unknown option '--colour'"],
  [['create', '--name'], "Option '--name <value>' argument missing"],
  [['create', 'bot'], '"bot" is one argument too many.'],
  [['list', '--name', 'x'], "Unknown option '--name'"],
  [['revoke'], 'The id of the key is missing.'],
  [['rotate'], 'The id of the key is missing.'],
  [['rotate', 'key_aaaaaaaaaa', '--overlap-hours', '1.5'], '--overlap-hours must be a whole number; got "1.5".'],
  [['create', '--expires-days', 'x'], '--expires-days must be a whole number; got "x".'],
])('%j is wrong usage', async (argv, message) => {
  const { code, out, err } = await key(...argv)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain(message)
  expect(err).toContain('npm run key -- create [--name NAME] [--account ACCOUNT] [--scopes SCOPES]')
  expect(readdirSync(dataDir)).toEqual([])
})

test.each([
  [['create', '--scopes', 'read,write'], '"write" isn\'t a scope: choose from read, trade, admin.\n'],
  [['create', '--account', 'other'], 'There is no account "other".\n'],
  [['create', '--name', ''], 'A key\'s name has 1 to 64 printable characters; "" doesn\'t.\n'],
  [['revoke', 'key_aaaaaaaaaa'], 'No live key has the id "key_aaaaaaaaaa".\n'],
  [['rotate', 'key_aaaaaaaaaa'], 'No live key has the id "key_aaaaaaaaaa".\n'],
  [['rotate', 'key_aaaaaaaaaa', '--overlap-hours', '25'], 'Must be a whole number from 0 to 24. Got 25.\n'],
  [['create', '--expires-days', '0'], 'Must be a whole number from 1 to 3650. Got 0.\n'],
  [
    ['create', '--networks', 'example.com'],
    'Write addresses and networks, such as 10.0.0.0/8, with commas: "example.com" is no address and no network.\n',
  ],
])('%j is refused', async (argv, err) => {
  expect(await key(...argv)).toEqual({ code: 1, out: '', err })
})
