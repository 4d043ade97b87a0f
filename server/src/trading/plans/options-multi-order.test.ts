import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Refusal } from '../../kernel/errors.ts'
import { QUANTITY_ONE, quantityOf, ZERO_PRICE } from '../../kernel/fixed.ts'
import type { OptionType } from '../../market/option-chain-index.ts'
import { type OptionLeg, type OptionsMultiPlan, optionsMultiOrderPlan } from './options-multi-order.ts'
import { optionIn } from './test-options.ts'

const NEAR = '2025-10-28'
const FAR = '2025-11-25'

interface LegOptions {
  readonly splitSize?: number
  readonly expiry?: string
  /** There is no such option. */
  readonly unknown?: boolean
}

const leg = (
  action: 'BUY' | 'SELL',
  type: OptionType,
  strike: number,
  quantity = 75,
  { splitSize = 0, expiry = NEAR, unknown = false }: LegOptions = {},
): OptionLeg => ({
  order: {
    action,
    quantity: quantityOf(quantity),
    splitSize: quantityOf(splitSize),
    priceType: 'MARKET',
    product: 'NRML',
    price: ZERO_PRICE,
    triggerPrice: ZERO_PRICE,
    disclosedQuantity: quantityOf(0),
    strategy: '',
    tag: undefined,
  },
  type,
  expiry,
  option: unknown ? undefined : optionIn(type, strike, expiry),
})

/** `BUY 75 26500CE` and what it needs, in the order in which it is sent. */
const shownPlan = ({ legs }: OptionsMultiPlan): string[] =>
  legs.map(({ order, needs }) => {
    const text = `${order.action} ${order.quantity / QUANTITY_ONE} ${order.symbol.slice(-7)}`
    return needs === undefined ? text : `${text} after ${needs.join(',')}`
  })

const condor = [leg('SELL', 'CE', 26500), leg('BUY', 'CE', 27000), leg('SELL', 'PE', 25500), leg('BUY', 'PE', 25000)]

