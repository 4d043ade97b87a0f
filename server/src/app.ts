import { join, resolve } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { approvedOperations } from './api/approved.ts'
import { Csrf } from './api/csrf.ts'
import { mountDocs } from './api/docs/index.ts'
import { endpointOf } from './api/endpoint.ts'
import { createHttp, mountOperations } from './api/http.ts'
import { arrivals } from './api/middleware/arrive.ts'
import { authenticator, authorise } from './api/middleware/authenticate.ts'
import { refuseBanned } from './api/middleware/ban-gate.ts'
import { clientAddresses } from './api/middleware/client-address.ts'
import { isForeignOrigin, ownOrigins } from './api/middleware/cors.ts'
import { finishedOf } from './api/middleware/finished.ts'
import { holdForApproval } from './api/middleware/hold-for-approval.ts'
import { onlyOnce } from './api/middleware/idempotency.ts'
import { limitAddress, limitCaller, limitOrders, tellLimits } from './api/middleware/limit-requests.ts'
import { logOrders } from './api/middleware/log-orders.ts'
import { RateLimits } from './api/middleware/rate-limits.ts'
import { securityHeaders } from './api/middleware/security-headers.ts'
import { sessionCallers } from './api/middleware/session-caller.ts'
import type { Pipeline } from './api/pipeline.ts'
import { mountProbes } from './api/probes.ts'
import type { Services } from './api/services.ts'
import { Cookies } from './api/session-cookie.ts'
import { operations } from './api/v1/index.ts'
import type { Visit } from './api/visit.ts'
import type { Venue } from './brokers/venue.ts'
import { type Config, changedSettings } from './config.ts'
import { AccountStore } from './identity/accounts.ts'
import { type Audit, entryOf, ITSELF } from './identity/audit.ts'
import { BanList } from './identity/bans.ts'
import { ChartStore } from './identity/chart-store.ts'
import { Identity } from './identity/identity.ts'
import { KeyStore } from './identity/key-store.ts'
import { smtpMailer } from './identity/mail.ts'
import { openSecret } from './identity/secret.ts'
import { assert } from './kernel/assert.ts'
import { EventBus } from './kernel/bus.ts'
import type { Clock } from './kernel/clock.ts'
import { Refusal } from './kernel/errors.ts'
import { dateAt } from './kernel/exchange-time.ts'
import type { Price } from './kernel/fixed.ts'
import { CandleDownloads, StoredCandles } from './market/candle-store/index.ts'
import {
  CandleHistory,
  createCalendar,
  createSimulator,
  type Exchange,
  expiryCode,
  type Instrument,
  InstrumentUniverse,
  type LoadReport,
  type MarketData,
  OverrideStore,
  Quotes,
  settlementPrice,
  simulatedInstruments,
  underlyingOf,
} from './market/index.ts'
import { AuditLog } from './monitor/audit-log.ts'
import { standardChecks } from './monitor/checks.ts'
import type { FinishedRequest } from './monitor/finished-request.ts'
import { type Alert, Health } from './monitor/health.ts'
import { LatencyMonitor, serverTiming } from './monitor/latency.ts'
import { Metrics } from './monitor/metrics.ts'
import { OrderLog } from './monitor/order-log.ts'
import { TrafficLog } from './monitor/traffic-log.ts'
import { Forwards, OptionChains, OptionGreeks, OptionResolver, openExpiries } from './options/index.ts'
import { errorPages, mountPages } from './pages/index.ts'
import { type Committed, PaperExchange, riskReference, type SessionRules, venueEventsOf } from './paper/index.ts'
import { type Databases, openDatabases } from './storage/open.ts'
import { type Approval, Approvals } from './trading/approvals.ts'
import { Idempotency } from './trading/flow/idempotency.ts'
import { OrderFlow } from './trading/flow/order-flow.ts'
import { Gtts, OrderEvents, Trading } from './trading/index.ts'
import { KillSwitch } from './trading/risk/kill-switch.ts'
import { LimitStore } from './trading/risk/limit-store.ts'
import { LimitsGate } from './trading/risk/risk-gate.ts'

export const VERSION = '0.1.0'

/** What the rooms tell each other. */
export type Events = {
  /** A committed command of a paper account, with what it did. */
  paper: Committed
  /** An order that waits for a person, or doesn't any more. */
  approval: Approval
  /** A limit of health was passed, or isn't any more. */
  alert: Alert
}

