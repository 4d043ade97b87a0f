import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Steps } from '../kernel/steps.ts'
import type { FinishedRequest } from './finished-request.ts'
import { createLog, type LogFormat, type LogTarget } from './logging.ts'
import { scrubFreeText } from './scrub-line.ts'

const KEY = `sk_${'Ab3_-xYz'.repeat(6).slice(0, 43)}`

async function logTo(format: LogFormat, more: { level?: string; isTerminal?: boolean } = {}) {
  const lines: string[] = []
  let flushes = 0
  const target: LogTarget = {
    isTerminal: more.isTerminal ?? false,
    write: (text) => {
      lines.push(text)
    },
    flush: () => {
      flushes += 1
    },
    lost: () => 0,
  }
  const made = await createLog({ logLevel: more.level ?? 'trace', logFormat: format }, target)
  return { ...made, lines, text: () => lines.join(''), flushes: () => flushes }
}

const finished: FinishedRequest = {
  at: 1_790_000_040_000,
  requestId: 'req-0123456789',
  traceId: '',
  method: 'POST',
  route: 'placeorder',
  path: '/api/v1/placeorder',
  status: 200,
  code: '',
  bytesIn: 210,
  bytesOut: 320,
  durationMs: 1.23456,
  address: '127.0.0.1',
  userId: 'usr_abcdefghij',
  keyId: 'key_abcdefghij',
  userAgent: 'curl/8',
  steps: new Steps(() => 0),
}

describe('the line of a request', () => {
  it('is one line of JSON with all that is known', async () => {
    const { request, lines } = await logTo('json')
    request(finished)
    request({ ...finished, status: 429, code: 'rate_limited', traceId: '4bf92f3577b34da6a3ce929d0e0e4736' })
    expect(lines).toHaveLength(2)
    const [first, second] = lines.map((line) => JSON.parse(line))
    const { steps: _, traceId: __, code: ___, at, ...told } = finished
    expect(first).toMatchObject({ ...told, durationMs: 1.235, level: 30, time: at, msg: 'request' })
    expect(second).toMatchObject({ code: 'rate_limited', traceId: '4bf92f3577b34da6a3ce929d0e0e4736', status: 429 })
    expect(lines.every((line) => line.indexOf('\n') === line.length - 1)).toBe(true)
  })

  it('can not be broken or forged by what a client sends', async () => {
    const sent = fc.string({
      unit: fc.constantFrom('a', '"', '\\', '\n', '\r', '\u2028', '\0', 'é', '\ud800', '{', '}'),
    })
    await fc.assert(
      fc.asyncProperty(sent, sent, async (path, userAgent) => {
        const { request, lines } = await logTo('json')
        request({ ...finished, path, userAgent })
        expect(lines).toHaveLength(1)
        expect(lines[0]?.indexOf('\n')).toBe((lines[0]?.length ?? 0) - 1)
        expect(JSON.parse(lines[0] ?? '')).toMatchObject({ path, userAgent, status: 200 })
      }),
    )
  })

  it('loses a key in its path or user agent', async () => {
    const { request, text } = await logTo('json')
    request({ ...finished, path: `/api/v1/${KEY}`, userAgent: `${KEY} ${KEY}` })
    expect(text()).toContain('/api/v1/[scrubbed]')
    expect(text()).not.toContain(KEY)
  })

  it('is not written when only more important lines are', async () => {
    const { request, log, lines } = await logTo('json', { level: 'warn' })
    request(finished)
    log.info('nor this')
    expect(lines).toEqual([])
    log.warn('but this')
    expect(lines).toHaveLength(1)
  })
})

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
    await fc.assert(
      fc.asyncProperty(key, place, path, text, text, async (secret, where, deep, before, after) => {
        const { log, text: written } = await logTo('json')
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
          const { log, text: written } = await logTo('json')
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
    const { log, text: written } = await logTo('json')
    log.error({ err: new Error(sentence), deep: [{ sentence }] }, sentence)
    expect(written()).not.toContain(SECRET)
    expect(written()).toContain('[scrubbed]')
  })

  it.each(['123456', 123_456, '12345678', 'abcd-efgh-2345'])('never show the code %s of a login', async (code) => {
    const { log, text: written } = await logTo('json')
    log.info({ body: { code, totp_code: code } })
    expect(written()).not.toContain(String(code))
  })

  it('leave what is none', async () => {
    const { log, lines } = await logTo('json')
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
    ['auto', true, false],
    ['auto', false, true],
    ['json', true, true],
    ['pretty', false, false],
  ] as const)('%s, on a terminal: %s, is JSON: %s', async (format, isTerminal, isJson) => {
    const { log, request, lines } = await logTo(format, { isTerminal })
    log.warn({ requestId: 'req-1', password: 'hunter2' }, 'look here')
    request(finished)
    expect(lines[0]?.startsWith('{')).toBe(isJson)
    expect(lines[1]?.startsWith('{')).toBe(isJson)
    expect(lines[0]).toContain('look here')
    expect(lines[1]).toContain('req-0123456789')
    expect(lines[0]).not.toContain('hunter2')
  })
})

describe('the end of the process', () => {
  it('hands over a fatal line at once', async () => {
    const { log, flushes } = await logTo('json')
    log.error('may wait')
    expect(flushes()).toBe(0)
    log.fatal('may not')
    expect(flushes()).toBe(1)
  })

  it.each([
    ['process.exit(3)', 3],
    ['setImmediate(() => { throw new Error("unexpected") })', 1],
  ])('loses no line written before %s', (end, status) => {
    const script =
      `import { createLog } from ${JSON.stringify(join(import.meta.dirname, 'logging.ts'))}\n` +
      `const { log } = await createLog({ logLevel: 'info', logFormat: 'json' })\n` +
      `for (let line = 1; line <= 1000; line += 1) log.info({ line }, 'one of many')\n${end}\n`
    const run = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
    expect(run.status).toBe(status)
    const lines = run.stdout.trim().split('\n')
    expect(lines.map((line) => JSON.parse(line).line)).toEqual(Array.from({ length: 1000 }, (_, index) => index + 1))
  })

  it('keeps up with many requests in each turn of the loop', () => {
    const script =
      `import { createLog } from ${JSON.stringify(join(import.meta.dirname, 'logging.ts'))}\n` +
      `const { log, lost } = await createLog({ logLevel: 'info', logFormat: 'json' })\n` +
      `for (let turn = 0; turn < 40; turn += 1) {\n` +
      `  for (let line = 0; line < 250; line += 1) log.info({ filler: 'x'.repeat(300) }, 'one of many')\n` +
      `  await new Promise((resolve) => setTimeout(resolve, 1))\n` +
      `}\nlog.info({ lost: lost() })\n`
    const run = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
      maxBuffer: 16_777_216,
    })
    const lines = run.stdout.trim().split('\n')
    expect(lines).toHaveLength(40 * 250 + 1)
    expect(JSON.parse(lines.at(-1) ?? '').lost).toBe(0)
  })
})
