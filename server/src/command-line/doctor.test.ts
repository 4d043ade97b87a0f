import {
  chmodSync,
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { openSecret } from '../identity/secret.ts'
import { ManualClock } from '../kernel/clock.ts'
import { AuditLog } from '../monitor/audit-log.ts'
import { openDatabases } from '../storage/open.ts'
import { Mortal } from '../storage/test-mortal.ts'
import { startControl } from './control.ts'
import { runDoctor } from './doctor.ts'
import { doctorCommand, type ServerReading } from './doctor-command.ts'

const KEY = `sk_${'k'.repeat(43)}`

let model: string
let directory: string
let dataDir: string

/** A data folder as a server leaves it. */
beforeAll(async () => {
  model = mkdtempSync(join(tmpdir(), 'sauda-doctor-model-'))
  const clock = new ManualClock(1_790_000_000_000)
  const databases = await openDatabases(model, clock)
  const audit = await AuditLog.open(databases.record, clock, model, (error) => {
    throw error
  })
  for (const name of ['one', 'two', 'three']) {
    audit.record({
      actor: 'owner',
      action: 'key.created',
      target: 'key_a',
      address: '',
      requestId: '',
      detail: { name },
    })
  }
  await audit.close()
  await databases.close()
  openSecret(model, false)
})
afterAll(() => rmSync(model, { recursive: true, force: true }))

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sauda-doctor-'))
  dataDir = join(directory, 'data')
  cpSync(model, dataDir, { recursive: true })
  chmodSync(dataDir, 0o700)
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

async function doctor(environment: Readonly<Record<string, string>> = {}, argv: readonly string[] = []) {
  let out = ''
  const print = (text: string) => {
    out += text
  }
  const code = await runDoctor(argv, {
    environment: { HEALTH_DISK_FREE_WARN_MIB: '1', ...environment },
    directory,
    print,
  })
  const lines = out.trimEnd().split('\n')
  return { code, out, lines, wrong: lines.filter((line) => line.startsWith('WRONG')) }
}

function inDatabase(file: string, change: string): void {
  const database = new DatabaseSync(join(dataDir, file))
  try {
    database.exec(change)
  } finally {
    database.close()
  }
}

/** Overwrites everything after the first page, or from somewhere on, as a broken disk might. */
function damage(file: string, from = 4_096): void {
  const path = join(dataDir, file)
  const handle = openSync(path, 'r+')
  writeSync(handle, Buffer.alloc(statSync(path).size - from, 0xa5), 0, undefined, from)
  closeSync(handle)
}

test('all is well with what a server leaves behind, and nothing is changed by looking', async () => {
  const before = ['money.db', 'record.db', 'telemetry.db', 'secret.key'].map((file) => statSync(join(dataDir, file)))
  const { code, lines, wrong } = await doctor()
  expect(wrong).toEqual([])
  expect(code).toBe(0)
  expect(lines.at(-1)).toBe('All is well.')
  expect(lines.slice(0, -1).map((line) => line.slice(7, 21).trim())).toEqual([
    'settings',
    'data folder',
    'file modes',
    'disk',
    'secret.key',
    'money.db',
    'record.db',
    'audit log',
    'telemetry.db',
    'server',
  ])
  expect(lines.join('\n')).toContain('All 3 rows are as they were written')
  const after = ['money.db', 'record.db', 'telemetry.db', 'secret.key'].map((file) => statSync(join(dataDir, file)))
  expect(after.map(({ mtimeMs, size, mode }) => [mtimeMs, size, mode])).toEqual(
    before.map(({ mtimeMs, size, mode }) => [mtimeMs, size, mode]),
  )
})

test('an instance that was never started is well', async () => {
  rmSync(dataDir, { recursive: true })
  const { code, lines } = await doctor()
  expect(code).toBe(0)
  expect(lines.some((line) => line.includes("isn't there yet"))).toBe(true)
})

test.each<[string, () => void, RegExp]>([
  ['a folder that others may open', () => chmodSync(dataDir, 0o755), /data folder.*mode 0755.*chmod 700/],
  ['a file that others may read', () => chmodSync(join(dataDir, 'money.db'), 0o644), /file modes.*money\.db.*chmod/],
  ['a file that a group may read', () => chmodSync(join(dataDir, 'record.db'), 0o640), /file modes.*record\.db.*chmod/],
  ['a secret that is missing', () => rmSync(join(dataDir, 'secret.key')), /secret\.key.*missing.*backup/],
  ['a secret that is cut', () => writeFileSync(join(dataDir, 'secret.key'), 'short'), /secret\.key.*5 bytes.*backup/],
  ['a database that is missing', () => rmSync(join(dataDir, 'money.db')), /money\.db.*missing.*backup/],
  ['a damaged database', () => damage('money.db'), /money\.db.*(damaged|can't be read).*backup/],
  ['one damaged page', () => damage('money.db', statSync(join(dataDir, 'money.db')).size - 4_096), /damaged.*backup/],
  ['damaged telemetry', () => damage('telemetry.db'), /telemetry\.db.*(damaged|can't be read).*delete telemetry\.db/],
  [
    'a file that is no database',
    () => writeFileSync(join(dataDir, 'record.db'), 'x'.repeat(5_000), { mode: 0o600 }),
    /record\.db.*can't be read/,
  ],
  [
    'a newer schema',
    () => inDatabase('money.db', "INSERT INTO migration VALUES (99, 'later', 0)"),
    /money\.db.*newer version/,
  ],
  [
    'an audit row that was changed',
    () => inDatabase('record.db', "UPDATE audit SET actor = 'eve' WHERE seq = 2"),
    /audit log.*Row 2 was changed/,
  ],
  [
    'an audit row that was taken out',
    () => inDatabase('record.db', 'DELETE FROM audit WHERE seq = 1'),
    /audit log.*Row 1/,
  ],
  [
    'an audit row that was taken off the end',
    () => inDatabase('record.db', 'DELETE FROM audit WHERE seq = 3'),
    /audit log.*Rows were taken off its end: it has 2.*had 3.*delete audit\.head/,
  ],
  ['the end of the audit log that is not known', () => rmSync(join(dataDir, 'audit.head')), /audit\.head is missing/],
  [
    'a head of the audit log that Sauda did not write',
    () => writeFileSync(join(dataDir, 'audit.head'), '3\n', { mode: 0o600 }),
    /audit\.head is unreadable.*delete/,
  ],
])('%s is found, with what to do', async (_what, harm, line) => {
  harm()
  const { code, wrong, out } = await doctor()
  expect(code).toBe(1)
  expect(wrong.length, out).toBe(1)
  expect(wrong[0]).toMatch(line)
})

test('too little room on the disk is found', async () => {
  const { code, wrong } = await doctor({ HEALTH_DISK_FREE_WARN_MIB: '100000000' })
  expect([code, wrong.length]).toEqual([1, 1])
  expect(wrong[0]).toMatch(/disk.*are free, less than 100000000\. Make room/)
})

test('each wrong setting is a line, and no secret is shown', async () => {
  const { code, wrong, out } = await doctor({ PORT: 'high', METRICS_TOKEN: KEY.slice(0, 5), SAUDA_PROT: '1' })
  expect(code).toBe(1)
  expect(wrong.map((line) => line.slice(7))).toMatchObject([
    expect.stringMatching(/^settings .*PORT is "high"/),
    expect.stringMatching(/^settings .*METRICS_TOKEN is not allowed/),
    expect.stringMatching(/^settings .*SAUDA_PROT is no setting.*PORT/),
  ])
  expect(out).not.toContain(KEY.slice(0, 5))
})

test('an .env with a secret that others may read is found, one without is not', async () => {
  writeFileSync(join(directory, '.env'), 'PORT=5001\n', { mode: 0o644 })
  expect((await doctor()).wrong).toEqual([])
  writeFileSync(join(directory, '.env'), 'METRICS_TOKEN=0123456789abcdef\n')
  const { wrong, out } = await doctor()
  expect(wrong).toMatchObject([expect.stringMatching(/\.env.*mode 0644.*chmod 600/)])
  expect(out).not.toContain('0123456789abcdef')
})

test('a running server is asked how it is', async () => {
  const readings: ServerReading[] = [{ name: 'journal', state: 'pass', message: '' }]
  const server = await startControl(dataDir, doctorCommand({ read: () => readings }), (error) => {
    throw error
  })
  try {
    const well = await doctor()
    expect([well.code, well.wrong]).toEqual([0, []])
    expect(well.out).toContain('It runs, and its 1 checks pass')
    readings.push({ name: 'records', state: 'fail', message: "It can't be written: the disk is full." })
    const ill = await doctor()
    expect(ill.code).toBe(1)
    expect(ill.wrong).toMatchObject([expect.stringContaining("records: It can't be written: the disk is full.")])
  } finally {
    await server.close()
  }
})

test('a server of another version is found', async () => {
  const server = await startControl(dataDir, {}, () => undefined)
  try {
    expect((await doctor()).wrong).toMatchObject([expect.stringMatching(/server.*no command "doctor".*Restart it/)])
  } finally {
    await server.close()
  }
})

test('it can look while a server writes', async () => {
  const databases = await openDatabases(dataDir)
  const clock = new ManualClock(1_790_000_000_000)
  const audit = await AuditLog.open(databases.record, clock, dataDir, (error) => {
    throw error
  })
  audit.record({ actor: 'owner', action: 'key.revoked', target: 'key_a', address: '', requestId: '', detail: {} })
  await audit.verify()
  const { out, wrong } = await doctor()
  expect(wrong).toEqual([])
  expect(out).toContain('All 4 rows are as they were written')
  await audit.close()
  await databases.close()
})

test.each([
  ['before', false, 'All 3 rows are as they were written; those in audit.head after them (1) are'],
  ['after', true, 'All 4 rows are as they were written; the last is'],
])('audit rows whose server was killed %s their commit are no fault', async (_when, isLastKept, line) => {
  const databases = await openDatabases(dataDir)
  const mortal = new Mortal(databases, { writesBefore: 0, isLastKept })
  const clock = new ManualClock(1_790_000_000_000)
  const audit = await AuditLog.open(mortal.databases.record, clock, dataDir, (error) => {
    throw error
  })
  audit.record({ actor: 'owner', action: 'key.revoked', target: 'key_a', address: '', requestId: '', detail: {} })
  void audit.verify()
  await mortal.died
  await databases.close()
  const { code, out } = await doctor()
  expect([code, out]).toEqual([0, expect.stringContaining(line)])
})

test('words that it does not know are refused', async () => {
  const { code, out } = await doctor({}, ['--fix'])
  expect(code).toBe(2)
  expect(out).toContain('Usage')
})
