import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Platform, type Settings, until } from './platform.ts'
import { NODE, ROOT, ServerProcess } from './server-process.ts'

/** Every setting of .env.example does what it says there. */

interface Elsewhere {
  /** Test that proves the effect, on the room that has it. */
  readonly file: string
  /** What that test must mention. */
  readonly mentions: string
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const ELSEWHERE = 'https://charts.example.com'
const TOKEN = 'a-token-for-metrics'

/** Two instances for what can be seen without changing anything for other proofs. */
const ONE: Settings = {
  PUBLIC_URL: 'https://trade.example.com',
  TRUSTED_PROXIES: '10.0.0.0/8',
  CLIENT_ADDRESS_HEADER: 'CF-Connecting-IP',
  SMTP_URL: 'smtp://127.0.0.1:1',
  SMTP_FROM: 'Sauda <sauda@example.com>',
  CORS_ALLOWED_ORIGINS: ELSEWHERE,
  CORS_ALLOW_CREDENTIALS: 'on',
  CORS_MAX_AGE_SECONDS: '77',
  SERVER_TIMING: 'on',
  METRICS_TOKEN: TOKEN,
  HEALTH_MEMORY_WARN_MIB: '1',
  HEALTH_LOOP_DELAY_WARN_MS: '1',
  HEALTH_DISK_FREE_WARN_MIB: '100000000',
  TRAFFIC_ROWS_MAX: '1000',
  CANDLE_DOWNLOAD_RATE_LIMIT: '2 per second',
  CANDLE_STORE_MEMORY_MIB: '64',
  BODY_LIMIT_KIB: '4',
  PAPER_CAPITAL: '87654321.09',
  EQUITY_MIS_LEVERAGE: '2',
  FUTURES_LEVERAGE: '2',
  OPTION_BUY_LEVERAGE: '2',
  OPTION_SELL_LEVERAGE: '2',
  OPTION_SELL_MARGIN: 'premium',
  BROKERAGE_PER_ORDER: '7',
  BROKERAGE_PERCENT: '0.25',
}
/** Each leverage is four times the other's. */
const OTHER: Settings = {
  TRUSTED_PROXIES: '10.0.0.0/8',
  CORS_ALLOWED_ORIGINS: `${ELSEWHERE}, https://other.example`,
  HEALTH_MEMORY_WARN_MIB: '100000',
  HEALTH_LOOP_DELAY_WARN_MS: '1000000',
  HEALTH_DISK_FREE_WARN_MIB: '1',
  EQUITY_MIS_LEVERAGE: '8',
  FUTURES_LEVERAGE: '8',
  OPTION_BUY_LEVERAGE: '8',
  OPTION_SELL_LEVERAGE: '8',
  OPTION_SELL_MARGIN: 'premium',
}
let one: Platform
let other: Platform
const capitals: unknown[] = []
beforeAll(async () => {
  one = await Platform.open(ONE)
  other = await Platform.open(OTHER)
  for (const platform of [one, other]) capitals.push((await platform.ask('funds', {})).at('data', 'availablecash'))
})
afterAll(async () => {
  await one.close()
  await other.close()
})

/** The same, asked of both. */
const both = async <T>(ask: (platform: Platform) => Promise<T>): Promise<readonly [T, T]> => [
  await ask(one),
  await ask(other),
]

/** They show the same market, as long as their clocks agree. */
const advanceBoth = (ms: number): void => {
  for (const { clock } of [one, other]) clock.advance(ms)
}

/** Statuses of a request that is sent again and again. */
async function statuses(count: number, send: () => Promise<{ readonly status: number }>): Promise<readonly number[]> {
  const found: number[] = []
  for (let index = 0; index < count; index += 1) found.push((await send()).status)
  return found
}

const limitsThe = (name: string, send: (platform: Platform) => Promise<{ readonly status: number }>) => () =>
  Platform.with({ [name]: '2 per hour' }, async (platform) => {
    const found = await statuses(3, () => send(platform))
    expect([found[0] !== 429, found[1] !== 429, found[2]]).toEqual([true, true, 429])
    platform.clock.advance(HOUR_MS + 1)
    expect((await send(platform)).status).not.toBe(429)
  })

/** Address in the traffic log of a request that 10.0.0.1 passed on. */
const loggedAddress = (headers: Record<string, string>) => async (platform: Platform) => {
  const id = String((await platform.ask('ping', {}, { headers, from: '10.0.0.1' })).headers['x-request-id'])
  return (await platform.ask(`traffic?request_id=${id}`)).at('data', 0, 'address')
}

const preflight =
  (name: string, origin = ELSEWHERE) =>
  async (platform: Platform) => {
    const headers = { origin, 'access-control-request-method': 'POST' }
    return (await platform.send('/api/v1/ping', { method: 'OPTIONS', headers })).headers[name]
  }

/** After how many misdeeds an address is banned; 0 when it isn't after ten. */
const bannedAfter = (settings: Settings, misdeed: Misdeed, pauseMs = 0) =>
  Platform.with({ AUTO_BAN: 'on', ...settings }, async (platform) => {
    for (let count = 1; count <= 10; count += 1) {
      await misdeed(platform)
      if ((await platform.ask('ping', {}, { from: BAD })).at('code') === 'address_banned') return count
      platform.clock.advance(pauseMs)
    }
    return 0
  })

type Misdeed = (platform: Platform) => Promise<unknown>
const BAD = '203.0.113.66'
const looksForNothing: Misdeed = (platform) => platform.send('/api/v1/nowhere', { from: BAD })

const bans = (name: string, misdeed: Misdeed) => async () => {
  const wrapped: Misdeed = (platform) => misdeed(platform)
  expect(await bannedAfter({ [name]: '3' }, wrapped)).toBe(3)
  expect(await bannedAfter({ [name]: '5' }, wrapped)).toBe(5)
}

/** Rupees that an order blocks. */
const blockedBy = (order: object) => async (platform: Platform) => {
  const before = await platform.blocked()
  expect(await platform.order(order)).toMatchObject({ status: 200 })
  return (await platform.blocked()) - before
}

/** Rupees of brokerage on an intraday order of that value. */
const brokerageOf = (price: number) => async (platform: Platform) => {
  const order = {
    exchange: 'NSE',
    symbol: 'SBIN',
    action: 'BUY',
    quantity: 1,
    product: 'MIS',
    pricetype: 'LIMIT',
    price,
  }
  return (await platform.ask('charges', { positions: [order] })).at('data', 'brokerage')
}

/** Paise that buying and selling cost: as `charges` tells, as the trades say, and as they are missing in the profit. */
async function roundTrip(platform: Platform) {
  const paise = (rupees: unknown): number => Math.round(Number(rupees) * 100)
  const rows = async (name: string, body: object, ...path: string[]) =>
    (await platform.ask(name, body)).at(...path) as readonly Record<string, unknown>[]
  const profit = async () => paise((await platform.ask('funds', {})).at('data', 'total_realized_pnl'))
  const before = await profit()
  let gained = 0
  let told = 0
  let booked: number | undefined
  for (const action of ['BUY', 'SELL']) {
    const after = (await platform.ask('orderevents', {})).at('after')
    const orderid = (await platform.order({ action, quantity: 40, strategy: 'round trip' })).at('orderid')
    const trade = (await platform.ask('tradebook', {})).at('data', 0) as Record<string, number>
    expect(trade).toMatchObject({ orderid, quantity: 40 })
    const event = (await rows('orderevents', { after }, 'data')).find(({ type }) => type === 'trade')
    expect(event?.['data']).toEqual(trade)
    const chapter = (await rows('orderstory', { orderid }, 'data', 'events')).find(({ event }) => event === 'traded')
    expect(chapter?.['charges']).toBe(trade['charges'])
    const order = { exchange: 'NSE', symbol: 'SBIN', action, quantity: 40, product: 'MIS' }
    const positions = [{ ...order, pricetype: 'LIMIT', price: trade['price'] }]
    told += paise((await platform.ask('charges', { positions })).at('data', 'total_charges'))
    if (trade['charges'] !== undefined) booked = (booked ?? 0) + paise(trade['charges'])
    gained += paise(trade['trade_value']) * (action === 'SELL' ? 1 : -1)
  }
  const after = await profit()
  const [own] = await rows('strategybook', { strategy_filter: 'round trip' }, 'data', 'strategies')
  expect(paise(own?.['today_realized_pnl'])).toBe(after - before)
  return { told, booked, lost: gained - (after - before) }
}

const leverages = (order: object) => async () => {
  const [half, eighth] = await both(blockedBy(order))
  expect(eighth).toBeGreaterThan(0)
  expect(half / eighth).toBeCloseTo(4, 2)
}

const NIFTY_FUT = { exchange: 'NFO', symbol: 'NIFTY29DEC26FUT', quantity: 65, product: 'NRML' }
const NIFTY_CALL = { exchange: 'NFO', symbol: 'NIFTY01DEC2625100CE', quantity: 65, product: 'NRML' }
const OTHER_CALL = { ...NIFTY_CALL, symbol: 'NIFTY01DEC2625150CE', action: 'SELL' }

/** Intraday positions end at the minute that is set, not before. */
const squaresOff = (name: string, at: string, order: object) => () =>
  Platform.with({ [name]: at, MARKET_HOURS: 'exchange' }, async (platform) => {
    expect((await platform.order(order)).status).toBe(200)
    const open = async () => {
      const positions = (await platform.ask('positionbook', {})).at('data') as readonly { quantity: number }[]
      return positions.some(({ quantity }) => quantity !== 0)
    }
    const instant = Temporal.Instant.from(`2026-11-25T${at}:00+05:30`).epochMilliseconds
    platform.clock.moveTo(instant - 1_000)
    expect(await open()).toBe(true)
    platform.clock.moveTo(instant)
    expect(await until(async () => !(await open()))).toBe(true)
  })

const warnsOf = (check: string) => async () => {
  await sleep(50)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100) // for the delay of the event loop
  await sleep(50)
  const states = await both(async (platform) => {
    const checks = (await platform.ask('health')).at('data', 'checks') as readonly { name: string; state: string }[]
    return checks.find(({ name }) => name === check)?.state
  })
  expect(states).toEqual(['warn', 'pass'])
}

