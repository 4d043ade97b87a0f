import { MONEY_DECIMALS, type Money, money, moneyOf, parseDecimal } from '../kernel/fixed.ts'
import { ORIGINS_MAX, parseOrigins } from '../kernel/origins.ts'
import { RATE_ALGORITHMS } from '../kernel/rate-meter.ts'
import {
  days,
  leverage,
  minutes,
  networks,
  oneOf,
  rates,
  readCapital,
  readOrigin,
  type Setting,
  squareOff,
  threshold,
  timeOfDay,
  warning,
  wholeNumber,
} from './setting.ts'

const LOG_FORMATS = ['auto', 'json', 'pretty'] as const
const BROKERAGE_MAX: Money = moneyOf('100000.00')
const BODY_LIMIT_KIB_MAX = 16_384

/**
 * Every setting of Sauda. A setting comes from the environment, else from the file `.env` in the working directory,
 * else from its default. `.env.example` is made from this table, and a test keeps it so.
 */
export const SETTINGS = {
  host: {
    name: 'HOST',
    default: '127.0.0.1',
    about: 'Address that Sauda listens on. 0.0.0.0 lets other machines in: put a TLS proxy in front of it then.',
    allowed: 'a host name or an IP address',
    read: (text: string) => (/^[A-Za-z0-9.:_-]{1,255}$/.test(text) ? text : undefined),
  },
  port: {
    name: 'PORT',
    default: '5000',
    about: 'TCP port. 0 takes any that is free.',
    allowed: 'a whole number from 0 to 65535',
    read: wholeNumber(0, 65_535),
  },
  dataDir: {
    name: 'DATA_DIR',
    default: './data',
    about: 'Folder of the databases and the secret; one running Sauda per folder. Keep it on a local disk.',
    allowed: 'a path of a folder',
    read: (text: string) => (text.includes('\0') ? undefined : text),
  },
  logLevel: {
    name: 'LOG_LEVEL',
    default: 'info',
    about: 'Least important log lines that are written.',
    ...oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
  },
  publicUrl: {
    name: 'PUBLIC_URL',
    default: '',
    about:
      'Where browsers find Sauda, such as https://trade.example.com: front of the links in mails; https makes cookies secure. Empty for http on HOST and PORT.',
    allowed: 'an http or https address without a path, or nothing',
    read: readOrigin,
  },
  trustedProxies: networks(
    'TRUSTED_PROXIES',
    '',
    'Proxies whose X-Forwarded-For is believed, such as 127.0.0.1 for one on this machine.',
  ),
  clientAddressHeader: {
    name: 'CLIENT_ADDRESS_HEADER',
    default: '',
    about: 'Header of a vendor, such as CF-Connecting-IP, that TRUSTED_PROXIES are believed for instead.',
    allowed: 'the name of a header, or nothing',
    read: (text: string) => (/^[A-Za-z0-9-]{0,64}$/.test(text) ? text.toLowerCase() : undefined),
  },
  sessionIdleMinutes: minutes(
    'SESSION_IDLE_MINUTES',
    '720',
    'A browser that asks for nothing so long is signed out.',
    525_600,
  ),
  sessionAbsoluteHours: {
    name: 'SESSION_ABSOLUTE_HOURS',
    default: '168',
    about: 'A browser is signed out after so long whatever it does.',
    allowed: 'a whole number from 1 to 8760',
    read: wholeNumber(1, 8_760),
  },
  smtpUrl: {
    name: 'SMTP_URL',
    default: '',
    about: 'Mail server for password resets, such as smtps://user:password@mail.example.com. Empty for none.',
    allowed: 'an smtp or smtps address, or nothing',
    isSecret: true,
    read: (text: string) => (text === '' || /^smtps?:\/\/[^\s/]+\/?$/.test(text) ? text : undefined),
  },
  smtpFrom: {
    name: 'SMTP_FROM',
    default: '',
    about: 'Sender of mails, such as "Sauda <sauda@example.com>". Needed with SMTP_URL.',
    allowed: 'an e-mail address, with or without a name, or nothing',
    read: (text: string) => (text === '' || /^[^\r\n]{0,100}@[^\r\n]{1,150}$/.test(text) ? text : undefined),
  },
  rateLimitAlgorithm: {
    name: 'RATE_LIMIT_ALGORITHM',
    default: 'sliding-window',
    about:
      'How limits count: in windows one after another, in any window wherever it begins, or by a bucket that fills evenly.',
    ...oneOf(...RATE_ALGORITHMS),
  },
  addressRateLimit: rates('ADDRESS_RATE_LIMIT', '200 per second', 'Requests of one address, of all kinds together.'),
  apiRateLimit: rates('API_RATE_LIMIT', '50 per second', 'Requests of one key or user that read, or change no order.'),
  heavyRateLimit: rates('HEAVY_RATE_LIMIT', '30 per minute', 'Requests of one key or user that take much work.'),
  orderRateLimit: rates(
    'ORDER_RATE_LIMIT',
    '10 per second',
    'Orders of one key or user, placed, modified or cancelled; each leg of a request with several counts.',
  ),
  smartOrderRateLimit: rates(
    'SMART_ORDER_RATE_LIMIT',
    '10 per second',
    'Smart orders of one key or user; each counts as an order too.',
  ),
  loginRateLimit: rates('LOGIN_RATE_LIMIT', '5 per minute; 25 per hour', 'Attempts to log in from one address.'),
  resetRateLimit: rates(
    'RESET_RATE_LIMIT',
    '15 per hour',
    'Passwords sent with a link or a code, and links asked for, from one address.',
  ),
  corsAllowedOrigins: {
    name: 'CORS_ALLOWED_ORIGINS',
    default: '',
    about: 'Origins of web pages elsewhere that may use the API from a browser, such as https://charts.example.com.',
    allowed: `at most ${ORIGINS_MAX} origins, scheme://host or scheme://host:port without a path, with commas between them, or nothing`,
    read: parseOrigins,
  },
  corsAllowCredentials: {
    name: 'CORS_ALLOW_CREDENTIALS',
    default: 'off',
    about: 'Whether those pages may use the session of whoever is signed in.',
    ...oneOf('off', 'on'),
  },
  corsMaxAgeSeconds: {
    name: 'CORS_MAX_AGE_SECONDS',
    default: '600',
    about: 'How long a browser may remember what those pages are allowed.',
    allowed: 'a whole number from 0 to 86400',
    read: wholeNumber(0, 86_400),
  },
  autoBan: {
    name: 'AUTO_BAN',
    default: 'off',
    about: 'Whether addresses are banned by themselves after too many failures.',
    ...oneOf('off', 'on'),
  },
  banWindowMinutes: minutes('BAN_WINDOW_MINUTES', '60', 'Failures of an address are counted for so long.', 1_440),
  banNotFoundThreshold: threshold('BAN_404_THRESHOLD', '100', 'pages that do not exist'),
  banKeyThreshold: threshold('BAN_KEY_THRESHOLD', '30', 'unknown API keys'),
  banLoginThreshold: threshold('BAN_LOGIN_THRESHOLD', '30', 'failed logins'),
  banHours: {
    name: 'BAN_HOURS',
    default: '1',
    about: "Length of an address's first automatic ban; each later one within 90 days is twice as long.",
    allowed: 'a whole number from 1 to 720',
    read: wholeNumber(1, 720),
  },
  approvalExpiryMinutes: minutes(
    'APPROVAL_EXPIRY_MINUTES',
    '30',
    'An order that waits for approval is given up after so long.',
    43_200,
  ),
  logFormat: {
    name: 'LOG_FORMAT',
    default: 'auto',
    about: 'How log lines look: JSON, readable, or readable on a terminal only.',
    ...oneOf(...LOG_FORMATS),
  },
  serverTiming: {
    name: 'SERVER_TIMING',
    default: 'off',
    about: 'Whether answers tell in the header Server-Timing what they spent their time on.',
    ...oneOf('off', 'on'),
  },
  metricsToken: {
    name: 'METRICS_TOKEN',
    default: '',
    about: 'Bearer token for /metrics. Empty: only this machine may read them.',
    allowed: 'at least 16 letters, digits, dots, hyphens or underscores, or nothing',
    isSecret: true,
    read: (text: string) => (text === '' || /^[A-Za-z0-9._-]{16,256}$/.test(text) ? text : undefined),
  },
  healthIntervalSeconds: {
    name: 'HEALTH_INTERVAL_SECONDS',
    default: '10',
    about: 'How often health is looked at for alerts.',
    allowed: 'a whole number from 1 to 3600',
    read: wholeNumber(1, 3_600),
  },
  healthMemoryWarnMib: warning('HEALTH_MEMORY_WARN_MIB', '1024', 'MiB of memory'),
  healthLoopDelayWarnMs: warning('HEALTH_LOOP_DELAY_WARN_MS', '1000', 'ms in which nothing could be answered'),
  healthDiskFreeWarnMib: {
    name: 'HEALTH_DISK_FREE_WARN_MIB',
    default: '1024',
    about: 'Less free room on the disk of the data folder, in MiB, is an alert.',
    allowed: 'a whole number from 1 to 100000000',
    read: wholeNumber(1, 100_000_000),
  },
  trafficRetentionDays: days('TRAFFIC_RETENTION_DAYS', '30', 'Rows of the traffic log are kept for so long.'),
  trafficRowsMax: {
    name: 'TRAFFIC_ROWS_MAX',
    default: '1000000',
    about: 'The traffic log keeps at most so many rows, the newest.',
    allowed: 'a whole number from 1000 to 100000000',
    read: wholeNumber(1_000, 100_000_000),
  },
  orderLogRetentionDays: days(
    'ORDER_LOG_RETENTION_DAYS',
    '365',
    'Rows of the log of order operations are kept for so long.',
  ),
  orderEventRetentionDays: days(
    'ORDER_EVENT_RETENTION_DAYS',
    '30',
    'What happened to accounts can be read on from for so long.',
  ),
  marketHours: {
    name: 'MARKET_HOURS',
    default: 'always',
    about: 'When the simulated market trades: always, or at the hours and on the days of the exchanges.',
    ...oneOf('always', 'exchange'),
  },
  simulatorSeed: {
    name: 'SIMULATOR_SEED',
    default: '1',
    about: 'The same seed gives the same simulated prices.',
    allowed: 'a whole number from 0 to 4294967295',
    read: wholeNumber(0, 4_294_967_295),
  },
  simulatorScenario: {
    name: 'SIMULATOR_SCENARIO',
    default: 'ordinary',
    about:
      'What every day of the simulated market is like: as usual; quiet; part of a trend of weeks; a crash that halts trading; a jump at the opening; halted for an hour or more; without a feed for minutes of every hour.',
    ...oneOf('ordinary', 'calm', 'trending', 'crash', 'gap', 'halted', 'feed-loss'),
  },
  candleDownloadRateLimit: rates(
    'CANDLE_DOWNLOAD_RATE_LIMIT',
    '100 per second',
    'Requests for candles that downloads send to the market data source, all jobs together.',
  ),
  candleStoreMemoryMib: {
    name: 'CANDLE_STORE_MEMORY_MIB',
    default: '256',
    about: 'MiB of memory that the engine of the local candle store may take. It is loaded when first used.',
    allowed: 'a whole number from 64 to 65536',
    read: wholeNumber(64, 65_536),
  },
  bodyLimitKib: {
    name: 'BODY_LIMIT_KIB',
    default: '256',
    about: 'Largest request body, in KiB.',
    allowed: `a whole number from 1 to ${BODY_LIMIT_KIB_MAX}`,
    read: wholeNumber(1, BODY_LIMIT_KIB_MAX),
  },
  paperCapital: {
    name: 'PAPER_CAPITAL',
    default: '10000000.00',
    about: 'Rupees that a paper account starts with.',
    allowed: 'an amount from 0.01 to 1000000000000.00 with at most 2 decimals, without separators',
    read: readCapital,
  },
  paperExchangeRules: {
    name: 'PAPER_EXCHANGE_RULES',
    default: 'off',
    about:
      'Whether the rules of the exchanges for orders by API hold on paper too: 10 orders a second in one segment unless registered, market orders only with protection, and only by keys that are bound to addresses. Elsewhere they always do.',
    ...oneOf('off', 'on'),
  },
  paperMargin: {
    name: 'PAPER_MARGIN',
    default: 'simple',
    about:
      'Margin of derivatives on paper: simple, each by its leverage; portfolio, all on one underlying together, by scenarios of price and volatility.',
    ...oneOf('portfolio', 'simple'),
  },
  paperCharges: {
    name: 'PAPER_CHARGES',
    default: 'off',
    about:
      'Whether trades on paper cost what the operation charges tells, brokerage, taxes and fees: profit and funds are then what is left. Orders keep what was set when they were placed.',
    ...oneOf('off', 'on'),
  },
  equityMisLeverageHundredths: leverage(
    'EQUITY_MIS_LEVERAGE',
    '5',
    'Leverage of intraday (MIS) equity orders on paper.',
  ),
  futuresLeverageHundredths: leverage('FUTURES_LEVERAGE', '10', 'Leverage of futures on paper.'),
  optionBuyLeverageHundredths: leverage('OPTION_BUY_LEVERAGE', '1', 'Leverage of bought options on paper.'),
  optionSellLeverageHundredths: leverage('OPTION_SELL_LEVERAGE', '1', 'Leverage of sold options on paper.'),
  optionSellMargin: {
    name: 'OPTION_SELL_MARGIN',
    default: 'futures',
    about: 'Margin of sold options on paper: as for a future of the same underlying, or on the premium alone.',
    ...oneOf('futures', 'premium'),
  },
  brokeragePerOrder: {
    name: 'BROKERAGE_PER_ORDER',
    default: '20.00',
    about:
      'Rupees of brokerage on one order, at most, for the operation charges and PAPER_CHARGES. Options always pay it, delivery nothing.',
    allowed: 'an amount from 0 to 100000.00 with at most 2 decimals, without separators',
    read: (text: string): Money | undefined => {
      const value = parseDecimal(text, MONEY_DECIMALS)
      return typeof value === 'number' && value >= 0 && value <= BROKERAGE_MAX ? money(value) : undefined
    },
  },
  brokerageMillionths: {
    name: 'BROKERAGE_PERCENT',
    default: '0.03',
    about:
      'Brokerage in percent of the value of an intraday or futures order, where that is less than BROKERAGE_PER_ORDER.',
    allowed: 'a number from 0 to 100 with at most 4 decimals',
    read: (text: string): number | undefined => {
      const value = parseDecimal(text, 4)
      return typeof value === 'number' && value >= 0 && value <= 1_000_000 ? value : undefined
    },
  },
  nseBseSquareOffMinute: timeOfDay('NSE_BSE_SQUARE_OFF_TIME', '15:15', squareOff('NSE, BSE, NFO and BFO')),
  cdsBcdSquareOffMinute: timeOfDay('CDS_BCD_SQUARE_OFF_TIME', '16:45', squareOff('CDS and BCD')),
  mcxSquareOffMinute: timeOfDay('MCX_SQUARE_OFF_TIME', '23:30', squareOff('MCX')),
  ncdexSquareOffMinute: timeOfDay('NCDEX_SQUARE_OFF_TIME', '17:00', squareOff('NCDEX')),
  cryptoSquareOffMinute: timeOfDay('CRYPTO_SQUARE_OFF_TIME', '23:59', squareOff('crypto exchanges')),
  sessionExpiryMinute: timeOfDay(
    'SESSION_EXPIRY_TIME',
    '03:00',
    'When a paper session ends, with MARKET_HOURS=exchange; with always-open hours it ends at midnight.',
  ),
} as const satisfies Readonly<Record<string, Setting<unknown>>>
