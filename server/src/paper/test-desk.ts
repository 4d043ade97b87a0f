import { assert } from '../kernel/assert.ts'
import {
  formatMoney,
  type Money,
  moneyOf,
  multiplierOf,
  type Price,
  priceOf,
  type Quantity,
  quantityOf,
} from '../kernel/fixed.ts'
import type { ChargeTable } from './charge-table.ts'
import type { Book, Command, SessionFacts } from './command.ts'
import type { Event } from './event.ts'
import { apply, judge } from './machine.ts'
import {
  type Action,
  type InstrumentFacts,
  instrumentKey,
  type MarginTerms,
  type Order,
  type Position,
  type PriceType,
  type Product,
  positionKey,
} from './order.ts'
import type { RiskReference } from './portfolio.ts'
import { prepared } from './prepared.ts'
import { type AccountState, assertInvariants, availableOf, openAccount } from './state.ts'

/** A trader's desk for tests: one account, quotes given by hand, every book checked after every command. */

export const OPEN: SessionFacts = { open: true, closedReason: '', squareOffAt: Number.MAX_SAFE_INTEGER }
const START_AT = Date.parse('2026-08-04T04:30:00Z')

export function instrument(over: Partial<InstrumentFacts> = {}): InstrumentFacts {
  return {
    id: 1,
    symbol: 'SBIN',
    exchange: 'NSE',
    kind: 'EQ',
    name: 'STATE BANK OF INDIA',
    strike: priceOf(0),
    lotSize: quantityOf(1),
    tickSize: priceOf('0.05'),
    freezeQuantity: quantityOf(0),
    multiplier: multiplierOf(1),
    expiry: undefined,
    ...over,
  }
}

export const SBIN = instrument()
export const RELIANCE = instrument({ id: 2, symbol: 'RELIANCE', name: 'RELIANCE INDUSTRIES' })
export const NIFTY_FUT = instrument({
  id: 3,
  symbol: 'NIFTY25AUG26FUT',
  exchange: 'NFO',
  kind: 'FUT',
  name: 'NIFTY',
  lotSize: quantityOf(65),
  freezeQuantity: quantityOf(1800),
  expiry: '2026-08-25',
})
export const NIFTY_CE = instrument({
  id: 4,
  symbol: 'NIFTY25AUG2625000CE',
  exchange: 'NFO',
  kind: 'CE',
  name: 'NIFTY',
  strike: priceOf(25000),
  lotSize: quantityOf(65),
  freezeQuantity: quantityOf(1800),
  expiry: '2026-08-25',
})
export const USDINR = instrument({
  id: 5,
  symbol: 'USDINR27AUG26FUT',
  exchange: 'CDS',
  kind: 'FUT',
  name: 'USDINR',
  lotSize: quantityOf(1000),
  tickSize: priceOf('0.0025'),
  expiry: '2026-08-27',
})
export const BTC_PERP = instrument({
  id: 6,
  symbol: 'BTCUSDFUT',
  exchange: 'CRYPTO',
  kind: 'PERPFUT',
  name: 'BTC',
  tickSize: priceOf('0.5'),
  multiplier: multiplierOf('0.001'),
})
export const BTC_SPOT = instrument({
  id: 7,
  symbol: 'BTCINR',
  exchange: 'CRYPTO',
  kind: 'SPOT',
  name: 'BTC',
  tickSize: priceOf('0.01'),
  lotSize: quantityOf('0.00001'),
})
export const NIFTY_INDEX = instrument({
  id: 8,
  symbol: 'NIFTY',
  exchange: 'NSE_INDEX',
  kind: 'INDEX',
  name: 'NIFTY 50',
})

export interface OrderInput {
  readonly on?: InstrumentFacts
  readonly quantity: number | string
  readonly type?: PriceType
  readonly product?: Product
  readonly price?: number | string
  readonly trigger?: number | string
  readonly disclosed?: number | string
  readonly terms?: MarginTerms
  readonly session?: SessionFacts
  readonly strategy?: string
}