export interface App {
  readonly http: FastifyInstance
  readonly identity: Identity
  readonly keys: KeyStore
  readonly accounts: AccountStore
  readonly bans: BanList
  readonly paper: PaperExchange
  readonly bus: EventBus<Events>
  readonly audit: AuditLog
  readonly health: Health
  readonly orderEvents: OrderEvents
  readonly limits: LimitStore
  readonly killSwitch: KillSwitch
  /** Tells where browsers find Sauda, unless a setting does: known once it listens. */
  listensAt(address: string): void
  /** Starts what runs by the clock. */
  start(): void
  /** Lets requests under way finish, then brings everything to disk. */
  close(): Promise<void>
}

/**
 * Builds every room and connects them, without listening and without starting the clock's work. `logRequest` is told of
 * each request when it has ended.
 */
export async function createApp(
  config: Config,
  clock: Clock,
  log: Logger,
  logRequest: (finished: FinishedRequest) => void = () => undefined,
): Promise<App> {
  const databases = await openDatabases(config.dataDir, clock)
  try {
    return await connect(config, clock, log, logRequest, databases)
  } catch (error) {
    await databases.close()
    throw error
  }
}

async function connect(
  config: Config,
  clock: Clock,
  log: Logger,
  logRequest: (finished: FinishedRequest) => void,
  databases: Databases,
): Promise<App> {
  void databases.money.writer // its thread starts while the instruments are made
  const bus = new EventBus<Events>()
  const onError = (what: string) => (error: unknown) => log.error({ err: error }, what)
  let address = config.publicUrl
  const publicUrl = () => config.publicUrl || address

  // What is seen
  const audit = await AuditLog.open(databases.record, clock, (error, events) =>
    log.fatal({ err: error, events }, 'the audit log could not be written; what was done is here'),
  )
  if (audit.brokenAt !== undefined)
    log.error(`row ${audit.brokenAt} of the audit log isn't as it was written: npm run doctor says more`)
  audit.record(entryOf(ITSELF, 'sauda.started', VERSION, { settings: changedSettings(config) }))
  const traffic = await TrafficLog.open({
    telemetry: databases.telemetry,
    clock,
    settings: { retentionMs: config.trafficRetentionDays * DAY_MS, rowsMax: config.trafficRowsMax },
    onError: onError('the traffic log could not be written'),
  })
  const orderLog = new OrderLog({
    record: databases.record,
    clock,
    retentionMs: config.orderLogRetentionDays * DAY_MS,
    onError: onError('the order log could not be written'),
  })

  const orderEvents = new OrderEvents({
    record: databases.record,
    clock,
    retentionMs: config.orderEventRetentionDays * DAY_MS,
    onError: onError('events of orders could not be written'),
  })

  // The market, and where orders go
  const calendar = createCalendar({ hours: config.marketHours })
  const calendarOverrides = await OverrideStore.open({ money: databases.money, calendar, clock, audit: audit.record })
  const universe = await InstrumentUniverse.open({
    source: simulatedInstruments(config.simulatorSeed, config.simulatorScenario),
    clock,
    file: join(config.dataDir, 'instruments.snapshot'),
    onLoad: (report) => tellOfLoad(report, log, audit.record),
    onError: onError('the file of instruments could not be read or written, or their source broke'),
  })
  const marketData = createSimulator({
    seed: config.simulatorSeed,
    scenario: config.simulatorScenario,
    clock,
    calendar,
  })
  const quotes = new Quotes({ source: marketData, clock, calendar })
  const candleStore = new StoredCandles({
    folders: {
      candles: resolve(config.dataDir, 'candles'),
      imports: resolve(config.dataDir, 'import'),
      exports: resolve(config.dataDir, 'export'),
    },
    memoryMib: config.candleStoreMemoryMib,
    clock,
    onError: onError('the engine of the candle store could not be let go'),
  })
  const candleDownloads = await CandleDownloads.open({
    record: databases.record,
    source: marketData,
    store: candleStore,
    find: (symbol, exchange) => universe.find(symbol, exchange),
    calendar,
    clock,
    rates: config.candleDownloadRateLimit,
    audit: audit.record,
    onError: onError('candles could not be downloaded'),
  })
  const history = new CandleHistory({ source: marketData, store: candleStore, calendar, clock })
  const venueOf = (account: string): Venue | undefined => paper.venue(account)
  const limitStore = await LimitStore.open({
    money: databases.money,
    clock,
    audit: audit.record,
    exchangeRules: (account) => config.paperExchangeRules === 'on' || venueOf(account)?.mode === 'live',
    onError: onError('limits could not be read or written'),
  })
  const gate = new LimitsGate({
    store: limitStore,
    marketData,
    venueOf,
    find: (symbol, exchange) => universe.find(symbol, exchange),
    clock,
  })
  const options = new OptionResolver({ store: () => universe.store, marketData, calendar, clock })
  const optionLookups = new OptionResolver({ store: () => universe.store, marketData: quotes, calendar, clock })
  const forwards = new Forwards({ store: () => universe.store, marketData: quotes, calendar, clock })
  const optionChains = new OptionChains({
    store: () => universe.store,
    marketData: quotes,
    history: marketData,
    forwards,
    calendar,
    clock,
  })
  const optionGreeks = new OptionGreeks({ forwards, calendar, clock })
  const paper = await PaperExchange.open({
    databases,
    accounts: (
      await databases.money.kysely.selectFrom('account').select('id').where('venue', '=', 'paper').execute()
    ).map(({ id }) => id),
    capital: config.paperCapital,
    marketData,
    underlyingPrice: (instrument) => underlyingPrice(marketData, underlyingOf(universe.store, instrument)),
    riskReference: (instrument) => riskReference(marketData, universe.store, instrument),
    settlementPrice: (instrument) =>
      priceOrNone(settlementPrice({ market: marketData, store: universe.store, calendar }, instrument)),
    rules: sessionRules(config, calendar),
    margin: config,
    mayFire: (account, firing) => gate.mayFire(account, firing),
    clock,
    log,
    keeper: {
      keptUntil: (account) => orderEvents.keptUntil(account),
      begin: (account, seq) => orderEvents.begin(account, seq),
      keep: (committed) => {
        const { account, seq, at, events } = committed
        orderEvents.keep(account, seq, at, events.length, () => venueEventsOf(committed))
      },
      settled: (account, seq) => orderEvents.settled(account, seq),
    },
    publish: (committed) => {
      gate.told(committed.account, () => venueEventsOf(committed))
      bus.publish('paper', committed)
    },
  })
  const trading = new Trading({
    find: (symbol, exchange) => universe.find(symbol, exchange),
    nearest: (symbol, exchange, count) => universe.nearest(symbol, exchange, count),
    marketData,
    venueOf: (account) => paper.venue(account),
    gate,
    brokerage: { perOrder: config.brokeragePerOrder, sharePerMillion: config.brokerageMillionths },
  })
  const orders = new OrderFlow({
    find: (symbol, exchange) => universe.find(symbol, exchange),
    nearest: (symbol, exchange, count) => universe.nearest(symbol, exchange, count),
    venueOf,
    gate,
  })
  const idempotency = new Idempotency({
    money: databases.money,
    clock,
    onError: onError('old idempotency keys could not be swept'),
  })
  const gtts = new Gtts({
    find: (symbol, exchange) => universe.find(symbol, exchange),
    nearest: (symbol, exchange, count) => universe.nearest(symbol, exchange, count),
    venueOf: (account) => paper.venue(account),
    gate,
  })

  // Who may ask
  const accounts = await AccountStore.open({
    money: databases.money,
    clock,
    audit: audit.record,
    openBooks: (id) => paper.openAccount(id),
  })
  const killSwitch = new KillSwitch({
    store: limitStore,
    gate,
    clock,
    accounts: () => paper.accounts,
    venueOf,
    find: (symbol, exchange) => universe.find(symbol, exchange),
    onError: onError('what a kill switch left undone could not be done'),
  })
  const bans = await BanList.open({
    money: databases.money,
    clock,
    audit: audit.record,
    rules: {
      automatic: config.autoBan === 'on',
      windowMs: config.banWindowMinutes * 60_000,
      thresholds: {
        not_found: config.banNotFoundThreshold,
        bad_key: config.banKeyThreshold,
        failed_login: config.banLoginThreshold,
      },
      firstMs: config.banHours * 3_600_000,
    },
    proxies: config.trustedProxies,
    onError: onError('a ban could not be written'),
  })
  const charts = new ChartStore({ record: databases.record, clock })
  const identity = await Identity.open({
    databases,
    dataDir: config.dataDir,
    clock,
    sessionRules: {
      idleMs: config.sessionIdleMinutes * 60_000,
      absoluteMs: config.sessionAbsoluteHours * 3_600_000,
    },
    audit: audit.record,
    mailer:
      config.smtpUrl === ''
        ? undefined
        : smtpMailer({ smtpUrl: config.smtpUrl, from: config.smtpFrom }, onError('a mail could not be sent')),
    publicUrl,
    failedLogin: (from) => bans.note(from, 'failed_login'),
    userChanged: (userId) => keys.userChanged(userId),
    openAccount: async (userId) => {
      await accounts.create(userId, 'default', ITSELF)
    },
    adopted: (userId) => {
      accounts.adopt(userId)
      keys.adopt(userId)
      charts.adopt(userId).catch(onError('chart preferences could not be given to the first user'))
    },
    onError: onError('sessions or mails could not be written'),
  })
  const keys = await KeyStore.open({
    money: databases.money,
    dataDir: config.dataDir,
    clock,
    audit: audit.record,
    ownerOf: (userId) => {
      const user = identity.users.find(userId)
      return user === undefined ? undefined : { ...user, disabled: user.disabledAt !== undefined }
    },
    onError: onError('the last use of keys could not be written'),
  })

  const approvals = await Approvals.open({
    money: databases.money,
    clock,
    expiryMs: config.approvalExpiryMinutes * 60_000,
    execute: approvedOperations({
      operations,
      services: () => services,
      clock,
      keyCaller: (keyId) => keys.callerOf(keyId),
      tellOutcome: (...outcome) => {
        for (const step of pipeline.afterHandler) step(...outcome)
      },
    }),
    halted: (account) =>
      limitStore.accountState(account) === 'halted'
        ? new Refusal(
            'risk_halted',
            `Account ${account} is halted. The order goes on waiting; killswitch/release ends the halt.`,
          )
        : undefined,
    ordersByTag: async (account, tag) => [
      ...(await trading.ordersByTag(account, tag)),
      ...(await gtts.byTag(account, tag)),
    ],
    audit: audit.record,
    publish: (approval) => bus.publish('approval', approval),
    onError: onError('an approval could not be written'),
  })

  // A crash may have come between a user and its first account
  for (const user of identity.users.list())
    if (accounts.defaultOf(user.id) === '') await accounts.create(user.id, 'default', ITSELF)

  // What every request meets, in order
  const latency = new LatencyMonitor(clock)
  const { checks, close: closeChecks } = standardChecks(
    config,
    {
      money: () => databases.money.writer,
      record: () => databases.record.writer,
      telemetry: () => databases.telemetry.writer,
      stoppedAccounts: () => paper.stoppedAccounts,
      askMarketData: () => priceProblem(marketData, universe.find('NIFTY', 'NSE_INDEX')),
      dropped: () => traffic.dropped + orderLog.dropped,
    },
    clock,
  )
  const health = new Health({
    clock,
    checks,
    intervalMs: config.healthIntervalSeconds * 1000,
    onAlert: (alert) => {
      log.warn({ alert }, alert.resolvedAt === undefined ? 'alert' : 'alert is over')
      bus.publish('alert', alert)
    },
  })
  const figure = (help: string, read: () => number) => ({ help, read })
  const metrics = new Metrics({
    orderOperations: operations
      .filter(({ rateClass }) => rateClass === 'order' || rateClass === 'smart-order')
      .map(({ name }) => name),
    gauges: {
      journal_statements_waiting: figure(
        'Statements on their way to the journal.',
        () => databases.money.writer.pendingStatements,
      ),
      record_statements_waiting: figure(
        'Statements on their way to the records.',
        () => databases.record.writer.pendingStatements,
      ),
      traffic_rows_waiting: figure('Rows on their way to the traffic log.', () => traffic.waiting),
      bans_in_force: figure('Addresses that are banned.', () => bans.list().length),
      users: figure('Users of the instance.', () => identity.users.count),
      api_keys: figure('API keys that work.', () => keys.list().length),
    },
    counters: {
      traffic_rows_lost: figure('Rows that the traffic log lost.', () => traffic.dropped),
      order_log_rows_lost: figure('Rows that the order log lost.', () => orderLog.dropped),
    },
  })
  const cookies = new Cookies({ isHttps: config.publicUrl.startsWith('https:') })
  const limits = new RateLimits(config, clock)
  const origins = ownOrigins(config)
  const headers = securityHeaders(config)
  const pipeline: Pipeline = {
    apiHeaders: headers.api,
    programHeaders: headers.program,
    arrive: arrivals({
      clock,
      addressOf: clientAddresses({
        trustedProxies: config.trustedProxies,
        vendorHeader: config.clientAddressHeader,
      }),
    }),
    beforeBody: [refuseBanned((from) => bans.of(from)), limitAddress(limits)],
    beforeFields: [
      authenticator({
        keys,
        sessionCaller: sessionCallers({
          cookies,
          callerOf: (token, now, accountOf) => identity.callerOf(token, now, accountOf),
          findAccount: (id) => accounts.find(id),
          defaultAccount: (userId) => accounts.defaultOf(userId),
        }),
        isForeign: (sent) => isForeignOrigin(sent, origins),
      }),
      authorise,
      limitCaller(limits),
    ],
    onlyOnce: onlyOnce(idempotency),
    beforeHandler: [
      limitOrders(limits),
      holdForApproval({
        orderMode: (account) => accounts.orderMode(account),
        queue: (wanted) => approvals.queue(wanted),
        queuedBefore: (intent) => approvals.byIntent(intent),
        services: () => services,
      }),
    ],
    afterHandler: [
      logOrders({
        record: (event) => orderLog.record(event),
        modeOf: (account) => paper.venue(account)?.mode ?? 'analyze',
      }),
    ],
    beforeAnswer:
      config.serverTiming === 'on'
        ? [
            tellLimits(limits),
            (visit) => Object.assign(visit.answerHeaders, { 'server-timing': serverTiming(visit.steps) }),
          ]
        : [tellLimits(limits)],
    afterAnswer: [
      (visit) => noteMisdeed(bans, visit),
      (visit, outcome) => {
        const finished = finishedOf(visit, outcome)
        traffic.record(finished)
        metrics.record(finished)
        logRequest(finished)
        if (visit.route !== '' && !visit.isPage) measure(latency, visit, finished)
      },
    ],
  }

  let stopFollowing = (): void => {}
  const services: Services = {
    instruments: universe,
    search: { find: (query, filter, limit) => universe.current.search.find(query, filter, limit) },
    universe,
    marketData,
    quotes,
    history,
    candleStore,
    candleDownloads,
    calendar,
    calendarOverrides,
    options,
    forwards,
    optionLookups,
    optionChains,
    optionGreeks,
    trading,
    orders,
    idempotency,
    gtts,
    limits: limitStore,
    gate,
    killSwitch,
    cookies,
    identity,
    keys,
    accounts,
    bans,
    approvals,
    charts,
    traffic,
    orderLog,
    audit,
    latency,
    health,
    orderEvents,
  }
  const http = createHttp({
    pipeline,
    logger: log,
    bodyBytesMax: config.bodyLimitKib * 1024,
    cors: config,
    showError: errorPages(headers.page),
  })
  mountOperations(http, operations, { services, pipeline, clock })
  mountDocs(http, operations, {
    version: VERSION,
    firstOrderId: () => `${dateAt(clock.now()).slice(2).replaceAll('-', '')}00000001`,
    nextExpiry: () => expiryCode(openExpiries(options.listed(), 'NIFTY', 'NFO')[0] ?? dateAt(clock.now())),
    headers: headers.docs,
  })
  mountProbes(http, { health, metrics, metricsToken: config.metricsToken })
  const endpoints = new Map(
    operations.map((operation) => [operation.name as string, endpointOf(operation, { services, pipeline, clock })]),
  )
  mountPages(http, {
    call: async (operation, input, visit) => {
      const endpoint = endpoints.get(operation)
      assert(endpoint !== undefined, `a page calls ${operation}, which is no operation`)
      return (await endpoint(input, visit)) as Readonly<Record<string, unknown>>
    },
    csrf: new Csrf(openSecret(config.dataDir, true), cookies),
    headers: headers.page,
    assetHeaders: headers.asset,
    isForeign: (sent) => isForeignOrigin(sent, origins),
    publicUrl,
  })
  return {
    http,
    identity,
    keys,
    accounts,
    bans,
    paper,
    bus,
    audit,
    health,
    orderEvents,
    limits: limitStore,
    killSwitch,
    listensAt(found) {
      address = found
    },
    start() {
      killSwitch.resume().catch(onError('what a kill switch left undone could not be done'))
      paper.start()
      candleDownloads.start()
      stopFollowing = universe.follow()
    },
    async close() {
      stopFollowing()
      health.close()
      approvals.close()
      closeChecks()
      orderEvents.endReaders()
      await http.close()
      await candleDownloads.close()
      await candleStore.close()
      await universe.close()
      quotes.close()
      await paper.close()
      await orderEvents.close()
      await Promise.all([identity.close(), keys.close(), idempotency.close(), traffic.close(), orderLog.close()])
      await audit.close()
      await databases.close()
    },
  }
}

