import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPretty, scrubbedLog } from './logging.ts'
import { prettyLines } from './pretty-lines.ts'
import { scrubFreeText } from './scrub-line.ts'

function logTo(level = 'trace') {
  const lines: string[] = []
  let flushes = 0
  const log = scrubbedLog(level, {
    write: (line) => lines.push(line),
    flush: () => {
      flushes += 1
    },
  })
  return { log, lines, text: () => lines.join(''), flushes: () => flushes }
}

/** Puts a secret somewhere into a value, as deep as `path` is long. */
function wrap(secret: unknown, path: readonly ('list' | 'field' | 'cause')[]): unknown {
  return path.reduceRight((inside: unknown, kind): unknown => {
    if (kind === 'list') return [1, inside]
    if (kind === 'field') return { other: 2, inside }
    return Object.assign(new Error('because'), { inside })
  }, secret)
}

describe('secrets in the log', () => {
  const path = fc.array(fc.constantFrom('list' as const, 'field' as const, 'cause' as const), { maxLength: 20 })
  const text = fc.string({ maxLength: 30 })

  it('never show a key, wherever it stands', async () => {
    const key = fc.stringMatching(/^sk_[A-Za-z0-9_-]{43}$/)
    const place = fc.constantFrom('message', 'field', 'name', 'error', 'stack', 'list')
    fc.assert(
      fc.property(key, place, path, text, text, (secret, where, deep, before, after) => {
        const { log, text: written } = logTo()
        const sentence = `${before} ${secret} ${after}`
        if (where === 'message') log.error(sentence)
        else if (where === 'error') log.error({ err: wrap(new Error(sentence), deep) }, 'failed')
        else if (where === 'stack') log.error(new Error(sentence), 'failed')
        else if (where === 'name') log.warn({ value: wrap({ [sentence]: 1 }, deep) }, 'failed')
        else log.info({ value: wrap(where === 'list' ? [sentence] : sentence, deep) })
        expect(written()).not.toContain(secret)
        expect(written()).not.toBe('')
      }),
    )
  })

  const SECRET = 'hunter2-Tr0ub4dor'
  const fields = 'password currentPassword new_password token setUpToken secret totp_secret apikey apiKey X-API-KEY'
  it.each(`${fields} authorization Authorization cookie set-cookie challenge recovery_codes`.split(' '))(
    'never show the field %s, at any depth',
    async (name) => {
      for (const value of [SECRET, [SECRET], { inside: SECRET }]) {
        for (const depth of [0, 1, 5, 30]) {
          const { log, text: written } = logTo()
          log.info({ value: wrap({ [name]: value }, Array(depth).fill('field')) }, 'said')
          expect(written()).not.toContain(SECRET)
          expect(JSON.parse(written())).toMatchObject({ msg: 'said' })
        }
      }
    },
  )

  it.each([
    `password=${SECRET}`,
    `{"password":"${SECRET}"}`,
    `{\\"password\\":\\"${SECRET}\\"}`,
    `{'newPassword': '${SECRET}'}`,
    `GET /setup?token=${SECRET}&x=1`,
    `Authorization: Bearer ${SECRET}`,
    `authorization: Basic ${SECRET}`,
    `"authorization":"Digest a=1, response=${SECRET}"`,
    `bearer ${SECRET}`,
    `Cookie: a=1; sauda_session=${SECRET}; b=2`,
    `set-cookie: __Host-sauda_session=${SECRET}; Path=/`,
    `sauda_session=${SECRET}`,
    `otpauth://totp/Sauda:anna?secret=${SECRET}&issuer=Sauda`,
    `smtps://sauda:${SECRET}@mail.example.org:465`,
    `x-api-key: ${SECRET}`,
  ])('never show what is secret in the text %s', async (sentence) => {
    const { log, text: written } = logTo()
    log.error({ err: new Error(sentence), deep: [{ sentence }] }, sentence)
    expect(written()).not.toContain(SECRET)
    expect(written()).toContain('[scrubbed]')
  })

  it.each(['123456', 123_456, '12345678', 'abcd-efgh-2345'])('never show the code %s of a login', async (code) => {
    const { log, text: written } = logTo()
    log.info({ body: { code, totp_code: code } })
    expect(written()).not.toContain(String(code))
  })

  it('leave what is none', async () => {
    const { log, lines } = logTo()
    const told = {
      requestId: 'req-0123456789',
      code: 'validation_failed',
      keyId: 'key_abcdefghij',
      tokens: 3,
      symbol: 'NIFTY30DEC25FUT',
      at: '09:15:00',
      url: 'http://127.0.0.1:5000/api/v1/quotes',
      isToken: true,
      token: null,
    }
    const error = Object.assign(new Error('Port 5000 is taken'), { code: 'EADDRINUSE' })
    log.warn({ ...told, err: error }, 'Everything is told: tokens of the key, and what else')
    const line = JSON.parse(lines[0] ?? '')
    expect(line).toMatchObject({ ...told, isToken: true, err: { code: 'EADDRINUSE', message: 'Port 5000 is taken' } })
    expect(line.msg).toBe('Everything is told: tokens of the key, and what else')
    expect(line.err.stack).toContain('logging.test.ts')
  })

  // A pattern whose time grew faster than the text would not come to an end here
  it.each(['a', 'password', 'password=', '"', '\\', 'cookie:', '://a:', 'bearer ', ' '])(
    'come to an end with a long text of %j',
    (unit) => {
      const text = unit.repeat(Math.ceil(200_000 / unit.length))
      expect(scrubFreeText(text).length).toBeGreaterThan(0)
    },
  )
})

