import type { Venue } from '../brokers/venue.ts'
import type { Config } from '../config.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Price } from '../kernel/fixed.ts'
import { type Exchange, type Instrument, type MarketData, settlementPrice, underlyingOf } from '../market/index.ts'
import { PaperExchange, riskReference, type SessionRules, venueEventsOf } from '../paper/index.ts'
import { Idempotency } from '../trading/flow/idempotency.ts'
import { OrderFlow } from '../trading/flow/order-flow.ts'
import { Closings, Gtts, type OrderEvents, Trading } from '../trading/index.ts'
import { KillSwitch } from '../trading/risk/kill-switch.ts'
import { LimitStore } from '../trading/risk/limit-store.ts'
import { LimitsGate } from '../trading/risk/risk-gate.ts'
import type { Ground } from './ground.ts'
import type { Market } from './market.ts'

/** Limits, venues and the ways to them. */
export async function openOrders(
  { config, clock, log, databases, bus, audit, onError }: Ground,
  { universe, marketData, calendar }: Market,
  orderEvents: OrderEvents,
  isBound: (keyId: string) => boolean,
) {
  const brokerage = { perOrder: config.brokeragePerOrder, sharePerMillion: config.brokerageMillionths }
  const venueOf = (account: string): Venue | undefined => paper.venue(account)
  const limitStore = await LimitStore.open({
    money: databases.money,
    clock,
    audit: audit.record,
    isBound,
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
    brokerage: config.paperCharges === 'on' ? brokerage : undefined,
    mayFire: (account, firing) => gate.mayFire(account, firing),
    clock,
    log,
    keeper: {
      keptUntil: (account) => orderEvents.keptUntil(account),
      begin: (account, seq) => orderEvents.begin(account, seq),
      keep: (committed) => orderEvents.keep(committed.account, committed.seq, committed.at, venueEventsOf(committed)),
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
    brokerage,
  })
  const orders = new OrderFlow({
    find: (symbol, exchange) => universe.find(symbol, exchange),
    nearest: (symbol, exchange, count) => universe.nearest(symbol, exchange, count),
    venueOf,
    gate,
  })
  const closings = new Closings({ orders, gate, venueOf, find: (symbol, exchange) => universe.find(symbol, exchange) })
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
  const killSwitch = new KillSwitch({
    store: limitStore,
    gate,
    clock,
    accounts: () => paper.accounts,
    venueOf,
    closings,
    onError: onError('what a kill switch left undone could not be done'),
  })
  return { limits: limitStore, gate, paper, trading, orders, closings, idempotency, gtts, killSwitch }
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