export class Desk {
  state: AccountState
  now = START_AT
  readonly events: Event[] = []
  readonly commands: Command[] = []
  /** What contracts are margined by together; by leverage where it gives nothing. */
  reference: (on: InstrumentFacts) => RiskReference | undefined = () => undefined
  /** What orders are charged by from now on; without one they cost nothing. */
  charges: ChargeTable | undefined
  readonly #books = new Map<string, Book>()
  #nextId = 1

  constructor(capital: string | number = '10000000.00') {
    this.state = openAccount('default', moneyOf(capital), this.now, '2026-08-04')
  }

  /** Sets the quote: last price, bid and ask with plenty behind them, or levels of [price, quantity]. */
  quote(
    on: InstrumentFacts,
    ltp: number | string,
    bid: number | string = ltp,
    ask: number | string = ltp,
    size: number | string = 1_000_000,
  ): this {
    return this.book(on, ltp, [[bid, size]], [[ask, size]])
  }

  book(
    on: InstrumentFacts,
    ltp: number | string,
    bids: readonly (readonly [number | string, number | string])[],
    asks: readonly (readonly [number | string, number | string])[],
  ): this {
    this.now += 1_000
    const levels = (side: typeof bids): (readonly [Price, Quantity])[] =>
      side.map(([at, size]) => [priceOf(at), quantityOf(size)] as const)
    this.#books.set(instrumentKey(on), { at: this.now, ltp: priceOf(ltp), bids: levels(bids), asks: levels(asks) })
    return this
  }

  setBook(on: InstrumentFacts, book: Book): void {
    this.#books.set(instrumentKey(on), book)
  }

  bookOf(on: InstrumentFacts): Book | undefined {
    return this.#books.get(instrumentKey(on))
  }

  apply(given: Command): Event[] {
    const command = prepared(this.state, given)
    judge(this.state, command)
    const events = apply(this.state, command)
    this.commands.push(command)
    this.events.push(...events)
    assertInvariants(this.state)
    this.assertMoneyIsConserved()
    return events
  }