describe('the plan of a multi-leg order', () => {
  test('has BUY legs first and SELL legs after what hedges them, each in the order of the request', () => {
    const plan = optionsMultiOrderPlan(condor, 'stop')
    expect(shownPlan(plan)).toEqual([
      'BUY 75 27000CE',
      'BUY 75 25000PE',
      'SELL 75 26500CE after 0',
      'SELL 75 25500PE after 1',
    ])
    expect(plan.legs.map(({ position }) => position)).toEqual([0, 1, 2, 3])
    expect(plan.pieces.map(([piece]) => piece?.position)).toEqual([2, 0, 3, 1])
  })

  test('is one thing with `stop`, and each leg for itself with `continue`', () => {
    expect(optionsMultiOrderPlan(condor, 'stop')).toMatchObject({ onRefusal: 'stop', marginTogether: true })
    expect(optionsMultiOrderPlan(condor, 'continue')).toMatchObject({ onRefusal: 'continue', marginTogether: false })
    expect(optionsMultiOrderPlan(condor.slice(0, 1), 'stop').marginTogether).toBe(false)
  })

  test.each<[string, OptionLeg[], string[]]>([
    [
      'a strangle has nothing to hedge it',
      [leg('SELL', 'CE', 26500), leg('SELL', 'PE', 25500)],
      ['SELL 75 26500CE', 'SELL 75 25500PE'],
    ],
    [
      'a call is no hedge of a put',
      [leg('BUY', 'CE', 26500), leg('SELL', 'PE', 25500)],
      ['BUY 75 26500CE', 'SELL 75 25500PE'],
    ],
    [
      'a purchase hedges the first sale that it can, and no other with the same quantity',
      [leg('SELL', 'CE', 26500), leg('SELL', 'CE', 26600), leg('BUY', 'CE', 27000)],
      ['BUY 75 27000CE', 'SELL 75 26500CE after 0', 'SELL 75 26600CE'],
    ],
    [
      'a larger purchase hedges several',
      [leg('SELL', 'CE', 26500), leg('SELL', 'CE', 26600), leg('BUY', 'CE', 27000, 150)],
      ['BUY 150 27000CE', 'SELL 75 26500CE after 0', 'SELL 75 26600CE after 0'],
    ],
    [
      'a sale takes cover from several, and part of it counts',
      [leg('BUY', 'CE', 27000), leg('BUY', 'CE', 27100), leg('SELL', 'CE', 26500, 300)],
      ['BUY 75 27000CE', 'BUY 75 27100CE', 'SELL 300 26500CE after 0,1'],
    ],
    [
      'a later expiry hedges an earlier one',
      [leg('SELL', 'CE', 26000), leg('BUY', 'CE', 26000, 75, { expiry: FAR })],
      ['BUY 75 26000CE', 'SELL 75 26000CE after 0'],
    ],
    [
      'an earlier expiry leaves a later one open',
      [leg('SELL', 'CE', 26000, 75, { expiry: FAR }), leg('BUY', 'CE', 26000)],
      ['BUY 75 26000CE', 'SELL 75 26000CE'],
    ],
    [
      'its own expiry comes before a later one',
      [leg('BUY', 'CE', 27000, 75, { expiry: FAR }), leg('BUY', 'CE', 27100), leg('SELL', 'CE', 26500)],
      ['BUY 75 27000CE', 'BUY 75 27100CE', 'SELL 75 26500CE after 1'],
    ],
    [
      'pieces need the pieces that cover them',
      [leg('BUY', 'CE', 27000, 150, { splitSize: 75 }), leg('SELL', 'CE', 26500, 150, { splitSize: 75 })],
      ['BUY 75 27000CE', 'BUY 75 27000CE', 'SELL 75 26500CE after 0', 'SELL 75 26500CE after 1'],
    ],
    [
      'a whole sale needs every piece that covers it',
      [leg('BUY', 'CE', 27000, 150, { splitSize: 75 }), leg('SELL', 'CE', 26500, 150)],
      ['BUY 75 27000CE', 'BUY 75 27000CE', 'SELL 150 26500CE after 0,1'],
    ],
  ])('%s', (_, legs, shown) => {
    expect(shownPlan(optionsMultiOrderPlan(legs, 'continue'))).toEqual(shown)
  })

  test('a sale whose hedge does not exist is not sent, and says whose hedge it was', () => {
    const legs = [
      leg('SELL', 'CE', 26500),
      leg('BUY', 'CE', 0, 75, { unknown: true }),
      leg('SELL', 'PE', 25500),
      leg('SELL', 'CE', 26600),
    ]
    const plan = optionsMultiOrderPlan(legs, 'continue')
    expect(shownPlan(plan)).toEqual(['SELL 75 25500PE', 'SELL 75 26600CE'])
    expect(plan.pieces).toEqual([
      [{ quantity: quantityOf(75), position: undefined, unhedgedBy: [1] }],
      [],
      [{ quantity: quantityOf(75), position: 0, unhedgedBy: [] }],
      [{ quantity: quantityOf(75), position: 1, unhedgedBy: [] }],
    ])
  })

  test('pieces that are covered by what exists are sent', () => {
    const legs = [
      leg('BUY', 'CE', 27000),
      leg('BUY', 'CE', 0, 75, { unknown: true }),
      leg('SELL', 'CE', 26500, 150, { splitSize: 75 }),
    ]
    const plan = optionsMultiOrderPlan(legs, 'continue')
    expect(shownPlan(plan)).toEqual(['BUY 75 27000CE', 'SELL 75 26500CE after 0'])
    expect(plan.pieces[2]?.map(({ position, unhedgedBy }) => [position, unhedgedBy])).toEqual([
      [1, []],
      [undefined, [1]],
    ])
  })

  test('comes to at most 500 orders', () => {
    const legs = (count: number) =>
      Array.from({ length: count }, () => leg('BUY', 'CE', 27000, 7500, { splitSize: 75 }))
    expect(optionsMultiOrderPlan(legs(5), 'stop').legs).toHaveLength(500)
    expect(() => optionsMultiOrderPlan(legs(6), 'stop')).toThrow(
      new Refusal(
        'too_many_orders',
        'The legs come to more than 500 orders, the most of one request. Use larger splitsizes or fewer legs.',
      ),
    )
  })
})

