import { PRODUCTS } from '../brokers/venue.ts'
import { assert } from '../kernel/assert.ts'
import { dateAt } from '../kernel/exchange-time.ts'
import {
  add,
  type Money,
  money,
  type Price,
  type Quantity,
  subtract,
  ZERO_MONEY,
  ZERO_QUANTITY,
} from '../kernel/fixed.ts'
import type { Command, PlaceCommand } from './command.ts'
import { type InstrumentFacts, instrumentKey, type Order, positionKey, remainingOf, signed } from './order.ts'
import {
  portfolioRequirement,
  type Requirement,
  type RiskArray,
  type RiskBasis,
  type RiskClass,
  type RiskLeg,
  type RiskOrder,
  riskArray,
} from './portfolio-margin/index.ts'
import type { AccountState } from './state.ts'

/**
 * Portfolio margin in the account: all contracts on one underlying form a group, and the group, not its orders and
 * positions, holds the margin. The arrays that it is computed from are facts of the journal: a command brings those of
 * its own instrument when they are missing. As exchanges publish parameters a few times a day and not with every price,
 * all arrays of a group rest on one price of the underlying and one day; a command that places an order on another day,
 * or after the price moved by 1 % or more, brings those of the whole group anew. Nothing else renews them: what is held
 * without a new order keeps the margin of the last one.
 */
export interface PortfolioGroup {
  readonly key: string
  basis: RiskBasis
  requirement: Requirement
  /** By `instrumentKey`. */
  readonly members: Map<string, PortfolioMember>
}

export interface PortfolioMember {
  readonly instrument: InstrumentFacts
  risk: RiskArray
}

export interface Portfolio {
  readonly groups: Map<string, PortfolioGroup>
  /** The group of each instrument that is in one. */
  readonly groupOf: Map<string, PortfolioGroup>
  /** Groups whose requirement must be computed again. Empty between commands. */
  readonly changed: Set<PortfolioGroup>
}

/** What a new order's underlying looks like when it is placed. */
export interface RiskReference {
  readonly price: Price
  readonly riskClass: RiskClass
}

/** Arrays that a command brings: of its own instrument first; of the others in its group when the basis is new. */
export interface RiskFacts {
  readonly basis: RiskBasis
  readonly arrays: readonly (readonly [instrument: string, array: RiskArray])[]
}

/** Part of the basis by which the price must have moved for new arrays. */
const RENEWAL_PERCENT = 1

const NOTHING: Requirement = { span: ZERO_MONEY, exposure: ZERO_MONEY, total: ZERO_MONEY }

export const emptyPortfolio = (): Portfolio => ({ groups: new Map(), groupOf: new Map(), changed: new Set() })

export const groupKeyOf = ({ exchange, name }: InstrumentFacts): string => `${exchange}:${name}`

export const isInPortfolio = (state: AccountState, instrument: InstrumentFacts): boolean =>
  state.portfolio.groupOf.size > 0 && state.portfolio.groupOf.has(instrumentKey(instrument))

/** The command with the arrays that it needs, computed from the state that it is applied to. See `prepared`. */
export function withRisks(state: AccountState, command: Command): Command {
  switch (command.kind) {
    case 'place':
      return command.terms.reference === undefined ? command : placeWithRisks(state.portfolio, command)
    case 'fire-gtt': {
      const { reference, ...terms } = command.terms
      const instrument = state.gtts.get(command.gttId)?.instrument
      if (reference === undefined || instrument === undefined) return command
      return { ...command, terms, risks: riskFacts(state.portfolio, instrument, reference, command.at) }
    }
    case 'place-gtt':
    case 'modify-gtt': {
      // What a trigger reserves goes by leverage: its order may come days later
      const { reference, ...terms } = command.terms
      return reference === undefined ? command : { ...command, terms }
    }
    default:
      return command
  }
}

export function placeWithRisks(portfolio: Portfolio, command: PlaceCommand): PlaceCommand {
  const { reference, ...terms } = command.terms
  if (reference === undefined) return command
  return { ...command, terms, risks: riskFacts(portfolio, command.instrument, reference, command.at) }
}

/** The same for one of several orders: it brings its own array in any case, since one before it may end its group. */
export function legWithRisks(portfolio: Portfolio, command: PlaceCommand): PlaceCommand {
  const known = placeWithRisks(portfolio, command)
  if (known === command || known.risks !== undefined) return known
  const key = instrumentKey(command.instrument)
  const group = portfolio.groupOf.get(key)
  const member = group?.members.get(key)
  return group === undefined || member === undefined
    ? known
    : { ...known, risks: { basis: group.basis, arrays: [[key, member.risk]] } }
}

