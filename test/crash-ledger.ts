import type { InputOf, OutputOf } from '../client/src/index.ts'

type Action = InputOf<'placeorder'>['action']
type PriceType = NonNullable<InputOf<'placeorder'>['pricetype']>

/** What the server has acknowledged of one order. It may have gone further since, never back. */
export interface Promised {
  readonly orderid: string
  readonly tag: string
  readonly symbol: string
  readonly action: Action
  readonly pricetype: PriceType
  quantity: number
  price: number
  filledQuantity: number
  /** Set once the order was seen or made so. */
  finished: 'complete' | 'cancelled' | undefined
  /** A change was asked for and not answered: it may have happened or not. */
  changeAsked: { readonly quantity: number; readonly price: number } | undefined
}

/** A request under a name, as it was sent. Its orders and triggers carry the name as their strategy. */
export interface NamedRequest {
  readonly name: string
  readonly operation: string
  readonly body: string
  /** The first that arrived whole; undefined as long as none has. */
  answer: { readonly status: number; readonly text: string } | undefined
}

/** Operations that write orders. */
export const ORDERING = [
  'placeorder',
  'placesmartorder',
  'basketorder',
  'splitorder',
  'optionsmultiorder',
  'placegttorder',
  'modifyorder',
  'cancelorder',
  'closeposition',
] as const
export type Ordering = (typeof ORDERING)[number]

/** Everything that was asked and answered, over all rounds. */
export class Ledger {
  requests = 0
  readonly promised = new Map<string, Promised>()
  readonly named = new Map<string, NamedRequest>()
  /** Strategies of single orders that were sent without a name: while not answered they may be there or not. */
  readonly loose = new Set<string>()
  /** Names of requests by the ids of the triggers that they led to. */
  readonly triggers = new Map<string, string>()
  /** Ids of orders that close positions, which all have the same strategy. */
  readonly closing = new Set<string>()
  /** Called the moment something is acknowledged. */
  onAcknowledged: () => void = () => {}

  /** Notes what an answer promises. Throws when an id was given out before, or an order among several wasn't placed. */
  follow<Name extends Ordering>(operation: Name, input: InputOf<Name>, output: OutputOf<Name>): readonly Promised[] {
    const promised = FOLLOWED[operation](input, output, this)
    for (const order of promised) {
      const { orderid } = order
      if (this.promised.has(orderid) || this.closing.has(orderid))
        throw new Error(`Order id ${orderid} was given out twice.`)
      this.promised.set(orderid, order)
      this.loose.delete(order.tag)
    }
    this.onAcknowledged()
    return promised
  }
}

const FOLLOWED: {
  readonly [Name in Ordering]: (input: InputOf<Name>, output: OutputOf<Name>, ledger: Ledger) => readonly Promised[]
} = {
  placeorder: (input, { orderid }) => [promisedOf(orderid, input.strategy, input)],
  placesmartorder: (input, { orderid, action, quantity }) =>
    orderid === undefined
      ? []
      : [
          promisedOf(orderid, input.strategy, {
            ...input,
            action: action as Promised['action'],
            quantity: quantity ?? 0,
          }),
        ],
  basketorder: ({ strategy, orders }, { results }) =>
    results.map((row, index) => promisedOf(placedId(row), strategy, only(orders[index]))),
  splitorder: (input, { results }) =>
    results.map((row) => promisedOf(placedId(row), input.strategy, { ...input, quantity: row.quantity })),
  optionsmultiorder: ({ strategy, legs }, { results }) =>
    results.map((row, index) =>
      promisedOf(placedId(row), strategy, { ...only(legs[index]), symbol: row.symbol ?? '' }),
    ),
  placegttorder({ strategy }, { trigger_id: id }, { triggers }) {
    if (triggers.has(id)) throw new Error(`Trigger id ${id} was given out twice.`)
    triggers.set(id, strategy)
    return []
  },
  modifyorder({ orderid, quantity, price }, _output, { promised }) {
    Object.assign(only(promised.get(orderid)), {
      quantity: Number(quantity),
      price: Number(price ?? 0),
      changeAsked: undefined,
    })
    return []
  },
  cancelorder({ orderid }, _output, { promised }) {
    only(promised.get(orderid)).finished = 'cancelled'
    return []
  },
  closeposition(_input, { orderids = [], failures = [] }, { closing, promised }) {
    if (failures.length > 0) throw new Error(`A position wasn't closed: ${JSON.stringify(failures)}`)
    for (const id of orderids) {
      if (closing.has(id) || promised.has(id)) throw new Error(`Order id ${id} was given out twice.`)
      closing.add(id)
    }
    return []
  },
}

/** As requests have it. */
interface Wanted {
  readonly symbol: string
  readonly action: Action
  readonly pricetype?: PriceType | null | undefined
  readonly quantity: number | string
  readonly price?: number | string | null | undefined
}

const promisedOf = (orderid: string, tag: string, wanted: Wanted): Promised => ({
  orderid,
  tag,
  symbol: wanted.symbol,
  action: wanted.action,
  pricetype: wanted.pricetype ?? 'MARKET',
  quantity: Number(wanted.quantity),
  price: Number(wanted.price ?? 0),
  filledQuantity: 0,
  finished: undefined,
  changeAsked: undefined,
})

function placedId(row: { readonly status: string; readonly orderid?: string }): string {
  if (row.status !== 'success' || row.orderid === undefined) throw new Error(`Not placed: ${JSON.stringify(row)}`)
  return row.orderid
}

function only<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('An answer tells of what nobody asked for.')
  return value
}