const DAY_MS = 86_400_000

/** Of an order operation also by itself: the venue's share, the wait for the disk, and ours. */
function measure(latency: LatencyMonitor, visit: Visit, finished: FinishedRequest): void {
  const { route: operation, steps, durationMs: totalMs, status } = finished
  latency.record({ operation, steps, totalMs, status })
  if (steps.venue === 0) return
  latency.recordOrder({
    at: visit.at,
    requestId: visit.id,
    orderId: visit.orderId,
    operation,
    account: visit.caller.account,
    symbol: visit.symbol,
    status,
    totalMs,
    venueMs: steps.venue,
    journalMs: steps.journal,
  })
}

/** What counts towards a ban of its address. */
function noteMisdeed(bans: BanList, visit: Visit): void {
  if (visit.errorCode === 'api_key_invalid') bans.note(visit.address, 'bad_key')
  else if (visit.errorCode === 'not_found' && visit.route === '' && visit.caller.kind === 'nobody')
    bans.note(visit.address, 'not_found')
}

function sessionRules(config: Config, calendar: SessionRules['calendar']): SessionRules {
  // An exchange that never closes squares off at the end of its day.
  if (config.marketHours === 'always') return { calendar, squareOffMinutes: () => undefined, sessionBoundaryMinutes: 0 }
  const minutes: Partial<Record<Exchange, number>> = {
    NSE: config.nseBseSquareOffMinute,
    BSE: config.nseBseSquareOffMinute,
    NFO: config.nseBseSquareOffMinute,
    BFO: config.nseBseSquareOffMinute,
    CDS: config.cdsBcdSquareOffMinute,
    BCD: config.cdsBcdSquareOffMinute,
    MCX: config.mcxSquareOffMinute,
    NCO: config.mcxSquareOffMinute,
    NCDEX: config.ncdexSquareOffMinute,
    CRYPTO: config.cryptoSquareOffMinute,
  }
  return {
    calendar,
    squareOffMinutes: (exchange) => minutes[exchange],
    sessionBoundaryMinutes: config.sessionExpiryMinute,
  }
}

