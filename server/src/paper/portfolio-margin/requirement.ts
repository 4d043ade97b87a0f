import {
  type Money,
  type Multiplier,
  money,
  negate,
  type Price,
  type Quantity,
  tradeValue,
  ZERO_MONEY,
} from '../../kernel/fixed.ts'
import type { RiskArray } from './risk-array.ts'

/** An order that may still be filled; of several at one price, all of them. */
export interface RiskOrder {
  /** Signed: positive buys. */
  readonly quantity: Quantity
  readonly price: Price
}

/** All that is held and working in one contract. */
export interface RiskLeg {
  readonly risk: RiskArray
  readonly multiplier: Multiplier
  /** Signed. */
  readonly held: Quantity
  /** Premium paid for what is held, negative when received. Counts for options only. */
  readonly cost: Money
  readonly orders: readonly RiskOrder[]
}

export interface Requirement {
  /** Net premium and what the worst scenario costs on top. */
  readonly span: Money
  readonly exposure: Money
  readonly total: Money
}

/**
 * What the contracts on one underlying block together, in paise, rounded up.
 *
 * Net premium paid, plus what closing would cost in the worst scenario, plus the charge for long and short in different
 * expiries; at least the premium, or the minimum of the sold options. What an option is worth in a scenario pays for
 * what another costs there and for nothing else: bought ones alone block their premium. So options of one expiry whose
 * loss is limited never block more than it.
 *
 * Working orders count where they make it worse: in each scenario those that lose there, at their own price. That is the
 * dearest that any of them being filled can make it, so a fill at an order's price or a cancellation never needs more.
 * The charges that aren't of a scenario are the dearest of: as held, all purchases filled, all sales, all orders.
 */
export function portfolioRequirement(legs: readonly RiskLeg[]): Requirement {
  let premium = 0
  let premiumOfOrders = 0
  const cost = new Float64Array(legs[0]?.risk.values.length ?? 1) // of integers: exact
  for (const { risk, multiplier, held, cost: paid, orders } of legs) {
    const isOption = risk.option !== ''
    if (isOption) premium += paid
    add(cost, risk.values, negate(held), multiplier, undefined)
    for (const order of orders) {
      const paidFor = isOption ? premiumOf(order, multiplier) : ZERO_MONEY
      premiumOfOrders += Math.max(0, paidFor)
      add(cost, risk.values, negate(order.quantity), multiplier, paidFor)
    }
  }
  const charges = dearest(legs)
  const [now = 0, ...scenarios] = cost
  const worst = Math.max(premiumOfOrders, now + charges.minimum, Math.max(...scenarios) + charges.calendar)
  const span = money(Math.max(0, premium + worst))
  return { span, exposure: charges.exposure, total: money(span + charges.exposure) }
}

/** Adds what a quantity comes to in each scenario; of an order, with its premium, only where that is a loss. */
function add(
  cost: Float64Array,
  values: readonly number[],
  quantity: Quantity,
  multiplier: Multiplier,
  premium: Money | undefined,
): void {
  if (quantity === 0) return
  for (let scenario = 0; scenario < values.length; scenario += 1) {
    const amount = amountOf(values[scenario] ?? 0, quantity, multiplier)
    cost[scenario] = (cost[scenario] ?? 0) + (premium === undefined ? amount : Math.max(0, premium + amount))
  }
}

const amountOf = (value: number, quantity: Quantity, multiplier: Multiplier): Money =>
  quantity === 0 || value === 0 ? ZERO_MONEY : tradeValue(value as Price, quantity, multiplier, 'up')

const premiumOf = (order: RiskOrder, multiplier: Multiplier): Money =>
  tradeValue(order.price, order.quantity, multiplier, 'up')

interface Charges {
  readonly minimum: Money
  readonly exposure: Money
  readonly calendar: Money
}

function dearest(legs: readonly RiskLeg[]): Charges {
  const bought = legs.map(({ orders }) => orders.reduce((sum, { quantity }) => sum + Math.max(0, quantity), 0))
  const sold = legs.map(({ orders }) => orders.reduce((sum, { quantity }) => sum + Math.min(0, quantity), 0))
  const working = legs.some(({ orders }) => orders.length > 0)
  const ways = working ? ([0, 1, 2, 3] as const) : ([0] as const)
  const each = ways.map((way) =>
    chargesOf(
      legs,
      legs.map(
        ({ held }, index) =>
          (held + (way & 1 ? (bought[index] ?? 0) : 0) + (way & 2 ? (sold[index] ?? 0) : 0)) as Quantity,
      ),
    ),
  )
  const most = (name: keyof Charges): Money => money(Math.max(...each.map((charges) => charges[name])))
  return { minimum: most('minimum'), exposure: most('exposure'), calendar: most('calendar') }
}

/** Of positions of these sizes. A sold option is covered by a bought one of its expiry and right, whatever their strikes. */
function chargesOf(legs: readonly RiskLeg[], quantities: readonly Quantity[]): Charges {
  const minimums = new Map<string, number>()
  const exposures = new Map<string, number>()
  const futures = new Map<string, number>()
  const deltas = new Map<string, number>()
  for (const [index, { risk, multiplier }] of legs.entries()) {
    const quantity = quantities[index] ?? (0 as Quantity)
    if (quantity === 0) continue
    const { option, expiry } = risk
    const exposure = amountOf(risk.exposure, quantity, multiplier)
    if (option === '') count(futures, expiry, exposure)
    else {
      count(exposures, option + expiry, exposure)
      count(minimums, option + expiry, amountOf(risk.minimum, quantity, multiplier))
    }
    count(deltas, expiry, amountOf(risk.calendar, quantity, multiplier))
  }
  const uncovered = (sums: Map<string, number>): number => {
    let sum = 0
    for (const net of sums.values()) sum += Math.max(0, -net)
    return sum
  }
  const [long, short] = sidesOf(futures)
  // A spread of futures pays on a third of one side.
  const ofFutures = Math.abs(long - short) + Math.ceil(Math.min(long, short) / 3)
  return {
    minimum: money(uncovered(minimums)),
    exposure: money(uncovered(exposures) + ofFutures),
    calendar: money(Math.min(...sidesOf(deltas))),
  }
}

function count(sums: Map<string, number>, key: string, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount)
}

/** What is long, and what is short, over all expiries. */
function sidesOf(sums: ReadonlyMap<string, number>): [long: number, short: number] {
  let long = 0
  let short = 0
  for (const net of sums.values()) {
    if (net > 0) long += net
    else short -= net
  }
  return [long, short]
}
