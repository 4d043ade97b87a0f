import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bookCosts, orderLatencies } from './books.ts'
import { type Child, residentMb, startChild } from './child.ts'
import { instrumentsFigures } from './instruments.ts'
import { keyTimes } from './keys.ts'
import { searchTimes } from './market.ts'
import { compareNumbers } from './numbers.ts'
import { pricingTimes } from './options.ts'
import { BASKET_LEGS, orderRates } from './orders.ts'
import { pipelineCost } from './pipeline.ts'
import { waitingReaders } from './readers.ts'
import { readCosts } from './reads.ts'
import { recovery } from './recovery.ts'
import { riskCosts } from './risk.ts'
import { sequential } from './sequential.ts'
import { groupedCommits } from './sqlite.ts'
import { trafficFigures } from './traffic.ts'
import { FULL_LOAD, inTurns, type Measured } from './turns.ts'
import type { UniverseFigures } from './universe.ts'
import { UNLIMITED } from './unlimited.ts'

/**
 * Every figure beside the limit it is compared with, from the same run on the same machine. Absolute figures move with
 * the machine and its neighbours; the ratios are what to look at.
 * `npm run bench`, or `npm run bench -- http pipeline orders risk books reads keys traffic search recovery numbers` for some of it.
 */
/** As `npm start` runs it. */
const FLAGS = ['--max-semi-space-size=32']
const SYMBOLS = [
  'SBIN',
  'RELIANCE',
  'TCS',
  'INFY',
  'HDFCBANK',
  'ICICIBANK',
  'ITC',
  'LT',
  'AXISBANK',
  'WIPRO',
  'NTPC',
  'ONGC',
  'MARUTI',
  'TITAN',
  'SUNPHARMA',
  'BHEL',
  'GAIL',
  'DLF',
  'CIPLA',
  'VEDL',
]
const rows: string[][] = [['what', 'figure', 'compared with', 'ratio']]

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url))
const rate = (perSecond: number): string => `${Math.round(perSecond).toLocaleString('en-IN')}/s`
const ms = (value: number): string => `${value.toFixed(2)} ms`
const percent = (part: number, whole: number): string => `${((part / whole) * 100).toFixed(0)} %`

function report(what: string, figure: string, comparedWith = '', ratio = ''): void {
  rows.push([what, figure, comparedWith, ratio])
}

/** Small market orders both ways over many shares, so that books and margin last. */
function orders(apikey: string): object[] {
  return SYMBOLS.flatMap((symbol) =>
    (['BUY', 'SELL'] as const).map((action) => ({
      apikey,
      strategy: 'bench',
      exchange: 'NSE',
      symbol,
      action,
      quantity: '1',
      pricetype: 'MARKET',
      product: 'MIS',
    })),
  )
}

async function http(folder: string): Promise<void> {
  const sauda = await startChild(
    here('../server/start.js'),
    ['serve'],
    { ...UNLIMITED, DATA_DIR: join(folder, 'data'), PORT: '0', LOG_LEVEL: 'warn' },
    FLAGS,
  )
  report('ready after start', ms(sauda.readyMs), 'target 2,000 ms', percent(sauda.readyMs, 2000))
  report(
    'resident with the whole universe',
    `${residentMb(sauda.process.pid).toFixed(0)} MB`,
    'target 250 MB',
    percent(residentMb(sauda.process.pid), 250),
  )
  const echo = await startChild(here('./echo-server.ts'), [], {})
  const apikey = /sk_[A-Za-z0-9_-]+/.exec(sauda.output)?.[0] ?? ''
  try {
    await throughput(sauda, echo, apikey, folder)
  } finally {
    await echo.stop()
    await sauda.stop()
  }
}

async function throughput(sauda: Child, echo: Child, apikey: string, folder: string): Promise<void> {
  const place = `${sauda.address}/api/v1/placeorder`
  const subjects = [
    { child: echo, url: echo.address, bodies: orders(apikey) },
    { child: sauda, url: place, bodies: orders(apikey) },
    { child: sauda, url: `${sauda.address}/api/v1/quotes`, bodies: [{ apikey, symbol: 'SBIN', exchange: 'NSE' }] },
  ]
  // An account takes 500,000 orders in a session, which a longer warm-up would use up
  const [bare, placed, quoted] = await inTurns(subjects, { ...FULL_LOAD, warmUpSeconds: 12 })
  if (bare === undefined || placed === undefined || quoted === undefined) throw new Error('three subjects were given')
  const figure = ({ perSecond, p99Ms, processorUs }: Measured): string =>
    `${rate(perSecond)}, p99 ${ms(p99Ms)}, ${processorUs.toFixed(0)} µs of processor`
  report('bare node:http JSON echo, 64 connections', figure(bare))
  report(
    'placeorder, durable, 64 connections',
    figure(placed),
    'bare echo (target 40 %)',
    percent(placed.shareOfFirst, 1),
  )
  report('quotes, 64 connections', figure(quoted), 'bare echo (target 60 %)', percent(quoted.shareOfFirst, 1))
  report('answers other than 200', `${placed.failed + quoted.failed}`)
  const group = groupedCommits(folder, 64, 2)
  report('bare SQLite commits of 64 rows, fsync', rate(group.perSecond), `${ms(group.commitMs)} each`)
  report(
    'placeorder, durable, 64 connections',
    rate(placed.perSecond),
    'bare SQLite rows',
    percent(placed.perSecond, group.perSecond),
  )
  const one = await sequential(place, orders(apikey), 2_000)
  const bareOne = await sequential(echo.address, orders(apikey), 2_000)
  const commit = groupedCommits(folder, 1, 2)
  report('placeorder, durable, 1 connection, median', ms(one.p50Ms), 'target 1 ms', percent(one.p50Ms, 1))
  report(
    '  of which bare echo and bare commit',
    ms(bareOne.p50Ms + commit.commitMs),
    'sum of both medians',
    percent(one.p50Ms, bareOne.p50Ms + commit.commitMs),
  )
  report('resident after the load', `${residentMb(sauda.process.pid).toFixed(0)} MB`)
}