describe('the format', () => {
  it.each([
    ['auto', true, true],
    ['auto', false, false],
    ['json', true, false],
    ['pretty', false, true],
  ] as const)('%s, on a terminal: %s, is readable text: %s', (format, isTerminal, expected) => {
    expect(isPretty(format, isTerminal)).toBe(expected)
  })

  it('for people has the same lines', async () => {
    const { log, text } = logTo()
    log.warn({ requestId: 'req-1', password: 'hunter2' }, 'look here')
    log.error('and here')
    const readable = (await prettyLines())(`${text()}no JSON\n`)
    expect(readable).toMatch(/WARN.*look here[\s\S]*req-1[\s\S]*ERROR.*and here[\s\S]*no JSON/)
    expect(readable).not.toMatch(/^\{|hunter2/m)
  })
})

describe('the end of the process', () => {
  it('hands over a fatal line at once', async () => {
    const { log, flushes } = logTo()
    log.error('may wait')
    expect(flushes()).toBe(0)
    log.fatal('may not')
    expect(flushes()).toBe(1)
  })

  it('tells nothing that is less important than asked for', () => {
    const { log, lines } = logTo('warn')
    log.info('not this')
    log.warn('but this')
    expect(lines).toHaveLength(1)
  })

  it.each([
    ['process.exit(3)', 3],
    ['setImmediate(() => { throw new Error("unexpected") })', 1],
    ['process.exitCode = 4', 4],
  ])('loses no line and no request before %s', (end, status) => {
    const run = runScript(`
      for (let line = 1; line <= 500; line += 1) {
        log.info({ line }, 'one of many')
        requests.add(finishedRequest({ status: line }))
        if (line === 250) requests.flush()
      }
      ${end === 'process.exitCode = 4' ? 'requests.close()' : ''}
      ${end}`)
    expect(run.status).toBe(status)
    const told = run.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const expected = Array.from({ length: 500 }, (_, index) => index + 1)
    expect(told.filter(({ msg }) => msg === 'one of many').map(({ line }) => line)).toEqual(expected)
    expect(told.filter(({ msg }) => msg === 'request').map((request) => request.status)).toEqual(expected)
  })

  it('keeps up with many requests in each turn of the loop', () => {
    const run = runScript(`
      for (let turn = 0; turn < 40; turn += 1) {
        for (let line = 0; line < 250; line += 1) log.info({ filler: 'x'.repeat(300) }, 'one of many')
        for (let line = 0; line < 250; line += 1) requests.add(finishedRequest())
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      log.info({ lost: lost() })
      requests.close()`)
    const lines = run.stdout.trim().split('\n')
    expect(lines).toHaveLength(40 * 500 + 1)
    expect(JSON.parse(lines.find((line) => line.includes('"lost"')) ?? '').lost).toBe(0)
  })

  it('says readable lines of requests, too, and none when only more important ones are wanted', () => {
    const request = "requests.add(finishedRequest({ requestId: 'req-readable' })); requests.close()"
    expect(runScript(request, { logFormat: 'pretty' }).stdout).toMatch(/INFO.*request[\s\S]*req-readable/)
    expect(runScript(request, { logLevel: 'warn' }).stdout).toBe('')
  })
})

describe('a reader of the log', () => {
  it('who stops reading holds up nobody; what is too much is lost and counted', async () => {
    const child = spawn(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        script(`
      const line = 'x'.repeat(10_000)
      for (let turn = 0; turn < 30; turn += 1) {
        for (let many = 0; many < 100; many += 1) log.info(line)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      await new Promise((resolve) => setTimeout(resolve, 500)) // all is handed over
      process.stderr.write(String(lost()))
      requests.close()`),
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    child.stdout.pause()
    const told: Buffer[] = []
    child.stderr.on('data', (chunk) => told.push(chunk))
    while (told.length === 0) await setTimeout(5)
    const lost = Number(Buffer.concat(told).toString())
    let read = ''
    child.stdout.on('data', (chunk) => {
      read += String(chunk)
    })
    child.stdout.resume()
    await new Promise((resolve) => child.once('close', resolve))
    expect(lost).toBeGreaterThan(1_000)
    expect(read.split('\n').length - 1 + lost).toBe(3_000)
    for (const line of read.trim().split('\n')) expect(JSON.parse(line).msg).toHaveLength(10_000)
  })

  it('who is gone ends nothing', () => {
    const run = spawnSync(
      'sh',
      [
        '-c',
        '"$0" --input-type=module --eval "$1" | head -c 10',
        process.execPath,
        script(`
      for (let turn = 0; turn < 20; turn += 1) {
        for (let many = 0; many < 100; many += 1) log.info('y'.repeat(1_000))
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      flush()
      process.stderr.write('lost ' + lost())
      requests.close()`),
      ],
      { encoding: 'utf8' },
    )
    expect(run.stdout).toHaveLength(10)
    expect(Number(/^lost (\d+)$/.exec(run.stderr)?.[1])).toBeGreaterThan(0)
  })
})

/** A program that writes a log. */
function script(body: string, settings: Readonly<Record<string, string>> = {}): string {
  const from = (file: string): string => JSON.stringify(join(import.meta.dirname, file))
  return `
    import { systemClock } from ${from('../kernel/clock.ts')}
    import { createLog } from ${from('logging.ts')}
    import { RequestRows } from ${from('request-rows.ts')}
    import { finishedRequest } from ${from('test-finished-request.ts')}
    const requests = new RequestRows(systemClock)
    const { log, lost, flush } = createLog(${JSON.stringify({ logLevel: 'info', logFormat: 'json', ...settings })}, requests)
    ${body}`
}

const runScript = (body: string, settings: Readonly<Record<string, string>> = {}) =>
  spawnSync(process.execPath, ['--input-type=module', '--eval', script(body, settings)], {
    encoding: 'utf8',
    maxBuffer: 33_554_432,
  })
