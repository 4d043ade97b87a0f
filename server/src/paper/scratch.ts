import { PRODUCTS } from '../brokers/venue.ts'
import { type Money, money, subtract } from '../kernel/fixed.ts'
import { emptyAttribution } from './attribution/attribution.ts'
import type { PlaceCommand } from './command.ts'
import type { Event } from './event.ts'
import { instrumentKey, type Order } from './order.ts'
import { OrdersById } from './orders-by-id.ts'
import { copyPortfolio, groupKeyOf, legWithRisks } from './portfolio.ts'
import { type AccountState, availableOf } from './state.ts'

/** Lent to a trial, in paise, so that nothing in it fails for funds: more than any orders of one request can need. */
const LOAN = 4e15

/** Places an order as any other and tells what came of it; the machine's own. */
export type Place = (state: AccountState, command: PlaceCommand, events: Event[]) => void

/** What orders would do to an account, placed one after the other. */
export interface Trial {
  /** The orders as they would be afterwards, in the order of the commands. */
  readonly orders: readonly Readonly<Order>[]
  /** The commands with the arrays that each needs after those before it. */
  readonly commands: readonly PlaceCommand[]
  /** What is blocked more than before; negative when they free more than they need. */
  readonly blocked: Money
  /** What becomes unavailable: what is blocked, and what closing positions loses. */
  readonly needed: Money
  readonly before: AccountState
  readonly after: AccountState
}

/** Places orders on a copy of all that they could touch, without asking for funds. The account itself stays as it is. */
export function tryOrders(state: AccountState, commands: readonly PlaceCommand[], place: Place): Trial {
  const after = copyOf(state, commands)
  const available = availableOf(after)
  const known = commands.map((command) => {
    const leg = legWithRisks(after.portfolio, command)
    // Charges are no margin: they refuse nothing
    place(after, leg.charges === undefined ? leg : { ...leg, charges: undefined }, [])
    return leg
  })
  const orders = commands.flatMap(({ orderId }) => after.orders.get(orderId) ?? [])
  return {
    orders,
    commands: known,
    blocked: subtract(after.reserved, state.reserved),
    needed: subtract(available, availableOf(after)),
    before: state,
    after,
  }
}

function copyOf(state: AccountState, commands: readonly PlaceCommand[]): AccountState {
  const keys = new Set(commands.map(({ instrument }) => instrumentKey(instrument)))
  for (const key of relatedTo(state, commands)) keys.add(key)
  const copy: AccountState = {
    ...state,
    capital: money(state.capital + LOAN),
    orders: new OrdersById(),
    trades: [],
    working: new Map(),
    positions: new Map(),
    holdings: new Map(),
    taken: new Map(),
    gtts: new Map(),
    watched: new Map(),
    activeGttCount: 0,
    portfolio: copyPortfolio(state.portfolio),
    attribution: emptyAttribution(),
  }
  for (const key of keys) {
    const orders = state.working.get(key)?.map((order) => ({ ...order }))
    if (orders !== undefined) copy.working.set(key, orders)
    for (const order of orders ?? []) copy.orders.set(order)
    for (const product of PRODUCTS) copyEntry(state.positions, copy.positions, `${key}:${product}`)
    copyEntry(state.holdings, copy.holdings, key)
    copyEntry(state.taken, copy.taken, key)
  }
  return copy
}

/** What is margined together with what is ordered. */
function relatedTo(state: AccountState, commands: readonly PlaceCommand[]): string[] {
  const groups = new Set(commands.flatMap(({ instrument }) => state.portfolio.groups.get(groupKeyOf(instrument)) ?? []))
  return [...groups].flatMap(({ members }) => [...members.keys()])
}

function copyEntry<T extends object>(from: ReadonlyMap<string, T>, to: Map<string, T>, key: string): void {
  const entry = from.get(key)
  if (entry !== undefined) to.set(key, { ...entry })
}