async function orderKinds(folder: string): Promise<void> {
  const settings = { ...UNLIMITED, DATA_DIR: join(folder, 'orders'), PORT: '0', LOG_LEVEL: 'warn' }
  const sauda = await startChild(here('../server/start.js'), ['serve'], settings, FLAGS)
  const apikey = /sk_[A-Za-z0-9_-]+/.exec(sauda.output)?.[0] ?? ''
  try {
    const found = await orderRates(sauda, apikey, SYMBOLS)
    const beside = (what: string, perSecond: number): void =>
      report(
        what,
        rate(perSecond),
        `placeorder, ${rate(found.plainPerSecond)}`,
        percent(perSecond, found.plainPerSecond),
      )
    beside('placesmartorder, 64 connections', found.smartPerSecond)
    beside(`legs of baskets of ${BASKET_LEGS}, 64 connections`, found.basketLegsPerSecond)
    beside('repeated orders, answered again', found.replaysPerSecond)
    beside('placeorder with 30 limits set', found.limitedPerSecond)
    report('answers other than 200', String(found.failed))
    const waited = await waitingReaders(sauda, apikey, 1_000)
    report(
      `an order while ${waited.readers} readers wait`,
      ms(waited.orderMs),
      `with none, ${ms(waited.aloneMs)}`,
      percent(waited.orderMs, waited.aloneMs),
    )
    report('  until the last reader has its events', ms(waited.lastReaderMs))
  } finally {
    await sauda.stop()
  }
}

async function reads(folder: string): Promise<void> {
  // A year of minutes of days that last 24 hours would be more than one answer holds
  const hours = { MARKET_HOURS: 'exchange' }
  const settings = { ...UNLIMITED, ...hours, DATA_DIR: join(folder, 'reads'), PORT: '0', LOG_LEVEL: 'warn' }
  const sauda = await startChild(here('../server/start.js'), ['serve'], settings, FLAGS)
  const apikey = /sk_[A-Za-z0-9_-]+/.exec(sauda.output)?.[0] ?? ''
  try {
    for (const cost of await readCosts(sauda, apikey))
      report(
        `${cost.what}, ${cost.kilobytes.toFixed(0)} kB`,
        `${ms(cost.ms)} alone, ${cost.perSecond.toFixed(0)}/s`,
        `the same bytes from memory${cost.failed === 0 ? '' : `, ${cost.failed} FAILED`}`,
        percent(cost.shareOfEcho, 1),
      )
    const before = residentMb(sauda.process.pid)
    for (const { encoding, bytes, firstByteMs, wholeMs } of await instrumentsFigures(sauda.address, apikey))
      report(
        `instruments, all, ${encoding}, ${(bytes / 1e6).toFixed(1)} MB`,
        `first byte ${ms(firstByteMs.p50)}, at most ${ms(firstByteMs.max)}; all ${ms(wholeMs)}`,
        'target 20 ms to the first byte',
        percent(firstByteMs.p50, 20),
      )
    report('  resident after 40 of them', `${(residentMb(sauda.process.pid) - before).toFixed(0)} MB more`, 'flat')
  } finally {
    await sauda.stop()
  }
  const { instruments, fromDiskMs, megabytes, withSearchMegabytes } = JSON.parse(
    execFileSync(process.execPath, ['--expose-gc', here('./universe.ts')], { encoding: 'utf8' }),
  ) as UniverseFigures
  report(
    `${instruments.toLocaleString('en-IN')} instruments from disk`,
    ms(fromDiskMs),
    'target 300 ms',
    percent(fromDiskMs, 300),
  )
  report(
    '  in memory, with search index',
    `${megabytes.toFixed(1)} MB, ${withSearchMegabytes.toFixed(1)} MB`,
    'target 60 MB',
    percent(megabytes, 60),
  )
  const { priceNs, volatilityNs, greeksNs, allPerSecond } = pricingTimes(30)
  report('implied volatility and greeks', rate(allPerSecond), 'target 500,000/s', percent(allPerSecond, 500_000))
  report(
    '  price, implied volatility, greeks',
    [priceNs, volatilityNs, greeksNs].map((ns) => `${ns.toFixed(0)} ns`).join(', '),
  )
}

