import { describe, expect, test } from 'vitest'
import { Refusal } from '../../kernel/errors.ts'
import { quantityOf, toNumber, ZERO_PRICE } from '../../kernel/fixed.ts'
import { type OptionOrder, optionsOrderPlan } from './options-order.ts'
import { optionIn } from './test-options.ts'

const order = (quantity: number, splitSize: number, more: Partial<OptionOrder> = {}): OptionOrder => ({
  action: 'BUY',
  quantity: quantityOf(quantity),
  splitSize: quantityOf(splitSize),
  priceType: 'MARKET',
  product: 'NRML',
  price: ZERO_PRICE,
  triggerPrice: ZERO_PRICE,
  disclosedQuantity: quantityOf(0),
  strategy: 'test',
  tag: undefined,
  ...more,
})

const option = optionIn('CE', 26000)

describe('the plan of an options order', () => {
  test('is the order itself, for the option that was found', () => {
    expect(optionsOrderPlan(order(75, 0, { tag: 'APR-1', disclosedQuantity: quantityOf(75) }), option)).toEqual({
      legs: [
        {
          position: 0,
          order: {
            symbol: 'NIFTY28OCT2526000CE',
            exchange: 'NFO',
            action: 'BUY',
            quantity: quantityOf(75),
            priceType: 'MARKET',
            product: 'NRML',
            price: ZERO_PRICE,
            triggerPrice: ZERO_PRICE,
            disclosedQuantity: quantityOf(75),
            strategy: 'test',
            tag: 'APR-1',
          },
        },
      ],
      onRefusal: 'stop',
      marginTogether: false,
      listName: 'pieces',
    })
  })

  test.each([
    [150, 75, [75, 75]],
    [225, 150, [150, 75]],
    [75, 75, [75]],
    [75, 1000, [75]],
    [101, 50, [50, 50, 1]],
  ])('of %i split by %i is %j', (quantity, splitSize, pieces) => {
    const plan = optionsOrderPlan(order(quantity, splitSize), option)
    expect(plan.legs.map((leg) => toNumber.quantity(leg.order.quantity))).toEqual(pieces)
    expect(plan.legs.map(({ position }) => position)).toEqual(pieces.map((_, index) => index))
    expect(plan.onRefusal).toBe('stop-if-it-repeats')
  })

  test('a piece shows no more of itself than it has', () => {
    const plan = optionsOrderPlan(order(225, 150, { disclosedQuantity: quantityOf(100) }), option)
    expect(plan.legs.map((leg) => toNumber.quantity(leg.order.disclosedQuantity))).toEqual([100, 75])
  })

  test('has at most 100 pieces', () => {
    expect(optionsOrderPlan(order(7500, 75), option).legs).toHaveLength(100)
    expect(() => optionsOrderPlan(order(7501, 75), option)).toThrow(
      new Refusal(
        'too_many_orders',
        'Total number of orders would exceed maximum limit of 100. Got 101; use a larger splitsize.',
      ),
    )
  })
})