/** After a day and a half the rows of one log are gone, and those of another, which is kept for two days, are not. */
const forgets = (log: string, kept: string, settings: Settings) => () =>
  Platform.with(settings, async (platform) => {
    await platform.order({ quantity: 1 })
    const orderedAt = platform.clock.now()
    const isThere = (name: string) => async () =>
      ((await platform.ask(name)).at('data') as readonly { at: number }[]).some(({ at }) => at <= orderedAt)
    expect([await until(isThere(log)), await until(isThere(kept))]).toEqual([true, true])
    platform.clock.advance(1.5 * DAY_MS)
    const isGone = async () => {
      platform.clock.advance(MINUTE_MS)
      return !(await isThere(log)())
    }
    expect(await until(isGone)).toBe(true)
    expect(await isThere(kept)()).toBe(true)
  })

async function output(settings: Settings): Promise<{ readonly lines: readonly string[]; readonly address: string }> {
  const server = await ServerProcess.start(settings)
  try {
    await fetch(`${server.address}/api/v1/ping`, { method: 'POST', body: '{}' })
    await server.stop()
    return { lines: server.output.split('\n').filter((line) => line !== ''), address: server.address }
  } finally {
    await server.remove()
  }
}

const isJson = (line: string): boolean => line.startsWith('{')