export function riskFacts(
  portfolio: Portfolio,
  instrument: InstrumentFacts,
  reference: RiskReference,
  at: number,
): RiskFacts | undefined {
  const key = instrumentKey(instrument)
  const group = portfolio.groups.get(groupKeyOf(instrument))
  const date = dateAt(at)
  const isCurrent = group !== undefined && group.basis.date === date && !hasMoved(group.basis.price, reference.price)
  if (isCurrent && group.members.has(key)) return undefined
  const basis = isCurrent ? group.basis : { date, ...reference }
  const own = [key, riskArray(instrument, basis)] as const
  if (isCurrent || group === undefined) return { basis, arrays: [own] }
  const others = [...group.members].filter(([member]) => member !== key)
  return {
    basis,
    arrays: [own, ...others.map(([member, held]) => [member, riskArray(held.instrument, basis)] as const)],
  }
}

const hasMoved = (from: Price, to: Price): boolean => Math.abs(to - from) * (100 / RENEWAL_PERCENT) >= from

/**
 * Takes the arrays of a command into the account. An instrument that wasn't in its group joins it with all that is held
 * and working in it: what that had reserved is free, and the group is computed again.
 */
export function joinPortfolio(state: AccountState, instrument: InstrumentFacts, risks: RiskFacts | undefined): void {
  if (risks === undefined) return
  if (takeArrays(state.portfolio, instrument, risks)) releaseOwn(state, instrumentKey(instrument))
  touchPortfolio(state, instrument)
}

/** True when the instrument wasn't a member before. */
function takeArrays({ groups, groupOf }: Portfolio, instrument: InstrumentFacts, risks: RiskFacts): boolean {
  const key = groupKeyOf(instrument)
  const group = groups.get(key) ?? { key, basis: risks.basis, requirement: NOTHING, members: new Map() }
  groups.set(key, group)
  group.basis = risks.basis
  let joins = false
  for (const [name, risk] of risks.arrays) {
    const member = group.members.get(name)
    if (member !== undefined) member.risk = risk
    else if (name === instrumentKey(instrument)) {
      group.members.set(name, { instrument, risk })
      groupOf.set(name, group)
      joins = true
    }
  }
  return joins
}

function releaseOwn(state: AccountState, name: string): void {
  for (const product of PRODUCTS) {
    const position = state.positions.get(`${name}:${product}`)
    if (position === undefined) continue
    state.reserved = subtract(state.reserved, position.margin)
    position.margin = ZERO_MONEY
  }
  for (const order of state.working.get(name) ?? []) {
    state.reserved = subtract(state.reserved, order.margin)
    order.margin = ZERO_MONEY
  }
}

/** Notes that what is held or working in an instrument changed. True when its margin is its group's. */
export function touchPortfolio(state: AccountState, instrument: InstrumentFacts): boolean {
  if (state.portfolio.groupOf.size === 0) return false
  const group = state.portfolio.groupOf.get(instrumentKey(instrument))
  if (group === undefined) return false
  state.portfolio.changed.add(group)
  return true
}

/** Computes again what changed. Instruments in which nothing is held or working leave their group. */
export function settlePortfolio(state: AccountState): void {
  const { groups, groupOf, changed } = state.portfolio
  if (changed.size === 0) return
  for (const group of changed) {
    for (const name of group.members.keys()) {
      if (isUsed(state, name)) continue
      group.members.delete(name)
      groupOf.delete(name)
    }
    const requirement = requirementOf(state, group)
    state.reserved = money(state.reserved + requirement.total - group.requirement.total)
    group.requirement = requirement
    if (group.members.size === 0) groups.delete(group.key)
  }
  changed.clear()
}

const isUsed = (state: AccountState, name: string): boolean =>
  state.working.has(name) ||
  PRODUCTS.some((product) => (state.positions.get(`${name}:${product}`)?.quantity ?? 0) !== 0)

/**
 * What a new order, or a changed one in place of the one with its id, would block on top of all that its group holds;
 * and what the group holds now, which differs from what it has reserved while arrays are new.
 */