describe('whatever the legs', () => {
  const anyLeg = fc
    .record({
      action: fc.constantFrom('BUY' as const, 'SELL' as const),
      type: fc.constantFrom<OptionType>('CE', 'PE'),
      strike: fc.integer({ min: 1, max: 5 }),
      lots: fc.integer({ min: 1, max: 6 }),
      split: fc.integer({ min: 0, max: 4 }),
      expiry: fc.constantFrom(NEAR, FAR),
      unknown: fc.boolean(),
    })
    .map(({ action, type, strike, lots, split, expiry, unknown }) =>
      leg(action, type, 25000 + strike * 100, lots * 75, { splitSize: split * 75, expiry, unknown }),
    )

  test('every piece is there once, purchases lead, and no sale waits for what comes after it', () => {
    fc.assert(
      fc.property(fc.array(anyLeg, { minLength: 1, maxLength: 12 }), (legs) => {
        const plan = optionsMultiOrderPlan(legs, 'continue')
        const sent = plan.pieces.flat().flatMap(({ position }) => (position === undefined ? [] : [position]))
        expect([...sent].sort((a, b) => a - b)).toEqual(plan.legs.map((_, index) => index))
        for (const [index, pieces] of plan.pieces.entries()) {
          const total = pieces.reduce((sum, piece) => sum + piece.quantity, 0)
          expect(total).toBe(legs[index]?.option === undefined ? 0 : legs[index]?.order.quantity)
        }
        const firstSale = plan.legs.findIndex(({ order }) => order.action === 'SELL')
        const buysAfter = plan.legs.slice(firstSale).filter(({ order }) => order.action === 'BUY')
        if (firstSale >= 0) expect(buysAfter).toEqual([])
        for (const { position, needs = [] } of plan.legs)
          for (const needed of needs) {
            expect(needed).toBeLessThan(position)
            expect(plan.legs[needed]?.order.action).toBe('BUY')
          }
      }),
    )
  })

  test('whichever purchases fail, sales never outgrow their cover by more than the request itself left open', () => {
    fc.assert(
      fc.property(
        fc.array(anyLeg, { minLength: 1, maxLength: 12 }),
        fc.array(fc.boolean(), { minLength: 72, maxLength: 72 }),
        (legs, failures) => {
          const plan = optionsMultiOrderPlan(legs, 'continue')
          const accepted = new Set<number>()
          for (const each of plan.legs) {
            const { position, order, needs = [] } = each
            const fails = order.action === 'BUY' && failures[position] === true
            if (!fails && needs.every((needed) => accepted.has(needed))) accepted.add(position)
          }
          for (const type of ['CE', 'PE'] as const) {
            const asked = openOf(
              legs.filter((each) => each.type === type).map(({ order, expiry = '' }) => ({ ...order, expiry })),
            )
            const done = openOf(
              plan.legs
                .filter(({ position, order }) => accepted.has(position) && order.symbol.endsWith(type))
                .map(({ order }) => ({ ...order, expiry: order.symbol.includes('NOV') ? FAR : NEAR })),
            )
            expect(done).toBeLessThanOrEqual(asked)
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})

/** Sales without cover: each expiry's purchases cover its own, what is left of later ones covers earlier ones. */
function openOf(orders: readonly { action: string; quantity: number; expiry: string }[]): number {
  const sum = (action: string, expiry: string) =>
    orders
      .filter((order) => order.action === action && order.expiry === expiry)
      .reduce((total, order) => total + order.quantity, 0)
  const far = sum('SELL', FAR) - sum('BUY', FAR)
  const near = sum('SELL', NEAR) - sum('BUY', NEAR)
  return Math.max(0, far) + Math.max(0, near - Math.max(0, -far))
}
