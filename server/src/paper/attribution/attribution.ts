import { assert } from '../../kernel/assert.ts'
import {
  absolute,
  add,
  least,
  type Money,
  money,
  negate,
  type Price,
  type Quantity,
  share,
  subtract,
  tradeValue,
  ZERO_MONEY,
  ZERO_PRICE,
  ZERO_QUANTITY,
} from '../../kernel/fixed.ts'
import type { Fill } from '../matching.ts'
import {
  type Holding,
  type InstrumentFacts,
  instrumentKey,
  type Order,
  type Position,
  type Product,
  positionKey,
} from '../order.ts'

/**
 * What each strategy has of an account that nets everything. A strategy has an average-cost position of its own in each
 * instrument and product, and every fill belongs to one strategy, whole, value and all. So for each strategy
 * `realised − cost of what is open` is the cash of its own fills, and these add up to the account's. From that follows
 * what holds to the paisa whatever the strategies do against each other: the sum of `realised + value of what is open` over all
 * strategies is that of the account at every price, and so is the sum of quantities in each instrument. Realised profit
 * alone differs while two strategies hold opposite positions: the account has closed what they have not.
 */
export interface StrategyTotals {
  /** Since the last reset. */
  realised: Money
  realisedToday: Money
  trades: number
  tradesToday: number
}

/** One strategy's position. Delivery: with what has become a holding; it may be short of what another strategy bought. */
export interface StrategyLine {
  readonly instrument: InstrumentFacts
  readonly product: Product
  quantity: Quantity
  /** Positive when paid (long), negative when received (short). */
  cost: Money
  realisedToday: Money
  /** Of its last fill. */
  lastPrice: Price
}

export interface Attribution {
  readonly strategies: Map<string, StrategyTotals>
  /** By `positionKey`, then by strategy; oldest first. */
  readonly lines: Map<string, Map<string, StrategyLine>>
}

/** Names that one account's books keep apart; fills of any further one belong to `OTHER_STRATEGIES`. */
export const STRATEGIES_MAX = 1_000
export const OTHER_STRATEGIES = '(others)'

/** Closing orders of nobody's own: what they close belongs to the strategies that held it. */
export const SQUARE_OFF_STRATEGY = 'AUTO_SQUARE_OFF'
export const EXPIRY_STRATEGY = 'EXPIRY_SETTLEMENT'

export const emptyAttribution = (): Attribution => ({ strategies: new Map(), lines: new Map() })

/**
 * Books a fill, after the account has, to whom it belongs. Opposite positions of strategies that a closing order leaves
 * behind when the account itself holds nothing any more can't be closed by any order: they are closed against each
 * other at its price. `charge`: what the fill cost besides, which each who has a part of it pays a part of.
 */
export function attribute(state: Attributed, order: Order, fill: Fill, value: Money, charge: Money): void {
  const { attribution } = state
  const key = positionKey(order.instrument, order.product)
  if (order.strategy !== SQUARE_OFF_STRATEGY && order.strategy !== EXPIRY_STRATEGY) {
    book(attribution, key, order, order.strategy, fill.quantity, value, charge, fill.price)
    return
  }
  let left = fill.quantity
  let unspent = value
  let unpaid = charge
  const pay = (strategy: string, quantity: Quantity): void => {
    const part = share(unspent, quantity, left, 'down')
    const paid = share(unpaid, quantity, left, 'down')
    book(attribution, key, order, strategy, quantity, part, paid, fill.price)
    left = subtract(left, quantity)
    unspent = subtract(unspent, part)
    unpaid = subtract(unpaid, paid)
  }
  for (const [strategy, line] of attribution.lines.get(key) ?? []) {
    if (left === 0) break
    const isClosed = order.action === 'SELL' ? line.quantity > 0 : line.quantity < 0
    if (isClosed) pay(strategy, least(left, absolute(line.quantity)))
  }
  if (left > 0) pay(order.strategy, left)
  if (!isHeld(state, key, order)) crossAt(attribution, key, fill.price)
}

