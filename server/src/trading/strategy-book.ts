import type {
  BooksReport,
  HoldingReport,
  PositionReport,
  Product,
  StrategyPositionReport,
  StrategyReport,
} from '../brokers/venue.ts'
import {
  absolute,
  add,
  averagePrice,
  type Money,
  type Price,
  type Quantity,
  subtract,
  tradeValue,
  ZERO_MONEY,
  ZERO_QUANTITY,
} from '../kernel/fixed.ts'
import type { Instrument } from '../market/instrument.ts'

/** Profit of a strategy, or of an account with all that it holds: positions and holdings. */
export interface ProfitSum {
  readonly realised: Money
  readonly unrealised: Money
  readonly total: Money
}

export interface ValuedStrategyPosition extends StrategyPositionReport {
  /** Undefined when the source has no price. */
  readonly ltp: Price | undefined
  readonly unrealised: Money
}

export interface ValuedStrategy extends StrategyReport, ProfitSum {
  readonly positions: readonly ValuedStrategyPosition[]
}

export interface StrategyBook {
  readonly strategies: readonly ValuedStrategy[]
  readonly account: ProfitSum
  /**
   * What the account has realised by netting strategies' opposite positions that they still hold: with it, realised and
   * unrealised of the strategies are each the account's. Its total is 0.
   */
  readonly netting: ProfitSum
}

const bookKey = ({ symbol, exchange, product }: { symbol: string; exchange: string; product: Product }): string =>
  `${exchange}:${symbol}:${product}`

interface Held {
  readonly instrument: Instrument
  readonly quantity: Quantity
  readonly cost: Money
  /** At the last price; at cost without one. */
  readonly value: Money
}

/**
 * Divides what an account is worth among its strategies, without losing a paisa: the value of each instrument and product
 * in the account is shared by the strategies that hold it, and what rounding leaves goes to the largest of them.
 * `priceOf` gives undefined when there is no price; opposite positions are then valued at the price of the last fill.
 */
export function strategyBookOf(
  books: BooksReport,
  priceOf: (instrument: Instrument) => Price | undefined,
): StrategyBook {
  const held = heldOf(books, priceOf)
  const byKey = Map.groupBy(books.strategyPositions, bookKey)
  const positions: ValuedStrategyPosition[] = []
  for (const [key, lines] of byKey) positions.push(...valued(lines, held.get(key), priceOf))
  const byStrategy = Map.groupBy(positions, (position) => position.strategy)
  const strategies = books.strategies.map((strategy) => {
    const own = byStrategy.get(strategy.strategy) ?? []
    return {
      ...strategy,
      ...profit(
        strategy.realised,
        sum(own, (position) => position.unrealised),
      ),
      positions: own,
    }
  })
  const unrealised = sum([...held.values()], ({ value, cost }) => subtract(value, cost))
  const account = profit(books.funds.realised, unrealised)
  const together = profit(
    sum(strategies, (strategy) => strategy.realised),
    sum(strategies, (strategy) => strategy.unrealised),
  )
  return {
    strategies,
    account,
    netting: profit(subtract(account.realised, together.realised), subtract(account.unrealised, together.unrealised)),
  }
}

const profit = (realised: Money, unrealised: Money): ProfitSum => ({
  realised,
  unrealised,
  total: add(realised, unrealised),
})

const sum = <Row>(rows: readonly Row[], amount: (row: Row) => Money): Money =>
  rows.reduce<Money>((total, row) => add(total, amount(row)), ZERO_MONEY)

function heldOf(
  { positions, holdings }: Pick<BooksReport, 'positions' | 'holdings'>,
  priceOf: (instrument: Instrument) => Price | undefined,
): Map<string, Held> {
  const held = new Map<string, Held>()
  const hold = (report: PositionReport | HoldingReport, product: Product): void => {
    const key = bookKey({ ...report, product })
    const { instrument, quantity, cost } = report
    const ltp = priceOf(instrument)
    const value = ltp === undefined ? cost : tradeValue(ltp, quantity, instrument.multiplier, 'down')
    const other = held.get(key)
    held.set(key, {
      instrument,
      quantity: add(quantity, other?.quantity ?? ZERO_QUANTITY),
      cost: add(cost, other?.cost ?? ZERO_MONEY),
      value: add(value, other?.value ?? ZERO_MONEY),
    })
  }
  for (const position of positions) hold(position, position.product)
  for (const holding of holdings) hold(holding, 'CNC')
  return held
}

function valued(
  lines: readonly StrategyPositionReport[],
  held: Held | undefined,
  priceOf: (instrument: Instrument) => Price | undefined,
): ValuedStrategyPosition[] {
  const [first] = lines
  if (first === undefined) return []
  const ltp = priceOf(held?.instrument ?? first.instrument)
  const values = lines.map((line) => {
    const price =
      ltp ??
      (held === undefined || held.quantity === 0
        ? line.lastPrice
        : averagePrice(held.cost, held.quantity, line.multiplier))
    return tradeValue(price, line.quantity, line.multiplier, 'down')
  })
  const rest = subtract(held?.value ?? ZERO_MONEY, values.reduce(add, ZERO_MONEY))
  const largest = largestOf(lines)
  return lines.map((line, index) => {
    const value = add(values[index] ?? ZERO_MONEY, line === largest ? rest : ZERO_MONEY)
    return { ...line, ltp, unrealised: subtract(value, line.cost) }
  })
}

/** The first of the largest. */
function largestOf(lines: readonly StrategyPositionReport[]): StrategyPositionReport | undefined {
  let largest = lines[0]
  for (const line of lines)
    if (largest === undefined || absolute(line.quantity) > absolute(largest.quantity)) largest = line
  return largest
}
