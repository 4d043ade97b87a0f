import type { Action, LastingCause, OrderStatus, PriceType, Product } from '../brokers/venue.ts'
import type { ChargeTerms } from '../charges/index.ts'
import type { ExchangeDate } from '../kernel/exchange-time.ts'
import type { Money, Multiplier, Price, Quantity } from '../kernel/fixed.ts'
import type { Exchange, Instrument, InstrumentKind } from '../market/instrument.ts'
import type { RiskReference } from './portfolio.ts'
import type { OrderSteps } from './steps.ts'

export type { Action, OrderStatus, PriceType, Product }

/** What the exchange must know of an instrument to judge an order. Travels in the command, so that replay never asks. */
export interface InstrumentFacts {
  readonly id: number
  readonly symbol: string
  readonly exchange: Exchange
  readonly kind: InstrumentKind
  readonly name: string
  readonly strike: Price
  readonly lotSize: Quantity
  readonly tickSize: Price
  readonly freezeQuantity: Quantity
  readonly multiplier: Multiplier
  readonly expiry: ExchangeDate | undefined
}

const factsByInstrument = new WeakMap<Instrument, InstrumentFacts>()
const instrumentByFacts = new WeakMap<InstrumentFacts, Instrument>()

export function factsOf(instrument: Instrument): InstrumentFacts {
  let facts = factsByInstrument.get(instrument)
  if (facts === undefined) {
    facts = readFacts(instrument)
    factsByInstrument.set(instrument, facts)
    instrumentByFacts.set(facts, instrument)
  }
  return facts
}

function readFacts(instrument: Instrument): InstrumentFacts {
  return {
    id: instrument.id,
    symbol: instrument.symbol,
    exchange: instrument.exchange,
    kind: instrument.kind,
    name: instrument.name,
    strike: instrument.strike,
    lotSize: instrument.lotSize,
    tickSize: instrument.tickSize,
    freezeQuantity: instrument.freezeQuantity,
    multiplier: instrument.multiplier,
    expiry: instrument.expiry,
  }
}

/** The instrument again, for pricing what may no longer be listed: then the source's own names of it are gone. */
export function instrumentOf(facts: InstrumentFacts): Instrument {
  let instrument = instrumentByFacts.get(facts)
  if (instrument === undefined) {
    instrument = { ...facts, token: String(facts.id), sourceSymbol: facts.symbol, sourceExchange: facts.exchange }
    instrumentByFacts.set(facts, instrument)
  }
  return instrument
}

/** How the opening part of an order is margined. */
export interface MarginTerms {
  /** 500 is 5x: the exchange blocks a fifth of the notional. */
  readonly leverageHundredths: number
  /** Price the notional is computed on instead of the order's own; 0 for the order's own. Set for short options. */
  readonly notionalPrice: Price
  /** Set where the portfolio decides instead. Commands carry what follows from it, and not this. */
  readonly reference?: RiskReference | undefined
}

export interface Order {
  readonly id: string
  readonly instrument: InstrumentFacts
  readonly action: Action
  readonly priceType: PriceType
  readonly product: Product
  readonly strategy: string
  /** Of the intent behind it; absent when it has none. */
  readonly tag?: string | undefined
  /** Of its story; absent when the order begins one. */
  readonly root?: string | undefined
  /** Its place among the orders of one request, from 0; absent when no request asked for it. */
  readonly leg?: number | undefined
  /** Name of the operation that decided about it; absent when its owner did. */
  readonly origin?: string | undefined
  /** Of the program that sent it; absent without one. */
  readonly algoId?: string | undefined
  readonly placedAt: number
  readonly terms: MarginTerms
  /** By which its trades are charged; absent when they cost nothing. */
  readonly charges?: ChargeTerms | undefined
  quantity: Quantity
  disclosedQuantity: Quantity
  /** Limit price; 0 for MARKET and SL-M. */
  price: Price
  /** Trigger; 0 for MARKET and LIMIT. */
  triggerPrice: Price
  status: OrderStatus
  /** True once a stop has been triggered: from then on it is a limit or market order. */
  triggered: boolean
  filledQuantity: Quantity
  /** Sum of the values of its trades. */
  filledValue: Money
  trades: number
  /** Price its margin is computed on. */
  referencePrice: Price
  /** Reserved now for the part that would open or increase a position. */
  margin: Money
  /** Why it was rejected, or cancelled by the exchange; empty otherwise. */
  reason: string
  /** Absent when it wasn't rejected, or for a reason of its own. */
  cause?: LastingCause
  updatedAt: number
  /** Absent when it was neither modified nor triggered. */
  steps?: OrderSteps
}

export interface Trade {
  readonly id: string
  readonly orderId: string
  readonly instrument: InstrumentFacts
  readonly action: Action
  readonly product: Product
  readonly strategy: string
  readonly quantity: Quantity
  readonly price: Price
  readonly value: Money
  /** What it cost besides its price; absent when the account isn't charged. */
  readonly charges?: Money | undefined
  /** Profit or loss that this trade realised, without its charges. */
  readonly realised: Money
  readonly at: number
}

export interface Position {
  readonly instrument: InstrumentFacts
  readonly product: Product
  /** Signed: positive long, negative short, 0 once closed today. */
  quantity: Quantity
  /** What the open quantity cost: positive when paid (long), negative when received (short). */
  cost: Money
  margin: Money
  realisedToday: Money
  /** When the position was last opened from flat. */
  openedAt: number
  updatedAt: number
}

export interface Holding {
  readonly instrument: InstrumentFacts
  quantity: Quantity
  cost: Money
  settledOn: ExchangeDate
}

export const isWorking = (order: Pick<Order, 'status'>): boolean =>
  order.status === 'open' || order.status === 'trigger pending'

export const remainingOf = (order: Pick<Order, 'quantity' | 'filledQuantity'>): Quantity =>
  (order.quantity - order.filledQuantity) as Quantity

/** Signed quantity that a fill adds to a position. */
export const signed = (action: Action, quantity: Quantity): Quantity =>
  (action === 'BUY' ? quantity : -quantity) as Quantity

type Named = Pick<InstrumentFacts, 'symbol' | 'exchange'>

/** What was named last: one command is about one instrument, and asks for its name a dozen times. */
let lastNamed: Named | undefined
let lastKey = ''
let lastProduct: Product = 'MIS'
let lastPositionKey = ''

/** Under which books keep an instrument. */
export function instrumentKey(instrument: Named): string {
  if (instrument !== lastNamed) name(instrument)
  return lastKey
}

/** Under which books keep what is held of an instrument as a product. */
export function positionKey(instrument: Named, product: Product): string {
  if (instrument !== lastNamed) name(instrument)
  if (product !== lastProduct || lastPositionKey === '') {
    lastProduct = product
    lastPositionKey = `${lastKey}:${product}`
  }
  return lastPositionKey
}

function name(instrument: Named): void {
  lastNamed = instrument
  lastKey = `${instrument.exchange}:${instrument.symbol}`
  lastPositionKey = ''
}

/** Paid with cash in full when opened: delivery, and bought options without leverage. Its margin is exactly its cost. */
export function isPaidInFull(order: Pick<Order, 'action' | 'product' | 'instrument' | 'terms'>): boolean {
  if (order.action !== 'BUY' || order.terms.leverageHundredths !== 100) return false
  const { kind } = order.instrument
  return order.product === 'CNC' || kind === 'CE' || kind === 'PE'
}