const PROOFS: Readonly<Record<string, (() => Promise<unknown>) | Elsewhere>> = {
  HOST: async () => {
    expect((await output({ HOST: '127.0.0.2' })).address).toMatch(/^http:\/\/127\.0\.0\.2:\d+$/)
    // Every address of the machine: the links that are shown lead to one of them
    expect((await output({ HOST: '0.0.0.0' })).address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    // One server, with all that guards it, and no second one for the other address of the name
    const named = await ServerProcess.start({ HOST: 'localhost' })
    try {
      expect(named.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
      await expect(fetch(`http://[::1]:${named.port}/healthz`)).rejects.toThrow()
    } finally {
      await named.remove()
    }
  },
  PORT: { file: 'test/lifecycle.test.ts', mentions: 'PORT: String(server.port)' },
  DATA_DIR: () =>
    Platform.with({}, async ({ dataDir }) => {
      for (const file of ['money.db', 'record.db', 'telemetry.db']) expect(existsSync(join(dataDir, file))).toBe(true)
    }),
  LOG_LEVEL: async () => {
    expect((await output({ LOG_LEVEL: 'debug', LOG_FORMAT: 'json' })).lines.some(isJson)).toBe(true)
    expect((await output({ LOG_LEVEL: 'silent', LOG_FORMAT: 'json' })).lines.some(isJson)).toBe(false)
  },
  LOG_FORMAT: async () => {
    const { lines } = await output({ LOG_LEVEL: 'debug', LOG_FORMAT: 'pretty' })
    expect(lines.some((line) => line.includes('/api/v1/ping') || line.includes('SIGTERM'))).toBe(true)
    expect(lines.some(isJson)).toBe(false)
  },
  PUBLIC_URL: async () => {
    const [https, http] = await both((platform) => platform.setUp())
    expect(https).toMatch(/^__Host-sauda_session=.*; Secure/)
    expect(http).toMatch(/^sauda_session=(?!.*Secure)/)
  },
  TRUSTED_PROXIES: async () => {
    const found = loggedAddress({ 'x-forwarded-for': '203.0.113.5' })
    expect([await found(other), await Platform.with({}, found)]).toEqual(['203.0.113.5', '10.0.0.1'])
  },
  CLIENT_ADDRESS_HEADER: async () => {
    const found = loggedAddress({ 'x-forwarded-for': '203.0.113.5', 'cf-connecting-ip': '203.0.113.6' })
    expect(await both(found)).toEqual(['203.0.113.6', '203.0.113.5'])
    const ofOthers = { CLIENT_ADDRESS_HEADER: 'CF-Connecting-IP', TRUSTED_PROXIES: '192.0.2.1' }
    expect(await Platform.with(ofOthers, found)).toBe('10.0.0.1')
  },
  SESSION_IDLE_MINUTES: () =>
    Platform.with({ SESSION_IDLE_MINUTES: '10' }, async (platform) => {
      const cookie = await platform.setUp()
      for (const [minutes, expected] of [
        [9, true],
        [9, true],
        [11, false],
      ] as const) {
        platform.clock.advance(minutes * MINUTE_MS)
        expect(await platform.isSignedIn(cookie)).toBe(expected)
      }
    }),
  SESSION_ABSOLUTE_HOURS: () =>
    Platform.with({ SESSION_ABSOLUTE_HOURS: '3' }, async (platform) => {
      const cookie = await platform.setUp()
      const found: boolean[] = []
      for (let hour = 0; hour < 3; hour += 1) {
        platform.clock.advance(HOUR_MS - 1)
        found.push(await platform.isSignedIn(cookie))
        platform.clock.advance(1)
      }
      expect([...found, await platform.isSignedIn(cookie)]).toEqual([true, true, true, false])
    }),
  SMTP_URL: async () => {
    const canMail = async (platform: Platform) => (await platform.ask('auth/status')).at('data', 'mail_reset')
    expect(await both(canMail)).toEqual([true, false])
  },
  SMTP_FROM: { file: 'server/src/api/v1/auth.test.ts', mentions: 'SMTP_FROM' },
  RATE_LIMIT_ALGORITHM: async () => {
    // One at the begin of a window and one near its end, two in the next one's first seconds, two a little later
    const allowed = (algorithm: string) =>
      Platform.with({ RATE_LIMIT_ALGORITHM: algorithm, API_RATE_LIMIT: '2 per minute' }, async (platform) => {
        const found: number[] = []
        for (const [pauseMs, count] of [
          [0, 1],
          [50_000, 1],
          [15_000, 2],
          [20_000, 2],
        ] as const) {
          platform.clock.advance(pauseMs)
          const answers = await statuses(count, () => platform.ask('ping', {}))
          found.push(answers.filter((status) => status === 200).length)
        }
        return found
      })
    expect(await allowed('fixed-window')).toEqual([1, 1, 2, 0])
    expect(await allowed('sliding-window')).toEqual([1, 1, 1, 0])
    expect(await allowed('token-bucket')).toEqual([1, 1, 1, 1])
  },
  ADDRESS_RATE_LIMIT: limitsThe('ADDRESS_RATE_LIMIT', (platform) => platform.send('/api/v1/nowhere')),
  API_RATE_LIMIT: limitsThe('API_RATE_LIMIT', (platform) => platform.ask('ping', {})),
  HEAVY_RATE_LIMIT: limitsThe('HEAVY_RATE_LIMIT', (platform) => platform.ask('traffic/export')),
  ORDER_RATE_LIMIT: limitsThe('ORDER_RATE_LIMIT', (platform) => platform.order({ quantity: 1 })),
  SMART_ORDER_RATE_LIMIT: { file: 'server/src/api/middleware/rate-limits.test.ts', mentions: 'smartOrderRateLimit' },
  LOGIN_RATE_LIMIT: limitsThe('LOGIN_RATE_LIMIT', (platform) =>
    platform.send('/api/v1/auth/login', { body: { name: 'nobody', password: 'a wrong phrase' } }),
  ),
  RESET_RATE_LIMIT: limitsThe('RESET_RATE_LIMIT', (platform) =>
    platform.send('/api/v1/auth/password/forgot', { body: { name: 'nobody' } }),
  ),
  CORS_ALLOWED_ORIGINS: async () => {
    const allowed = 'access-control-allow-origin'
    expect(await both(preflight(allowed))).toEqual([ELSEWHERE, ELSEWHERE])
    const second = 'https://other.example'
    expect(await both(preflight(allowed, second))).toEqual([undefined, second])
  },
  CORS_ALLOW_CREDENTIALS: async () =>
    expect(await both(preflight('access-control-allow-credentials'))).toEqual(['true', undefined]),
  CORS_MAX_AGE_SECONDS: async () => expect(await both(preflight('access-control-max-age'))).toEqual(['77', '600']),
  AUTO_BAN: async () => {
    expect(await bannedAfter({ AUTO_BAN: 'off', BAN_404_THRESHOLD: '3' }, looksForNothing)).toBe(0)
    expect(await bannedAfter({ AUTO_BAN: 'on', BAN_404_THRESHOLD: '3' }, looksForNothing)).toBe(3)
  },
  BAN_WINDOW_MINUTES: async () => {
    const after = (minutes: string) =>
      bannedAfter({ BAN_404_THRESHOLD: '3', BAN_WINDOW_MINUTES: minutes }, looksForNothing, 10 * MINUTE_MS)
    expect([await after('5'), await after('30')]).toEqual([0, 3])
  },
  BAN_404_THRESHOLD: bans('BAN_404_THRESHOLD', looksForNothing),
  BAN_KEY_THRESHOLD: bans('BAN_KEY_THRESHOLD', (platform) =>
    platform.send('/api/v1/ping', { body: { apikey: 'unknown' }, from: BAD }),
  ),
  BAN_LOGIN_THRESHOLD: bans('BAN_LOGIN_THRESHOLD', async (platform) => {
    const body = { name: 'nobody', password: 'a wrong phrase' }
    await platform.send('/api/v1/auth/login', { body, from: BAD })
    platform.clock.advance(5 * MINUTE_MS) // else the next try is locked, and no failed login
  }),
  BAN_HOURS: () =>
    Platform.with({ AUTO_BAN: 'on', BAN_404_THRESHOLD: '1', BAN_HOURS: '2' }, async (platform) => {
      await looksForNothing(platform)
      const answered = async () => (await platform.ask('ping', {}, { from: BAD })).status
      expect(await answered()).toBe(403)
      platform.clock.advance(2 * HOUR_MS - 1)
      expect(await answered()).toBe(403)
      platform.clock.advance(1)
      expect(await answered()).toBe(200)
    }),
  APPROVAL_EXPIRY_MINUTES: () =>
    Platform.with({ APPROVAL_EXPIRY_MINUTES: '7' }, async (platform) => {
      const cookie = (await platform.setUp()).split(';', 1).join()
      const headers = { cookie }
      const mode = { account: 'default', mode: 'semi_auto' }
      expect((await platform.send('/api/v1/accounts/order-mode', { headers, body: mode })).status).toBe(200)
      await platform.order({ quantity: 1 })
      const state = async () => (await platform.send('/api/v1/approvals', { headers })).at('data', 0, 'status')
      expect(await state()).toBe('pending')
      platform.clock.advance(7 * MINUTE_MS - 1_000)
      expect(await state()).toBe('pending')
      const isOver = async () => {
        platform.clock.advance(1_000)
        return (await state()) !== 'pending'
      }
      expect(await until(isOver)).toBe(true)
    }),
  SERVER_TIMING: async () => {
    const timings = await both(async (platform) => (await platform.ask('ping', {})).headers['server-timing'])
    expect(timings).toEqual([expect.stringMatching(/dur=/), undefined])
  },
  METRICS_TOKEN: async () => {
    const read = (headers: Record<string, string>, from: string) => async (platform: Platform) =>
      (await platform.send('/metrics', { headers, from })).status
    expect(await both(read({}, BAD))).toEqual([401, 403])
    expect(await both(read({}, '127.0.0.1'))).toEqual([401, 200])
    expect(await both(read({ authorization: `Bearer ${TOKEN}` }, BAD))).toEqual([200, 403])
  },
  HEALTH_INTERVAL_SECONDS: () =>
    Platform.with({ HEALTH_INTERVAL_SECONDS: '100', HEALTH_MEMORY_WARN_MIB: '1' }, async (platform) => {
      const alerts = async () => (await platform.ask('health')).at('data', 'alerts')
      platform.clock.advance(99_000)
      expect(await alerts()).toEqual([])
      platform.clock.advance(1_000)
      expect(await alerts()).toContainEqual(expect.objectContaining({ name: 'memory' }))
    }),
  HEALTH_MEMORY_WARN_MIB: warnsOf('memory'),
  HEALTH_LOOP_DELAY_WARN_MS: warnsOf('event_loop_delay'),
  HEALTH_DISK_FREE_WARN_MIB: warnsOf('disk_free'),
  TRAFFIC_RETENTION_DAYS: forgets('traffic', 'logs/orders', {
    TRAFFIC_RETENTION_DAYS: '1',
    ORDER_LOG_RETENTION_DAYS: '2',
  }),
  TRAFFIC_ROWS_MAX: async () => {
    const ping = (id: string) => one.ask('ping', {}, { headers: { 'x-request-id': id } })
    const isKept = async (id: string) => (await one.ask(`traffic?request_id=${id}`)).at('data', 0) !== undefined
    await ping('first-of-many')
    expect(await isKept('first-of-many')).toBe(true)
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => ping(`one-of-many-${index}`)))
    expect(await isKept('first-of-many')).toBe(false)
    expect(await isKept('one-of-many-500')).toBe(true)
  },
  ORDER_LOG_RETENTION_DAYS: forgets('logs/orders', 'traffic', {
    ORDER_LOG_RETENTION_DAYS: '1',
    TRAFFIC_RETENTION_DAYS: '2',
  }),
  ORDER_EVENT_RETENTION_DAYS: { file: 'server/src/trading/order-events.test.ts', mentions: 'retentionMs' },
  MARKET_HOURS: async () => {
    const onSunday = (hours: string) =>
      Platform.with(
        { MARKET_HOURS: hours },
        async (platform) => (await platform.order({})).status,
        '2026-11-22T11:00:00+05:30',
      )
    expect([await onSunday('always'), await onSunday('exchange')]).toEqual([200, 400])
  },
  SIMULATOR_SEED: async () => {
    const price = (seed: string) =>
      Platform.with({ SIMULATOR_SEED: seed }, async (platform) =>
        (await platform.ask('quotes', { symbol: 'SBIN', exchange: 'NSE' })).at('data', 'ltp'),
      )
    const [first, again, other] = [await price('7'), await price('7'), await price('8')]
    expect(again).toBe(first)
    expect(other).not.toBe(first)
  },
  SIMULATOR_SCENARIO: async () => {
    const hasCrashed = (scenario: string) =>
      Platform.with(
        { SIMULATOR_SCENARIO: scenario },
        async (platform) => {
          const quote = await platform.ask('quotes', { symbol: 'NIFTY', exchange: 'NSE_INDEX' })
          return Number(quote.at('data', 'low')) < 0.9 * Number(quote.at('data', 'prev_close'))
        },
        '2026-11-23T14:00:00+05:30',
      )
    expect([await hasCrashed('ordinary'), await hasCrashed('crash')]).toEqual([false, true])
  },
  CANDLE_DOWNLOAD_RATE_LIMIT: async () => {
    const symbols = ['SBIN', 'INFY', 'TCS'].map((symbol) => ({ symbol, exchange: 'NSE' }))
    const wanted = { symbols, interval: '1m', start_date: '2026-11-23', end_date: '2026-11-23' }
    const job = (await one.ask('history/jobs/start', wanted)).at('data', 'job')
    const is = async (state: string, requests: number) => {
      const answer = await one.ask(`history/jobs?job=${job}`)
      return answer.at('data', 0, 'state') === state && answer.at('data', 0, 'requests') === requests
    }
    expect(await until(() => is('running', 2))).toBe(true)
    await sleep(100)
    expect(await is('running', 2)).toBe(true)
    advanceBoth(1_000)
    expect(await until(() => is('completed', 3))).toBe(true)
  },
  CANDLE_STORE_MEMORY_MIB: async () => {
    // Some kilobytes that take 80 MB to read
    const folder = join(one.dataDir, 'import')
    mkdirSync(folder, { recursive: true })
    const { DuckDBInstance } = await import('@duckdb/node-api')
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    const path = join(folder, 'large.parquet')
    await connection.run(`COPY (SELECT repeat('x', 80000000) AS timestamp) TO '${path}' (COMPRESSION zstd)`)
    connection.closeSync()
    instance.closeSync()
    const refused = await one.ask('history/import', {
      file: 'large.parquet',
      symbol: 'X',
      exchange: 'NSE',
      interval: 'D',
    })
    expect(refused.text).toMatch(/"code":"file_unreadable".*64\.0 MiB/)
  },
  BODY_LIMIT_KIB: async () => {
    const send = (length: number) => async (platform: Platform) =>
      (await platform.ask('ping', { x: 'x'.repeat(length) })).at('code')
    expect(await both(send(4_000))).toEqual(['validation_failed', 'validation_failed'])
    expect(await both(send(5_000))).toEqual(['body_too_large', 'validation_failed'])
  },
  PAPER_CAPITAL: async () => expect(capitals).toEqual([87_654_321.09, 10_000_000]),
  PAPER_EXCHANGE_RULES: { file: 'server/src/app-risk.test.ts', mentions: "PAPER_EXCHANGE_RULES: 'on'" },
  PAPER_MARGIN: async () => {
    // A scan range of 9.3 % and 2 % on top
    const scanned = await Platform.with({ ...OTHER, PAPER_MARGIN: 'portfolio' }, blockedBy(NIFTY_FUT))
    const eighth = await Platform.with({ ...OTHER, PAPER_MARGIN: 'simple' }, blockedBy(NIFTY_FUT))
    expect((scanned ?? 0) / (eighth ?? 1)).toBeCloseTo(0.113 * 8, 1)
  },
  PAPER_CHARGES: async () => {
    const costs = await Platform.with({ PAPER_CHARGES: 'on' }, roundTrip)
    expect(costs.told).toBeGreaterThan(0)
    expect(costs).toMatchObject({ booked: costs.told, lost: costs.told })
    expect(await roundTrip(other)).toMatchObject({ booked: undefined, lost: 0 })
  },
  EQUITY_MIS_LEVERAGE: leverages({}),
  FUTURES_LEVERAGE: leverages(NIFTY_FUT),
  OPTION_BUY_LEVERAGE: leverages(NIFTY_CALL),
  OPTION_SELL_LEVERAGE: leverages(OTHER_CALL),
  OPTION_SELL_MARGIN: async () => {
    // A call so deep in the money that its premium is more than the margin of the future
    const settings = { ...OTHER, OPTION_SELL_MARGIN: 'futures' }
    const [future, call] = await Platform.with(settings, async (platform) => [
      await blockedBy(NIFTY_FUT)(platform),
      await blockedBy(OTHER_CALL)(platform),
    ])
    expect((call ?? 0) / (future ?? 0)).toBeCloseTo(1, 1)
    expect((await Platform.with(OTHER, blockedBy(OTHER_CALL))) / (call ?? 0)).not.toBeCloseTo(1, 1)
  },
  BROKERAGE_PER_ORDER: async () => expect(await both(brokerageOf(1_000_000))).toEqual([7, 20]),
  BROKERAGE_PERCENT: async () => expect(await both(brokerageOf(1_000))).toEqual([2.5, 0.3]),
  NSE_BSE_SQUARE_OFF_TIME: squaresOff('NSE_BSE_SQUARE_OFF_TIME', '14:00', {}),
  CDS_BCD_SQUARE_OFF_TIME: squaresOff('CDS_BCD_SQUARE_OFF_TIME', '15:00', {
    exchange: 'CDS',
    symbol: 'USDINR27AUG27FUT',
    quantity: 1000,
  }),
  MCX_SQUARE_OFF_TIME: squaresOff('MCX_SQUARE_OFF_TIME', '20:00', {
    exchange: 'MCX',
    symbol: 'GOLD05FEB27FUT',
    quantity: 100,
  }),
  NCDEX_SQUARE_OFF_TIME: squaresOff('NCDEX_SQUARE_OFF_TIME', '16:00', {
    exchange: 'NCDEX',
    symbol: 'CASTOR18DEC26FUT',
    quantity: 50,
  }),
  CRYPTO_SQUARE_OFF_TIME: squaresOff('CRYPTO_SQUARE_OFF_TIME', '18:00', {
    exchange: 'CRYPTO',
    symbol: 'BTCUSDFUT',
    quantity: 1,
  }),
  SESSION_EXPIRY_TIME: () =>
    Platform.with({ SESSION_EXPIRY_TIME: '05:00', MARKET_HOURS: 'exchange' }, async (platform) => {
      await platform.order({ quantity: 1, product: 'CNC' })
      const orders = async () =>
        ((await platform.ask('orderbook', {})).at('data', 'orders') as readonly unknown[]).length
      platform.clock.moveTo(Temporal.Instant.from('2026-11-26T04:59:59+05:30').epochMilliseconds)
      expect(await orders()).toBe(1)
      platform.clock.moveTo(Temporal.Instant.from('2026-11-26T05:00:00+05:30').epochMilliseconds)
      expect(await until(async () => (await orders()) === 0)).toBe(true)
    }),
}

