import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { changedSettings, envExample, loadConfig } from './config.ts'
import { moneyOf } from './kernel/fixed.ts'
import { StartRefused } from './kernel/start-refused.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sauda-config-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const DEFAULTS = {
  host: '127.0.0.1',
  port: 5000,
  logLevel: 'info',
  marketHours: 'always',
  simulatorSeed: 1,
  candleDownloadRateLimit: [{ count: 100, windowMs: 1_000 }],
  candleStoreMemoryMib: 256,
  simulatorScenario: 'ordinary',
  bodyLimitKib: 256,
  paperExchangeRules: 'off',
  paperCapital: moneyOf('10000000'),
  paperMargin: 'simple',
  paperCharges: 'off',
  equityMisLeverageHundredths: 500,
  futuresLeverageHundredths: 1000,
  optionBuyLeverageHundredths: 100,
  optionSellLeverageHundredths: 100,
  optionSellMargin: 'futures',
  brokeragePerOrder: moneyOf('20'),
  brokerageMillionths: 300,
  nseBseSquareOffMinute: 915,
  cdsBcdSquareOffMinute: 1005,
  publicUrl: '',
  clientAddressHeader: '',
  sessionIdleMinutes: 720,
  sessionAbsoluteHours: 168,
  smtpUrl: '',
  smtpFrom: '',
  autoBan: 'off',
  banWindowMinutes: 60,
  banNotFoundThreshold: 100,
  banKeyThreshold: 30,
  banLoginThreshold: 30,
  banHours: 1,
  rateLimitAlgorithm: 'sliding-window',
  addressRateLimit: [{ count: 200, windowMs: 1_000 }],
  apiRateLimit: [{ count: 50, windowMs: 1_000 }],
  heavyRateLimit: [{ count: 30, windowMs: 60_000 }],
  orderRateLimit: [{ count: 10, windowMs: 1_000 }],
  smartOrderRateLimit: [{ count: 10, windowMs: 1_000 }],
  loginRateLimit: [
    { count: 5, windowMs: 60_000 },
    { count: 25, windowMs: 3_600_000 },
  ],
  resetRateLimit: [{ count: 15, windowMs: 3_600_000 }],
  corsAllowedOrigins: [],
  corsAllowCredentials: 'off',
  corsMaxAgeSeconds: 600,
  approvalExpiryMinutes: 30,
  logFormat: 'auto',
  serverTiming: 'off',
  metricsToken: '',
  healthIntervalSeconds: 10,
  healthMemoryWarnMib: 1024,
  healthLoopDelayWarnMs: 1000,
  healthDiskFreeWarnMib: 1024,
  trafficRetentionDays: 30,
  trafficRowsMax: 1_000_000,
  orderLogRetentionDays: 365,
  orderEventRetentionDays: 30,
  mcxSquareOffMinute: 1410,
  ncdexSquareOffMinute: 1020,
  cryptoSquareOffMinute: 1439,
  sessionExpiryMinute: 180,
}

test('without any setting the defaults hold', () => {
  const { trustedProxies, ...config } = loadConfig({ PATH: '/bin' }, directory)
  expect(config).toEqual({ ...DEFAULTS, dataDir: join(directory, 'data') })
  expect(trustedProxies.isEmpty).toBe(true)
})

test('the configuration cannot be changed', () => {
  expect(Object.isFrozen(loadConfig({}, directory))).toBe(true)
})

test('.env sets what the environment does not, and an empty variable sets nothing', () => {
  writeFileSync(join(directory, '.env'), 'PORT=6000\nHOST=localhost # near\nLOG_LEVEL=\nDATA_DIR="my data"\n')
  const config = loadConfig({ PORT: '7000', HOST: '', LOG_LEVEL: ' ' }, directory)
  expect(config).toMatchObject({ port: 7000, host: 'localhost', logLevel: 'info', dataDir: join(directory, 'my data') })
})