function isHeld(state: Attributed, key: string, { instrument, product }: Order): boolean {
  if ((state.positions.get(key)?.quantity ?? 0) !== 0) return true
  return product === 'CNC' && state.holdings.has(instrumentKey(instrument))
}

function book(
  attribution: Attribution,
  key: string,
  order: Pick<Order, 'instrument' | 'product' | 'action'>,
  strategy: string,
  quantity: Quantity,
  value: Money,
  charge: Money,
  price: Price,
): void {
  const { name, totals } = totalsOf(attribution, strategy)
  const line = lineOf(attribution, key, name, order)
  const change = (order.action === 'BUY' ? quantity : -quantity) as Quantity
  const closing = line.quantity * change < 0 ? least(quantity, absolute(line.quantity)) : ZERO_QUANTITY
  const closingValue = closing === 0 ? ZERO_MONEY : share(value, closing, quantity, 'down')
  const opening = subtract(value, closingValue)
  const realised =
    closing === 0 ? ZERO_MONEY : close(line, closing, order.action === 'BUY' ? negate(closingValue) : closingValue)
  line.quantity = add(line.quantity, (Math.sign(change) * (quantity - closing)) as Quantity)
  line.cost = add(line.cost, order.action === 'BUY' ? opening : negate(opening))
  line.lastPrice = price
  realise(totals, line, charge === 0 ? realised : subtract(realised, charge))
  totals.trades += 1
  totals.tradesToday += 1
}

/** Takes `closing` out of a line against `proceeds` (negative when paid) and returns what that realises. */
function close(line: StrategyLine, closing: Quantity, proceeds: Money): Money {
  const cost = share(line.cost, closing, absolute(line.quantity), 'up')
  line.quantity = subtract(line.quantity, (Math.sign(line.quantity) * closing) as Quantity)
  line.cost = subtract(line.cost, cost)
  return subtract(proceeds, cost)
}

function realise(totals: StrategyTotals, line: StrategyLine, amount: Money): void {
  line.realisedToday = add(line.realisedToday, amount)
  totals.realised = add(totals.realised, amount)
  totals.realisedToday = add(totals.realisedToday, amount)
}

/**
 * Closes strategies' opposite positions, which are nothing for the account, against each other. No money leaves or comes:
 * the fractions of a paisa that values are rounded down by go to the oldest position.
 */
export function crossAt(attribution: Attribution, key: string, price: Price): void {
  const open = [...(attribution.lines.get(key) ?? [])].filter(([, line]) => line.quantity !== 0)
  const values = open.map(([, line]) => tradeValue(price, line.quantity, line.instrument.multiplier, 'down'))
  const rest = money(-values.reduce((sum, value) => sum + value, 0))
  for (const [index, [strategy, line]] of open.entries()) {
    const value = add(values[index] ?? ZERO_MONEY, index === 0 ? rest : ZERO_MONEY)
    line.lastPrice = price
    realise(totalsOf(attribution, strategy).totals, line, close(line, absolute(line.quantity), value))
  }
}

export function hasOpenLine(lines: ReadonlyMap<string, StrategyLine>): boolean {
  for (const line of lines.values()) if (line.quantity !== 0) return true
  return false
}

/** The day changes: what is closed leaves the books, apart from its profit. */
export function openAttributionDay(attribution: Attribution): void {
  for (const [key, lines] of attribution.lines) {
    for (const [strategy, line] of lines) {
      if (line.quantity === 0) lines.delete(strategy)
      else line.realisedToday = ZERO_MONEY
    }
    if (lines.size === 0) attribution.lines.delete(key)
  }
  for (const totals of attribution.strategies.values()) {
    totals.realisedToday = ZERO_MONEY
    totals.tradesToday = 0
  }
}

export function clearAttribution(attribution: Attribution): void {
  attribution.strategies.clear()
  attribution.lines.clear()
}

function totalsOf(attribution: Attribution, strategy: string): { name: string; totals: StrategyTotals } {
  const { strategies } = attribution
  const known = strategies.get(strategy)
  if (known !== undefined) return { name: strategy, totals: known }
  const name = strategies.size < STRATEGIES_MAX ? strategy : OTHER_STRATEGIES
  let totals = strategies.get(name)
  if (totals === undefined) {
    totals = { realised: ZERO_MONEY, realisedToday: ZERO_MONEY, trades: 0, tradesToday: 0 }
    strategies.set(name, totals)
  }
  return { name, totals }
}

