import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { approvedOperations, ordersOfApproval } from './api/approved.ts'
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
import type { Events, Ground } from './compose/ground.ts'
import { type Market, openMarket } from './compose/market.ts'
import { openOrders } from './compose/orders.ts'
import { openPeople } from './compose/people.ts'
import { type Config, changedSettings } from './config.ts'
import type { AccountStore } from './identity/accounts.ts'
import { entryOf, ITSELF } from './identity/audit.ts'
import type { BanList } from './identity/bans.ts'
import type { Identity } from './identity/identity.ts'
import type { KeyStore } from './identity/key-store.ts'
import { openSecret } from './identity/secret.ts'
import { assert } from './kernel/assert.ts'
import { EventBus } from './kernel/bus.ts'
import type { Clock } from './kernel/clock.ts'
import { Refusal } from './kernel/errors.ts'
import { dateAt } from './kernel/exchange-time.ts'
import { expiryCode } from './market/index.ts'
import { AuditLog } from './monitor/audit-log.ts'
import { standardChecks } from './monitor/checks.ts'
import type { FinishedRequest } from './monitor/finished-request.ts'
import { Health } from './monitor/health.ts'
import { LatencyMonitor, serverTiming } from './monitor/latency.ts'
import { Metrics } from './monitor/metrics.ts'
import { OrderLog } from './monitor/order-log.ts'
import { RequestRows } from './monitor/request-rows.ts'
import { TrafficLog } from './monitor/traffic-log.ts'
import { openExpiries } from './options/index.ts'
import { errorPages, mountPages } from './pages/index.ts'
import type { PaperExchange } from './paper/index.ts'
import { type Databases, openDatabases } from './storage/open.ts'
import { Approvals } from './trading/approvals.ts'
import { OrderEvents } from './trading/index.ts'
import type { KillSwitch } from './trading/risk/kill-switch.ts'
import type { LimitStore } from './trading/risk/limit-store.ts'

export type { Events } from './compose/ground.ts'

export const VERSION = '0.1.0'

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
 * Builds every room and connects them, without listening and without starting the clock's work. `requests` takes each
 * request when it has ended; `linesLost` tells how many lines the log has lost.
 */
export async function createApp(
  config: Config,
  clock: Clock,
  log: Logger,
  requests: RequestRows = new RequestRows(clock),
  linesLost: () => number = () => 0,
): Promise<App> {
  let databases: Databases | undefined
  try {
    databases = await openDatabases(config.dataDir, clock)
    return await connect(config, clock, log, { requests, linesLost }, databases)
  } catch (error) {
    requests.close()
    await databases?.close()
    throw error
  }
}

interface ProcessLog {
  readonly requests: RequestRows
  readonly linesLost: () => number
}

async function connect(
  config: Config,
  clock: Clock,
  log: Logger,
  { requests, linesLost }: ProcessLog,
  databases: Databases,
): Promise<App> {
  void databases.money.writer // its thread starts while the instruments are made
  const bus = new EventBus<Events>()
  const onError = (what: string) => (error: unknown) => log.error({ err: error }, what)
  let address = config.publicUrl
  const publicUrl = () => config.publicUrl || address

  // What is seen
  const audit = await AuditLog.open(databases.record, clock, config.dataDir, (error, events) =>
    events.length === 0
      ? log.error({ err: error }, 'audit.head could not be written')
      : log.fatal({ err: error, events }, 'the audit log could not be written; what was done is here'),
  )
  if (audit.brokenAt !== undefined)
    log.error(
      `row ${audit.brokenAt} of the audit log isn't as it was written, or isn't there: npm run doctor says more`,
    )
  const ground: Ground = { config, clock, log, databases, bus, audit, onError }
  audit.record(entryOf(ITSELF, 'sauda.started', VERSION, { settings: changedSettings(config) }))
  const traffic = await TrafficLog.open({
    telemetry: databases.telemetry,
    clock,
    requests,
    retention: { retentionMs: config.trafficRetentionDays * DAY_MS, rowsMax: config.trafficRowsMax },
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

  const market = await openMarket(ground)
  const ordering = await openOrders(ground, market, orderEvents, (keyId) => (keys.find(keyId)?.networks ?? '') !== '')
  const { paper, trading, gtts, idempotency, killSwitch, limits: limitStore } = ordering
  const people = await openPeople(ground, publicUrl, (id) => paper.openAccount(id))
  const { accounts, bans, identity, keys } = people
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
    ordersIn: ordersOfApproval(operations, () => services),
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

  // What every request meets, in order
  const latency = new LatencyMonitor(clock)
  const { checks, close: closeChecks } = standardChecks(
    config,
    {
      money: () => databases.money.writer,
      record: () => databases.record.writer,
      telemetry: () => databases.telemetry.writer,
      stoppedAccounts: () => paper.stoppedAccounts,
      askMarketData: () => priceProblem(market),
      dropped: () => traffic.dropped + orderLog.dropped,
      linesLost,
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
      log_lines_lost: figure('Lines that the log of the process lost, since nobody read them in time.', linesLost),
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
      limitOrders(limits, () => services),
      holdForApproval({
        orderMode: (account) => accounts.orderMode(account),
        queue: (wanted, alongside) => approvals.queue(wanted, alongside),
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
        if (visit.route !== '' && !visit.isPage) measure(latency, visit, finished)
      },
    ],
  }

  let stopFollowing = (): void => {}
  const services: Services = {
    ...market,
    ...ordering,
    ...people,
    instruments: market.universe,
    search: { find: (query, filter, limit) => market.universe.current.search.find(query, filter, limit) },
    cookies,
    approvals,
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
    nextExpiry: () => expiryCode(openExpiries(market.options.listed(), 'NIFTY', 'NFO')[0] ?? dateAt(clock.now())),
    headers: headers.docs,
  })
  mountProbes(http, { health, metrics, metricsToken: config.metricsToken })
  const endpoints = new Map(
    operations.map((operation) => [operation.name as string, endpointOf(operation, { services, pipeline, clock })]),
  )
  mountPages(http, {
    clock,
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
      market.candleDownloads.start()
      stopFollowing = market.universe.follow()
    },
    async close() {
      stopFollowing()
      health.close()
      approvals.close()
      closeChecks()
      orderEvents.endReaders()
      await http.close()
      await market.close()
      await paper.close()
      await orderEvents.close()
      requests.close()
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
  latency.record({ operation, steps, totalMs, status }, steps.startedAtMs + totalMs)
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

/** Why an instrument that always has a price has none now; undefined when it has one. */
async function priceProblem({ marketData, universe }: Market): Promise<string | undefined> {
  const instrument = universe.find('RELIANCE', 'NSE')
  if (instrument === undefined) return 'no instruments are loaded.'
  const [quote] = await marketData.quotes([instrument])
  return quote instanceof Error ? quote.message : undefined
}