test.each([
  ['PORT', '0', { port: 0 }],
  ['PORT', ' 65535 ', { port: 65535 }],
  ['HOST', '::1', { host: '::1' }],
  ['MARKET_HOURS', 'exchange', { marketHours: 'exchange' }],
  ['SIMULATOR_SCENARIO', 'feed-loss', { simulatorScenario: 'feed-loss' }],
  ['PAPER_CAPITAL', '0.01', { paperCapital: moneyOf('0.01') }],
  ['PAPER_CAPITAL', '1e6', { paperCapital: moneyOf('1000000') }],
  ['EQUITY_MIS_LEVERAGE', '2.25', { equityMisLeverageHundredths: 225 }],
  ['FUTURES_LEVERAGE', '50', { futuresLeverageHundredths: 5000 }],
  ['OPTION_SELL_MARGIN', 'premium', { optionSellMargin: 'premium' }],
  ['PAPER_MARGIN', 'portfolio', { paperMargin: 'portfolio' }],
  ['PAPER_CHARGES', 'on', { paperCharges: 'on' }],
  ['BROKERAGE_PER_ORDER', '0', { brokeragePerOrder: moneyOf('0') }],
  ['BROKERAGE_PERCENT', '0.0125', { brokerageMillionths: 125 }],
  ['MCX_SQUARE_OFF_TIME', '00:00', { mcxSquareOffMinute: 0 }],
  ['RATE_LIMIT_ALGORITHM', 'token-bucket', { rateLimitAlgorithm: 'token-bucket' }],
  ['API_RATE_LIMIT', '100/minute', { apiRateLimit: [{ count: 100, windowMs: 60_000 }] }],
  [
    'CORS_ALLOWED_ORIGINS',
    'https://a.example, http://b.example:81',
    { corsAllowedOrigins: ['https://a.example', 'http://b.example:81'] },
  ],
  ['CORS_ALLOW_CREDENTIALS', 'on', { corsAllowCredentials: 'on' }],
  ['CORS_MAX_AGE_SECONDS', '0', { corsMaxAgeSeconds: 0 }],
])('%s may be "%s"', (name, text, expected) => {
  expect(loadConfig({ [name]: text }, directory)).toMatchObject(expected)
})

test.each([
  ['HOST', 'http://here', 'a host name or an IP address'],
  ['PORT', '65536', 'a whole number from 0 to 65535'],
  ['PORT', '-1', 'a whole number from 0 to 65535'],
  ['PORT', '5e3', 'a whole number from 0 to 65535'],
  ['LOG_LEVEL', 'loud', 'one of trace, debug, info, warn, error, fatal, silent'],
  ['MARKET_HOURS', 'Always', 'one of always, exchange'],
  ['SIMULATOR_SEED', '1.5', 'a whole number from 0 to 4294967295'],
  ['SIMULATOR_SCENARIO', 'bad', 'one of ordinary, calm, trending, crash, gap, halted, feed-loss'],
  ['BODY_LIMIT_KIB', '0', 'a whole number from 1 to 16384'],
  ['PAPER_CAPITAL', '0', 'an amount from 0.01 to 1000000000000.00 with at most 2 decimals, without separators'],
  ['PAPER_CAPITAL', '1,000', 'an amount from 0.01 to 1000000000000.00 with at most 2 decimals, without separators'],
  ['PAPER_CAPITAL', '1.001', 'an amount from 0.01 to 1000000000000.00 with at most 2 decimals, without separators'],
  ['RATE_LIMIT_ALGORITHM', 'leaky-bucket', 'one of fixed-window, sliding-window, token-bucket'],
  ...['ADDRESS', 'API', 'HEAVY', 'ORDER', 'SMART_ORDER', 'LOGIN', 'RESET'].map((name): [string, string, string] => [
    `${name}_RATE_LIMIT`,
    'many per second',
    '1 to 4 limits such as 10 per second; 1000 per day, each for another time from 1 second to 31 days',
  ]),
  [
    'CORS_ALLOWED_ORIGINS',
    '*',
    'at most 32 origins, scheme://host or scheme://host:port without a path, with commas between them, or nothing',
  ],
  ['CORS_ALLOW_CREDENTIALS', 'true', 'one of off, on'],
  ['CORS_MAX_AGE_SECONDS', '86401', 'a whole number from 0 to 86400'],
  ['FUTURES_LEVERAGE', '0.99', 'a number from 1 to 50 with at most 2 decimals'],
  ['OPTION_BUY_LEVERAGE', '50.01', 'a number from 1 to 50 with at most 2 decimals'],
  ['OPTION_SELL_LEVERAGE', '5x', 'a number from 1 to 50 with at most 2 decimals'],
  ['OPTION_SELL_MARGIN', 'none', 'one of futures, premium'],
  ['PAPER_MARGIN', 'span', 'one of portfolio, simple'],
  ['PAPER_CHARGES', 'yes', 'one of off, on'],
  ['BROKERAGE_PER_ORDER', '-1', 'an amount from 0 to 100000.00 with at most 2 decimals, without separators'],
  ['BROKERAGE_PERCENT', '0.00001', 'a number from 0 to 100 with at most 4 decimals'],
  ['NSE_BSE_SQUARE_OFF_TIME', '3:15', 'a time of day from 00:00 to 23:59, in India'],
  ['SESSION_EXPIRY_TIME', '24:00', 'a time of day from 00:00 to 23:59, in India'],
])('%s may not be "%s", and the start says so', (name, text, allowed) => {
  expect(() => loadConfig({ [name]: text }, directory)).toThrow(
    new StartRefused(`${name} is "${text}": it must be ${allowed}.`),
  )
})

