import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Refusal } from '../kernel/errors.ts'
import { askServer, CONTROL_REQUEST_BYTES_MAX, ControlFailed, type ControlServer, startControl } from './control.ts'
import { controlPath } from './control-path.ts'

let dataDir: string
let control: ControlServer
const failures: unknown[] = []

const COMMANDS = {
  echo: async (args: unknown) => args,
  nothing: async () => undefined,
  refuse: async () => {
    throw new Refusal('not_found', 'Nothing is there.')
  },
  fail: async () => {
    throw new TypeError('secret detail')
  },
}

beforeEach(async () => {
  failures.length = 0
  dataDir = mkdtempSync(join(tmpdir(), 'sauda-control-'))
  control = await startControl(dataDir, COMMANDS, (error) => failures.push(error))
})
afterEach(async () => {
  await control.close()
  rmSync(dataDir, { recursive: true, force: true })
})

/** What the server answers to these bytes. */
async function raw(bytes: string): Promise<unknown> {
  const socket = connect(control.path)
  socket.write(bytes)
  return JSON.parse(await text(socket))
}

test('a command gets its arguments and its result comes back', async () => {
  const args = { name: 'नाम', list: [1, 'two', null] }
  expect(await askServer(dataDir, 'echo', args)).toEqual({ running: true, result: args })
  expect(await askServer(dataDir, 'nothing', {})).toEqual({ running: true, result: null })
})

test('commands of several clients at once are all answered', async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => askServer(dataDir, 'echo', index)))
  expect(answers).toEqual(Array.from({ length: 10 }, (_, result) => ({ running: true, result })))
})

test('a refusal of the server arrives as that refusal', async () => {
  const refused = await askServer(dataDir, 'refuse', {}).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(Refusal)
  expect(refused).toMatchObject({ code: 'not_found', message: 'Nothing is there.' })
})

test('a failure of the server is reported there, without details here', async () => {
  const failed = await askServer(dataDir, 'fail', {}).catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(ControlFailed)
  expect(failed).toHaveProperty('message', 'The server failed to run the command; its log says why.')
  expect(failures).toEqual([new TypeError('secret detail')])
})

test.each(['dance', 'toString', '__proto__'])('the command "%s" does not exist', async (command) => {
  await expect(askServer(dataDir, command, {})).rejects.toThrow(
    `There is no command "${command}": choose from echo, nothing, refuse, fail.`,
  )
})

test.each([
  ['{"command":\n', 'malformed_json'],
  ['[]\n', 'validation_failed'],
  ['{"command":5}\n', 'validation_failed'],
  ['null\n', 'validation_failed'],
  ['x'.repeat(CONTROL_REQUEST_BYTES_MAX + 1), 'body_too_large'],
  [`"${'x'.repeat(CONTROL_REQUEST_BYTES_MAX)}"\n`, 'body_too_large'],
])('%.20j is refused', async (bytes, code) => {
  expect(await raw(bytes)).toMatchObject({ ok: false, code })
  expect(failures).toEqual([])
})

test('nobody answers once the server has stopped', async () => {
  await control.close()
  expect(existsSync(control.path)).toBe(false)
  expect(await askServer(dataDir, 'echo', {})).toEqual({ running: false })
})

test('a server takes the place of what a dead one left', async () => {
  await control.close()
  writeFileSync(control.path, '')
  expect(await askServer(dataDir, 'echo', {})).toEqual({ running: false })
  control = await startControl(dataDir, COMMANDS, (error) => failures.push(error))
  expect(await askServer(dataDir, 'echo', 1)).toEqual({ running: true, result: 1 })
})

test.skipIf(process.platform === 'win32')(
  'a folder whose path is too long for a socket has it in a private folder elsewhere',
  async () => {
    const long = join(dataDir, 'x'.repeat(100))
    const path = controlPath(long)
    expect(Buffer.byteLength(path)).toBeLessThanOrEqual(103)
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
    const elsewhere = await startControl(long, COMMANDS, (error) => failures.push(error))
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await askServer(long, 'echo', 1)).toEqual({ running: true, result: 1 })
    await elsewhere.close()
  },
)
