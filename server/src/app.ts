import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { mountDocs } from './api/docs/index.ts'
import { createHttp, mountOperations } from './api/http.ts'
import type { Services } from './api/services.ts'
import { operations } from './api/v1/index.ts'
import type { Config } from './config.ts'
import { KeyStore } from './identity/key-store.ts'
import { EventBus } from './kernel/bus.ts'
import type { Clock } from './kernel/clock.ts'
import { Refusal } from './kernel/errors.ts'
import type { Price } from './kernel/fixed.ts'
import {
  createCalendar,
  createSimulator,
  createUniverse,
  type Exchange,
  type Instrument,
  Listing,
  type MarketData,
  settlementPrice,
  underlyingOf,
} from './market/index.ts'
import { mountPages } from './pages/index.ts'
import { type Committed, PaperExchange, type SessionRules } from './paper/index.ts'
import { type Databases, openDatabases } from './storage/open.ts'
import { Trading } from './trading/index.ts'

export const VERSION = '0.1.0'

/** What the rooms tell each other. */
export type Events = {
  /** A committed command of a paper account, with what it did. */
  paper: Committed
}

export interface App {
  readonly http: FastifyInstance
  readonly keys: KeyStore
  readonly paper: PaperExchange
  readonly bus: EventBus<Events>
  /** Starts what runs by the clock. */
  start(): void
  /** Lets requests under way finish, then brings everything to disk. */
  close(): Promise<void>
}

/** Builds every room and connects them, without listening and without starting the clock's work. */
export async function createApp(config: Config, clock: Clock, log: Logger): Promise<App> {
  const databases = await openDatabases(config.dataDir, clock)
  try {
    return await connect(config, clock, log, databases)
  } catch (error) {
    await databases.close()
    throw error
  }
}

async function connect(config: Config, clock: Clock, log: Logger, databases: Databases): Promise<App> {
  void databases.money.writer // its thread starts while the instruments are made
  const bus = new EventBus<Events>()
  const keys = await KeyStore.open(databases.money, config.dataDir, clock)
  const calendar = createCalendar({ hours: config.marketHours })
  const listing = new Listing((date) => createUniverse({ date, seed: config.simulatorSeed }), clock)
  const marketData = createSimulator({ seed: config.simulatorSeed, clock, calendar })
  const paper = await PaperExchange.open({
    databases,
    accounts: (
      await databases.money.kysely.selectFrom('account').select('id').where('venue', '=', 'paper').execute()
    ).map(({ id }) => id),
    capital: config.paperCapital,
    marketData,
    underlyingPrice: (instrument) => underlyingPrice(marketData, underlyingOf(listing.store, instrument)),
    settlementPrice: (instrument) =>
      priceOrNone(settlementPrice({ market: marketData, store: listing.store, calendar }, instrument)),
    rules: sessionRules(config, calendar),
    margin: config,
    clock,
    log,
    publish: (committed) => bus.publish('paper', committed),
  })
  const trading = new Trading({
    find: (symbol, exchange) => listing.find(symbol, exchange),
    nearest: (symbol, exchange, count) => listing.nearest(symbol, exchange, count),
    marketData,
    venueOf: (account) => paper.venue(account),
  })
  const services: Services = { instruments: listing, search: listing, marketData, trading }
  const http = createHttp({ logger: log, bodyBytesMax: config.bodyLimitKib * 1024 })
  mountOperations(http, operations, services, { keys, clock })
  mountDocs(http, operations, { version: VERSION })
  mountPages(http)
  let stopFollowing = (): void => {}
  return {
    http,
    keys,
    paper,
    bus,
    start() {
      paper.start()
      stopFollowing = listing.follow((error) =>
        log.error({ err: error }, "today's instruments couldn't be loaded; yesterday's stay"),
      )
    },
    async close() {
      stopFollowing()
      await http.close()
      await paper.close()
      await databases.close()
    },
  }
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

async function underlyingPrice(marketData: MarketData, underlying: Instrument | undefined): Promise<Price | undefined> {
  if (underlying === undefined) return undefined
  const [quote] = await marketData.quotes([underlying])
  return quote === undefined || quote instanceof Error ? undefined : quote.ltp
}

async function priceOrNone(pending: Promise<Price>): Promise<Price | undefined> {
  try {
    return await pending
  } catch (error) {
    if (error instanceof Refusal && error.code === 'quote_unavailable') return undefined
    throw error
  }
}