/** A refused load is for whoever runs the instance to look at: the instruments in use are of another day. */
function tellOfLoad(report: LoadReport, log: Logger, audit: Audit): void {
  const { refusal, date, from, total, faultCount, durationMs, difference } = report
  const facts = {
    date,
    from,
    total,
    faults: faultCount,
    ms: durationMs,
    ...(difference !== undefined && {
      added: difference.added.count,
      removed: difference.removed.count,
      changed: difference.changed.count,
    }),
  }
  if (refusal === '') log.info(facts, 'instruments loaded')
  else log.error({ ...facts, refusal }, 'instruments refused; those that were there stay')
  const action = refusal === '' ? 'instruments.loaded' : 'instruments.refused'
  audit(entryOf(ITSELF, action, date, refusal === '' ? facts : { ...facts, refusal }))
}

async function underlyingPrice(marketData: MarketData, underlying: Instrument | undefined): Promise<Price | undefined> {
  if (underlying === undefined) return undefined
  const [quote] = await marketData.quotes([underlying])
  return quote === undefined || quote instanceof Error ? undefined : quote.ltp
}

/** Why an instrument that always has a price has none now; undefined when it has one. */
async function priceProblem(marketData: MarketData, instrument: Instrument | undefined): Promise<string | undefined> {
  if (instrument === undefined) return 'no instruments are loaded.'
  const [quote] = await marketData.quotes([instrument])
  return quote instanceof Error ? quote.message : undefined
}

async function priceOrNone(pending: Promise<Price>): Promise<Price | undefined> {
  try {
    return await pending
  } catch (error) {
    if (error instanceof Refusal && error.code === 'quote_unavailable') return undefined
    throw error
  }
}