async function books(folder: string): Promise<void> {
  const settings = { ...UNLIMITED, DATA_DIR: join(folder, 'books'), PORT: '0', LOG_LEVEL: 'warn' }
  const sauda = await startChild(here('../server/start.js'), ['serve'], settings, FLAGS)
  const apikey = /sk_[A-Za-z0-9_-]+/.exec(sauda.output)?.[0] ?? ''
  try {
    for (const { orders, megabytes, perSecond, echoPerSecond } of await bookCosts(sauda, apikey, [2_000, 20_000]))
      report(
        `orderbook of ${orders.toLocaleString('en-IN')} orders, ${megabytes.toFixed(1)} MB`,
        `${perSecond.toFixed(1)}/s`,
        `the same bytes from memory, ${echoPerSecond.toFixed(1)}/s (target 50 %)`,
        percent(perSecond, echoPerSecond),
      )
    const [first, ...later] = await orderLatencies(sauda, apikey, [21_000, 50_000, 100_000])
    if (first !== undefined)
      for (const { orders, p50Ms, p99Ms } of [first, ...later])
        report(
          `placeorder, 1 connection, after ${orders.toLocaleString('en-IN')} orders`,
          `${ms(p50Ms)}, p99 ${ms(p99Ms)}`,
          'after the first',
          percent(p50Ms, first.p50Ms),
        )
  } finally {
    await sauda.stop()
  }
}

const wanted = new Set(process.argv.slice(2))
const includes = (part: string): boolean => wanted.size === 0 || wanted.has(part)
const folder = mkdtempSync(join(tmpdir(), 'sauda-bench-'))
try {
  if (includes('http')) await http(folder)
  if (includes('pipeline')) {
    const { bare, whole } = await pipelineCost(folder, FLAGS)
    const figure = ({ perSecond, processorUs }: Measured): string =>
      `${rate(perSecond)}, ${processorUs.toFixed(0)} µs of processor`
    report('quotes with validation only, 64 connections', figure(bare))
    report(
      'quotes with the whole pipeline',
      figure(whole),
      'validation only (target 75 %)',
      percent(whole.shareOfFirst, 1),
    )
    report('answers other than 200', String(bare.failed + whole.failed))
  }
  if (includes('orders')) await orderKinds(folder)
  if (includes('risk'))
    for (const { orders, limits, us, bytes } of await riskCosts(join(folder, 'risk'), [0, 2_000]))
      report(
        `judging an order by ${limits} limits, ${orders.toLocaleString('en-IN')} orders placed`,
        `${us.toFixed(us < 1 ? 2 : 1)} µs, ${(bytes / 1024).toFixed(1)} KiB`,
        limits === 0 ? 'target 2 µs' : 'target 20 µs',
        percent(us, limits === 0 ? 2 : 20),
      )
  if (includes('books')) await books(folder)
  if (includes('reads')) await reads(folder)
  if (includes('keys')) {
    const { oneNs, thousandNs, unknownNs } = await keyTimes(join(folder, 'keys'))
    report('checking the only key', `${oneNs.toFixed(0)} ns`)
    report('checking one of 1,000 keys', `${thousandNs.toFixed(0)} ns`, 'the only key', percent(thousandNs, oneNs))
    report('checking an unknown key', `${unknownNs.toFixed(0)} ns`, 'one of 1,000', percent(unknownNs, thousandNs))
  }
  if (includes('traffic')) {
    const found = await trafficFigures(join(folder, 'traffic'), 5_000_000)
    report('traffic log, one request', `${found.recordUs.toFixed(2)} µs`, 'target 2 µs', percent(found.recordUs, 2))
    report('latency, one step', `${found.latencyNsPerStep.toFixed(0)} ns`, 'target 2,000 ns')
    report(
      'resident over 5,000,000 requests',
      `${found.residentMib.join(', ')} MiB`,
      'flat',
      `${found.dropped} dropped`,
    )
  }
  if (includes('search')) {
    const found = searchTimes(300)
    report(
      `search over ${found.instruments.toLocaleString('en-IN')} instruments, p99`,
      ms(found.p99Ms),
      'target 5 ms',
      percent(found.p99Ms, 5),
    )
    report('  median, longest', `${ms(found.p50Ms)}, ${ms(found.maxMs)}`)
  }
  if (includes('recovery')) {
    const usual = await recovery(1_000_000, 10)
    report(
      'recovery of 1,000,000 commands in 10 days, killed on the last',
      ms(usual.ms),
      'target 10,000 ms',
      percent(usual.ms, 10_000),
    )
    const worst = await recovery(1_000_000, 1)
    report('  all in one day, so without a snapshot', ms(worst.ms), 'target 10,000 ms', percent(worst.ms, 10_000))
  }
  if (includes('numbers')) for (const { name, ns } of compareNumbers()) report(name, `${ns.toFixed(1)} ns`)
} finally {
  rmSync(folder, { recursive: true })
}
const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
for (const row of rows)
  process.stdout.write(
    `${row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()}\n`,
  )