function lineOf(
  { lines }: Attribution,
  key: string,
  strategy: string,
  { instrument, product }: Pick<Order, 'instrument' | 'product'>,
): StrategyLine {
  let ofKey = lines.get(key)
  if (ofKey === undefined) {
    ofKey = new Map()
    lines.set(key, ofKey)
  }
  let line = ofKey.get(strategy)
  if (line === undefined) {
    line = {
      instrument,
      product,
      quantity: ZERO_QUANTITY,
      cost: ZERO_MONEY,
      realisedToday: ZERO_MONEY,
      lastPrice: ZERO_PRICE,
    }
    ofKey.set(strategy, line)
  }
  return line
}

/** What an account has, as far as strategies share it. */
export interface Attributed {
  readonly realised: Money
  readonly realisedToday: Money
  readonly positions: ReadonlyMap<string, Position>
  readonly holdings: ReadonlyMap<string, Holding>
  readonly attribution: Attribution
}

/** Quantity and cost of what the account itself holds, by `positionKey`; delivery with its holdings. */
export function heldOf({
  positions,
  holdings,
}: Pick<Attributed, 'positions' | 'holdings'>): Map<string, { quantity: Quantity; cost: Money }> {
  const held = new Map<string, { quantity: Quantity; cost: Money }>()
  for (const [key, { quantity, cost }] of positions) held.set(key, { quantity, cost })
  for (const { instrument, quantity, cost } of holdings.values()) {
    const key = positionKey(instrument, 'CNC')
    const today = held.get(key)
    held.set(key, {
      quantity: add(quantity, today?.quantity ?? ZERO_QUANTITY),
      cost: add(cost, today?.cost ?? ZERO_MONEY),
    })
  }
  return held
}

/** Throws unless the strategies together are the account. */
export function assertAttributed(state: Attributed): void {
  const held = heldOf(state)
  let owned = 0
  for (const [key, lines] of state.attribution.lines) {
    let quantity = 0
    for (const [strategy, line] of lines) {
      assert(line.quantity !== 0 || line.cost === 0, `the flat position of ${strategy} in ${key} holds money`)
      quantity += line.quantity
      owned -= line.cost
    }
    const inAccount = held.get(key)?.quantity ?? 0
    assert(quantity === inAccount, `strategies hold ${quantity} of ${key}, the account ${inAccount}`)
  }
  for (const [key, { quantity }] of held)
    assert(
      quantity === 0 || state.attribution.lines.has(key),
      `no strategy holds ${key}, of which the account has some`,
    )
  for (const totals of state.attribution.strategies.values()) owned += totals.realised
  let account: number = state.realised
  for (const { cost } of held.values()) account -= cost
  assert(
    owned === account,
    `realised profit without open cost is ${owned} of the strategies, ${account} of the account`,
  )
}

/** For what an account had before strategies were kept apart: it is nobody's. */
export function unattributed(state: Omit<Attributed, 'attribution'>, trades: number): Attribution {
  const attribution = emptyAttribution()
  const { totals } = totalsOf(attribution, '')
  totals.realised = state.realised
  totals.realisedToday = state.realisedToday
  totals.trades = trades
  totals.tradesToday = trades
  const instruments = new Map<string, { readonly instrument: InstrumentFacts; readonly product: Product }>(
    state.positions,
  )
  for (const { instrument } of state.holdings.values())
    instruments.set(positionKey(instrument, 'CNC'), { instrument, product: 'CNC' })
  for (const [key, { quantity, cost }] of heldOf(state)) {
    const of = instruments.get(key)
    assert(of !== undefined, `nothing is known of ${key}`)
    const line = lineOf(attribution, key, '', of)
    line.quantity = quantity
    line.cost = cost
    line.realisedToday = state.positions.get(key)?.realisedToday ?? ZERO_MONEY
  }
  return attribution
}