  #orderId(): string {
    this.#nextId += 1
    return `260804${String(this.#nextId).padStart(8, '0')}`
  }

  buy(input: OrderInput): Order {
    return this.place('BUY', input)
  }

  sell(input: OrderInput): Order {
    return this.place('SELL', input)
  }

  place(action: Action, input: OrderInput): Order {
    const on = input.on ?? SBIN
    const product = input.product ?? (on.exchange === 'NSE' ? 'MIS' : 'NRML')
    const orderId = this.#orderId()
    this.apply({
      kind: 'place',
      at: this.now,
      orderId,
      instrument: on,
      action,
      quantity: quantityOf(input.quantity),
      priceType: input.type ?? 'MARKET',
      product,
      price: priceOf(input.price ?? 0),
      triggerPrice: priceOf(input.trigger ?? 0),
      disclosedQuantity: quantityOf(input.disclosed ?? 0),
      strategy: input.strategy ?? 'test',
      terms: { ...(input.terms ?? termsFor(on, product, action)), reference: this.reference(on) },
      charges: this.charges?.ofOrder(on, action, product, this.now),
      session: input.session ?? OPEN,
      book: this.bookOf(on),
    })
    return this.order(orderId)
  }

  /** Lets the working orders of an instrument meet its current quote, as the scheduler does. */
  tick(on: InstrumentFacts = SBIN): void {
    const book = this.bookOf(on)
    assert(book !== undefined, `no quote for ${on.symbol}`)
    this.apply({ kind: 'quote', at: this.now, symbol: on.symbol, exchange: on.exchange, book })
  }

  modify(
    order: Order,
    change: { quantity?: number | string; price?: number | string; trigger?: number | string },
  ): void {
    this.apply({
      kind: 'modify',
      at: this.now,
      orderId: order.id,
      quantity: change.quantity === undefined ? order.quantity : quantityOf(change.quantity),
      disclosedQuantity: order.disclosedQuantity,
      price: priceOf(change.price ?? 0),
      triggerPrice: priceOf(change.trigger ?? 0),
      session: OPEN,
      book: this.bookOf(order.instrument),
    })
  }

  cancel(order: Order): void {
    this.apply({ kind: 'cancel', at: this.now, orderId: order.id })
  }

  squareOff(...ons: InstrumentFacts[]): void {
    const closes = ons.flatMap((on) => {
      const book = this.bookOf(on)
      assert(book !== undefined, `no quote for ${on.symbol}`)
      const held = this.position(on, 'MIS')
      if (held === undefined || held.quantity === 0) return []
      const charges = this.charges?.ofOrder(on, closingAction(held), 'MIS', this.now)
      return [{ symbol: on.symbol, exchange: on.exchange, orderId: this.#orderId(), book, charges }]
    })
    this.apply({
      kind: 'square-off',
      at: this.now,
      exchanges: ['NSE', 'BSE', 'NFO', 'BFO', 'CDS', 'MCX', 'CRYPTO'],
      closes,
    })
  }

  expire(on: InstrumentFacts, at: number | string): void {
    const closes = (['MIS', 'NRML'] as const).flatMap((product) => {
      const held = this.position(on, product)
      if (held === undefined || held.quantity === 0) return []
      const charges = this.charges?.ofSettlement(on, closingAction(held), product, this.now)
      return [{ product, orderId: this.#orderId(), charges }]
    })
    this.apply({
      kind: 'expire',
      at: this.now,
      symbol: on.symbol,
      exchange: on.exchange,
      settlementPrice: priceOf(at),
      closes,
    })
  }

  openSession(date: string): void {
    this.apply({ kind: 'open-session', at: this.now, date })
  }

  reset(capital: string | number = '10000000.00'): void {
    this.apply({ kind: 'reset', at: this.now, capital: moneyOf(capital) })
  }

  order(id: string): Order {
    const order = this.state.orders.get(id)
    assert(order !== undefined, `no order ${id}`)
    return order
  }

  position(
    on: InstrumentFacts = SBIN,
    product: Product = on.exchange === 'NSE' ? 'MIS' : 'NRML',
  ): Position | undefined {
    return this.state.positions.get(positionKey(on, product))
  }

  /** Available, reserved and realised as text, the columns of the worked examples. */
  get funds(): { available: string; used: string; realised: string } {
    return {
      available: formatMoney(availableOf(this.state)),
      used: formatMoney(this.state.reserved),
      realised: formatMoney(this.state.realised),
    }
  }

  /**
   * Money by another road: cash that went out and came in through trades and their charges since the last reset, plus
   * what is still held at cost, must equal what was realised. Independent of how the state books it.
   */
  assertMoneyIsConserved(): void {
    let sold = 0
    let bought = 0
    let charged = 0
    let realised = 0
    let from = this.events.length
    while (from > 0 && this.events[from - 1]?.kind !== 'reset') from -= 1
    for (const event of this.events.slice(from)) {
      if (event.kind !== 'trade') continue
      if (event.trade.action === 'SELL') sold += event.trade.value
      else bought += event.trade.value
      charged += event.trade.charges ?? 0
      realised += event.trade.realised
    }
    let heldAtCost = 0
    for (const position of this.state.positions.values()) heldAtCost += position.cost
    for (const holding of this.state.holdings.values()) heldAtCost += holding.cost
    assert(
      sold - bought - charged + heldAtCost === this.state.realised,
      `trades brought ${sold - bought - charged}, held at cost ${heldAtCost}, realised ${this.state.realised}`,
    )
    assert(realised === this.state.realised, `trades realised ${realised}, the account ${this.state.realised}`)
  }
}

export function termsFor(
  on: InstrumentFacts,
  product: Product,
  action: Action,
  notionalPrice: Price | 0 = 0,
): MarginTerms {
  const option = on.kind === 'CE' || on.kind === 'PE'
  const leverageHundredths =
    product === 'CNC'
      ? 100
      : on.exchange === 'NSE'
        ? 500
        : option
          ? action === 'SELL' && notionalPrice > 0
            ? 1000
            : 100
          : 1000
  return { leverageHundredths, notionalPrice: notionalPrice as Price }
}

const closingAction = ({ quantity }: Position): Action => (quantity > 0 ? 'SELL' : 'BUY')

export const rupees = (text: string | number): Money => moneyOf(text)