const EXAMPLE = readFileSync(join(ROOT, '.env.example'), 'utf8')
const NAMES = Array.from(EXAMPLE.matchAll(/^# ([A-Z][A-Z0-9_]*)=/gm), ([, name = '']) => name)

test('each setting has a proof here, and each proof a setting', () => {
  expect(NAMES.length).toBeGreaterThan(50)
  expect(Object.keys(PROOFS).sort()).toEqual([...NAMES].sort())
})

describe('does what it says:', () => {
  test.each(NAMES)('%s', async (name) => {
    const proof = PROOFS[name]
    if (typeof proof === 'function') await proof()
    else expect(readFileSync(join(ROOT, proof?.file ?? ''), 'utf8')).toContain(proof?.mentions)
  })
})

describe('a start', () => {
  /** What a start writes before it ends with 1. */
  function refusal(settings: Settings): string {
    try {
      execFileSync(NODE, [join(ROOT, 'server/src/main.ts'), 'serve'], {
        cwd: import.meta.dirname,
        env: { ...settings },
        stdio: 'pipe',
      })
    } catch (error) {
      const { status, stderr } = error as { status: number; stderr: Buffer }
      expect(status).toBe(1)
      return stderr.toString()
    }
    throw new Error('It started.')
  }

  test('stops at every wrong setting, and names each with what is allowed', () => {
    const anyText = ['DATA_DIR']
    const wrong = NAMES.filter((name) => !anyText.includes(name))
    const told = refusal(Object.fromEntries(wrong.map((name) => [name, '\u0001 nonsense /'])))
    for (const name of wrong) expect(told).toMatch(new RegExp(`^${name} is .*: it must be .`, 'm'))
    expect(told.trim().split('\n')).toHaveLength(wrong.length)
    expect(told).not.toContain('    at ')
  })

  test('stops at unknown settings, and says which was meant', () => {
    const told = refusal({ SAUDA_PROT: '5001', SAUDA_PORT: '5001' })
    expect(told).toMatch(/^SAUDA_PROT is no setting\. Did you mean PORT\?$/m)
    expect(told).toMatch(/^SAUDA_PORT is no setting\. Did you mean PORT\?$/m)
  })
})