export function portfolioIncrease(state: AccountState, order: Order): { required: Money; unsettled: Money } {
  const group = state.portfolio.groupOf.get(instrumentKey(order.instrument))
  assert(group !== undefined, `${order.instrument.symbol} is in no group`)
  const isSettled = !state.portfolio.changed.has(group)
  const now = isSettled ? group.requirement.total : requirementOf(state, group).total
  const required = subtract(requirementOf(state, group, order).total, now)
  return { required, unsettled: subtract(now, group.requirement.total) }
}

function requirementOf(state: AccountState, group: PortfolioGroup, extra?: Order): Requirement {
  if (group.members.size === 0) return NOTHING
  return portfolioRequirement([...group.members].map(([name, member]) => legOf(state, name, member, extra)))
}

function legOf(state: AccountState, name: string, { instrument, risk }: PortfolioMember, extra?: Order): RiskLeg {
  let held: Quantity = ZERO_QUANTITY
  let cost: Money = ZERO_MONEY
  for (const product of PRODUCTS) {
    const position = state.positions.get(positionKey(instrument, product))
    if (position === undefined) continue
    held = add(held, position.quantity)
    cost = add(cost, position.cost)
  }
  const working = state.working.get(name) ?? []
  const isOwn = extra !== undefined && instrumentKey(extra.instrument) === name
  const orders = isOwn ? [...working.filter(({ id }) => id !== extra.id), extra] : working
  return { risk, multiplier: instrument.multiplier, held, cost, orders: atOnePrice(orders) }
}

/** Orders of one side and price count as one: then many of them cost no more than few. */
function atOnePrice(orders: readonly Order[]): RiskOrder[] {
  const sums = new Map<string, RiskOrder>()
  for (const order of orders) {
    const key = `${order.action}${order.referencePrice}`
    const quantity = signed(order.action, remainingOf(order))
    const other = sums.get(key)
    const sum = other === undefined ? quantity : add(other.quantity, quantity)
    sums.set(key, { price: order.referencePrice, quantity: sum })
  }
  return [...sums.values()]
}

export function clearPortfolio({ portfolio }: AccountState): void {
  portfolio.groups.clear()
  portfolio.groupOf.clear()
  portfolio.changed.clear()
}

export interface EncodedGroup extends Omit<PortfolioGroup, 'members'> {
  readonly members: readonly PortfolioMember[]
}

export const encodePortfolio = ({ groups }: Portfolio): EncodedGroup[] =>
  [...groups.values()].map(({ members, ...group }) => ({ ...group, members: [...members.values()] }))

export function decodePortfolio(groups: readonly EncodedGroup[]): Portfolio {
  const portfolio = emptyPortfolio()
  for (const { members, ...rest } of groups) {
    const group: PortfolioGroup = {
      ...rest,
      members: new Map(members.map((member) => [instrumentKey(member.instrument), member])),
    }
    portfolio.groups.set(group.key, group)
    for (const name of group.members.keys()) portfolio.groupOf.set(name, group)
  }
  return portfolio
}

/** A copy that can change on its own; arrays and instruments never change. */
export const copyPortfolio = (portfolio: Portfolio): Portfolio => {
  const copy = decodePortfolio(encodePortfolio(portfolio))
  for (const group of copy.groups.values())
    for (const [name, member] of group.members) group.members.set(name, { ...member })
  return copy
}

/** Throws unless every group holds what its contracts need and they hold nothing; returns what the groups reserve. */
export function assertPortfolio(state: AccountState): number {
  const { groups, groupOf, changed } = state.portfolio
  assert(changed.size === 0, `${changed.size} groups aren't settled`)
  let reserved = 0
  let members = 0
  for (const [key, group] of groups) {
    assert(group.key === key && group.members.size > 0, `group ${key} is empty or has a wrong key`)
    const { total } = requirementOf(state, group)
    assert(group.requirement.total === total, `group ${key} has ${group.requirement.total} and needs ${total}`)
    for (const name of group.members.keys()) {
      assert(groupOf.get(name) === group && isUsed(state, name), `${name} is in group ${key} without need`)
      for (const order of state.working.get(name) ?? [])
        assert(order.margin === 0, `order ${order.id} has margin besides its group's`)
      for (const product of PRODUCTS)
        assert((state.positions.get(`${name}:${product}`)?.margin ?? 0) === 0, `${name} has margin besides its group's`)
    }
    reserved += total
    members += group.members.size
  }
  assert(groupOf.size === members, `${groupOf.size} instruments are in groups, ${members} are members`)
  return reserved
}
