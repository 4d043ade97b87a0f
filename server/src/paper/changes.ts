import { ZERO_MONEY, ZERO_QUANTITY } from '../kernel/fixed.ts'
import type { Command } from './command.ts'
import type { Event } from './event.ts'
import { instrumentKey, type Position, positionKey, type Trade } from './order.ts'
import { fundsReportOf } from './reports.ts'
import type { AccountState } from './state.ts'

/** The money of an account, to tell whether a command changes it. */
export interface MoneyBefore {
  readonly capital: number
  readonly realised: number
  readonly realisedToday: number
  readonly reserved: number
  readonly holdingsCost: number
}

export const moneyBefore = ({
  capital,
  realised,
  realisedToday,
  reserved,
  holdingsCost,
}: AccountState): MoneyBefore => ({
  capital,
  realised,
  realisedToday,
  reserved,
  holdingsCost,
})

/** Adds to what a command did what it thereby changed: the positions and holdings of its trades, and the funds. */
export function noteChanges(state: AccountState, command: Command, before: MoneyBefore, events: Event[]): void {
  noteTraded(state, events)
  if (command.kind === 'open-session') noteSession(state, events)
  if (
    command.kind === 'reset' ||
    state.reserved !== before.reserved ||
    state.realised !== before.realised ||
    state.realisedToday !== before.realisedToday ||
    state.holdingsCost !== before.holdingsCost ||
    state.capital !== before.capital
  )
    events.push({ kind: 'funds', funds: fundsReportOf(state) })
}

function noteTraded(state: AccountState, events: Event[]): void {
  let last: Trade | undefined
  let others: Map<string, Trade> | undefined
  for (const event of events) {
    if (event.kind !== 'trade') continue
    if (last !== undefined && keyOf(last) !== keyOf(event.trade)) {
      others ??= new Map()
      others.set(keyOf(last), last)
    }
    last = event.trade
  }
  if (last === undefined) return
  others?.delete(keyOf(last))
  for (const trade of others?.values() ?? []) noteHeld(state, trade, events)
  noteHeld(state, last, events)
}

const keyOf = (trade: Trade): string => positionKey(trade.instrument, trade.product)

function noteHeld(state: AccountState, trade: Trade, events: Event[]): void {
  const position = state.positions.get(keyOf(trade))
  if (position !== undefined) events.push({ kind: 'position', position: { ...position } })
  if (trade.product !== 'CNC' || trade.action !== 'SELL') return
  const holding = state.holdings.get(instrumentKey(trade.instrument))
  const { instrument } = trade
  events.push({
    kind: 'holding',
    holding:
      holding === undefined
        ? { instrument, quantity: ZERO_QUANTITY, cost: ZERO_MONEY, settledOn: state.sessionDate }
        : { ...holding },
  })
}

/** A day begins: what was bought for delivery has become a holding. */
function noteSession(state: AccountState, events: Event[]): void {
  events.push({ kind: 'session-opened', date: state.sessionDate })
  for (const holding of state.holdings.values())
    if (holding.settledOn === state.sessionDate) {
      events.push({ kind: 'position', position: settledPosition(holding.instrument, state.lastAt) })
      events.push({ kind: 'holding', holding: { ...holding } })
    }
}

const settledPosition = (instrument: Position['instrument'], at: number): Position => ({
  instrument,
  product: 'CNC',
  quantity: ZERO_QUANTITY,
  cost: ZERO_MONEY,
  margin: ZERO_MONEY,
  realisedToday: ZERO_MONEY,
  openedAt: at,
  updatedAt: at,
})