test('all wrong settings are named at once', () => {
  expect(() => loadConfig({ PORT: 'x', MARKET_HOURS: 'y' }, directory)).toThrow(/^PORT is "x".*\nMARKET_HOURS is "y"/)
})

test('an unknown setting is named, with what was meant, and stops the start', () => {
  const refusalOf = (lines: string, environment: Record<string, string> = {}) => {
    writeFileSync(join(directory, '.env'), lines)
    return () => loadConfig(environment, directory)
  }
  expect(refusalOf('PROT=1')).toThrow('PROT is no setting. Did you mean PORT?')
  expect(refusalOf('COLOUR=red')).toThrow(/^COLOUR is no setting. The settings are HOST, PORT, /)
  expect(refusalOf('', { SAUDA_PORT: '1' })).toThrow('SAUDA_PORT is no setting. Did you mean PORT?')
  expect(refusalOf('', { EDITOR: 'ed', PROT: '1' })).not.toThrow()
})

test('a secret setting is not repeated when it is wrong', () => {
  const url = 'http://user:hunter2@mail.example.com'
  expect(() => loadConfig({ SMTP_URL: url }, directory)).toThrow(/^SMTP_URL is not allowed: it must be an smtp/)
})

test('settings that contradict each other stop the start', () => {
  expect(() => loadConfig({ SMTP_URL: 'smtp://localhost' }, directory)).toThrow(/SMTP_URL needs SMTP_FROM/)
  expect(() => loadConfig({ CLIENT_ADDRESS_HEADER: 'CF-Connecting-IP' }, directory)).toThrow(
    /^CLIENT_ADDRESS_HEADER needs TRUSTED_PROXIES/,
  )
  const mail = { SMTP_URL: 'smtp://localhost', SMTP_FROM: 'sauda@example.com' }
  for (const HOST of ['0.0.0.0', '::'])
    expect(() => loadConfig({ ...mail, HOST }, directory)).toThrow(/^SMTP_URL needs PUBLIC_URL while HOST is/)
  for (const more of [{}, { HOST: '192.0.2.1' }, { HOST: '0.0.0.0', PUBLIC_URL: 'https://trade.example.com' }])
    expect(loadConfig({ ...mail, ...more }, directory).smtpUrl).toBe(mail.SMTP_URL)
})

test('.env.example lists every setting with its default, as the code has it', () => {
  const example = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8')
  expect(example).toBe(envExample())
  writeFileSync(join(directory, '.env'), example.replaceAll(/^# (?=[A-Z_]+=)/gm, ''))
  const { trustedProxies, ...config } = loadConfig({}, directory)
  expect(config).toEqual({ ...DEFAULTS, dataDir: join(directory, 'data') })
  expect(trustedProxies.text).toBe('')
})

test('what differs from the defaults is known by name, without secrets', () => {
  expect(changedSettings(loadConfig({}, directory))).toEqual({})
  const settings = { PORT: '6000', TRUSTED_PROXIES: '10.0.0.0/8', METRICS_TOKEN: 'a-token-of-some-length' }
  expect(changedSettings(loadConfig(settings, directory))).toEqual({
    PORT: '6000',
    TRUSTED_PROXIES: '10.0.0.0/8',
    METRICS_TOKEN: 'set',
  })
})
