import { describe, expect, test } from 'vitest'
import { Refusal } from '../../kernel/errors.ts'
import { DAY_MS } from '../../kernel/exchange-time.ts'
import { formatMoney, priceOf, quantityOf } from '../../kernel/fixed.ts'
import { decodeState, encodeState } from '../snapshot.ts'
import { assertInvariants } from '../state.ts'
import { NIFTY_CE, NIFTY_FUT, NIFTY_INDEX, RELIANCE, SBIN, termsFor } from '../test-desk.ts'
import { ACTIVE_GTTS_MAX, type Gtt, SESSION_GTTS_MAX } from './gtt.ts'
import { GttDesk, type GttInput } from './test-gtt-desk.ts'

const children = (desk: GttDesk, gtt: Gtt) => [...desk.state.orders.values()].filter((order) => order.root === gtt.id)
const statuses = (gtt: Gtt) => gtt.legs.map((leg) => leg.status)

function refusalOf(act: () => void): Refusal {
  try {
    act()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('firing', () => {
  test.each([
    ['below', { below: [490, 489] }, '490.05', '490'],
    ['above', { above: [510, 511] }, '509.95', '510'],
  ] as const)('a single trigger %s fires where the last price reaches it, not before', (_, legs, before, reached) => {
    const desk = new GttDesk()
    const gtt = desk.quote(SBIN, 500).placeGtt('BUY', { quantity: 10, ...legs })
    desk.quote(SBIN, before).fire()
    expect([gtt.status, children(desk, gtt)]).toEqual(['active', []])
    desk.quote(SBIN, reached).fire()
    expect([gtt.status, statuses(gtt)]).toEqual(['triggered', ['triggered']])
    expect(children(desk, gtt)).toMatchObject([
      {
        id: gtt.orderId,
        action: 'BUY',
        priceType: 'LIMIT',
        product: 'CNC',
        quantity: quantityOf(10),
        strategy: 'test',
      },
    ])
  })

  test('it fires once, and never the other leg too', () => {
    const desk = new GttDesk()
    desk.quote(SBIN, 500).buy({ quantity: 10, product: 'CNC' })
    const gtt = desk.placeGtt('SELL', { quantity: 10, below: [490, 489], above: [510, 509] })
    for (const price of [489, 515, 480, 520, 490, 510]) desk.quote(SBIN, price).fire()
    expect(children(desk, gtt).map((order) => order.price)).toEqual([priceOf(489)])
    expect(statuses(gtt)).toEqual(['triggered', 'cancelled'])
  })

  test('a MARKET one takes what the book offers; without a strategy its order is of GTT', () => {
    const desk = new GttDesk()
    const gtt = desk.quote(SBIN, 500).placeGtt('BUY', { quantity: 10, type: 'MARKET', above: [510, 0], strategy: '' })
    expect(formatMoney(gtt.margin)).toBe('5100.00')
    desk.quote(SBIN, 511, 511, 512).fire()
    expect(children(desk, gtt)).toMatchObject([
      { status: 'complete', priceType: 'MARKET', price: 0, filledValue: 512_000, strategy: 'GTT' },
    ])
  })

  test('what it had reserved is there for its order: all of the cash may be', () => {
    const desk = new GttDesk('5000.00')
    const gtt = desk.quote(SBIN, 510).placeGtt('BUY', { quantity: 10, below: [500, 500] })
    expect(desk.funds).toEqual({ available: '0.00', used: '5000.00', realised: '0.00' })
    desk.quote(SBIN, 500, 499, 501).fire()
    expect(children(desk, gtt)).toMatchObject([{ status: 'open', margin: 500_000 }])
    expect(desk.funds).toEqual({ available: '0.00', used: '5000.00', realised: '0.00' })
  })

  test('a refused order stands in the book with its reason; its trigger is rejected and tries no more', () => {
    const desk = new GttDesk()
    const gtt = desk.quote(SBIN, 500).placeGtt('SELL', { quantity: 10, above: [510, 509] })
    for (const price of [510, 511, 512]) desk.quote(SBIN, price).fire()
    const reason = expect.stringContaining('Cannot sell SBIN in CNC')
    expect(children(desk, gtt)).toMatchObject([{ status: 'rejected', reason }])
    expect(gtt).toMatchObject({ status: 'rejected', reason, margin: 0, orderId: children(desk, gtt)[0]?.id })
    expect(desk.funds.used).toBe('0.00')
  })
})

describe('the reservation', () => {
  test('is of the dearest leg, and follows a change', () => {
    const desk = new GttDesk()
    const gtt = desk.quote(SBIN, 500).placeGtt('BUY', { quantity: 10, below: [490, 491], above: [510, 512] })
    expect(formatMoney(gtt.margin)).toBe('5120.00')
    desk.modifyGtt(gtt, { quantity: 20, below: [480, 481], above: [520, 521] })
    expect(desk.funds).toEqual({ available: '9989580.00', used: '10420.00', realised: '0.00' })
    desk.cancelGtt(gtt)
    expect(desk.funds.used).toBe('0.00')
  })

  test('is for what opens: a future that closes a position needs nothing, nor do shares that are held', () => {
    const desk = new GttDesk()
    desk.quote(NIFTY_FUT, 25000).buy({ on: NIFTY_FUT, quantity: 65 })
    const used = desk.funds.used
    const covered = desk.placeGtt('SELL', { on: NIFTY_FUT, quantity: 65, below: [24900, 24890] })
    const more = desk.placeGtt('SELL', { on: NIFTY_FUT, quantity: 130, below: [24900, 24890] })
    expect([covered.margin, formatMoney(more.margin)]).toEqual([0, '161785.00'])
    expect(used).toBe('162500.00')
  })

  test('of a sold option is that of its underlying', () => {
    const desk = new GttDesk()
    const terms = termsFor(NIFTY_CE, 'NRML', 'SELL', priceOf(25000))
    const gtt = desk.quote(NIFTY_CE, 200).placeGtt('SELL', { on: NIFTY_CE, quantity: 65, above: [220, 219], terms })
    expect(formatMoney(gtt.margin)).toBe('162500.00')
  })
})

describe('what is refused', () => {
  const good: GttInput = { quantity: 10, below: [490, 489] }
  test.each<[string, Partial<GttInput> & { action?: 'BUY' | 'SELL' }, string]>([
    ['an index', { on: NIFTY_INDEX, product: 'NRML' }, "is an index and can't be traded"],
    ['an expired contract', { on: { ...NIFTY_FUT, expiry: '2026-08-03' }, quantity: 65 }, 'expired on 2026-08-03'],
    ['MIS', { product: 'MIS' }, 'GTT supports only CNC (delivery) or NRML'],
    ['NRML of equity', { product: 'NRML' }, 'NRML product not allowed for NSE equity segment'],
    ['CNC of a future', { on: NIFTY_FUT, product: 'CNC', quantity: 65 }, 'CNC product not allowed for NFO'],
    ['part of a lot', { on: NIFTY_FUT, quantity: 66 }, 'Quantity must be in multiples of lot size 65'],
    ['part of a share', { quantity: '1.5' }, 'Quantity must be a whole number'],
    ['more than the freeze quantity', { on: NIFTY_FUT, quantity: 1820 }, 'exceeds the freeze quantity 1800'],
    ['a price off the tick', { below: [490, '489.02'] }, "Price 489.02 isn't a multiple of the tick size 0.05"],
    ['a trigger off the tick', { below: ['490.02', 489] }, "Trigger price 490.02 isn't a multiple of the tick size"],
    ['no limit', { below: [490, 0] }, 'LIMIT orders require price. Got 0'],
    ['no trigger', { below: [0, 489] }, 'Trigger price must be positive, got 0'],
    ['triggers the wrong way round', { below: [510, 510], above: [490, 490] }, 'must be less than target trigger'],
    ['a past expiry', { expiresAt: Date.parse('2026-08-04T04:29:00Z') }, 'expires_at must be in the future'],
    ['waiting for years', { expiresAt: Date.parse('2027-08-05T04:30:00Z') }, 'expires_at must be within 365 days'],
    ['too little money', { quantity: 100_000 }, 'Insufficient funds. Required: ₹48900000.00'],
    ['what a limit denies', { denied: 'The limit of 5 is reached' }, 'The limit of 5 is reached'],
    ['more than the exchange takes', { quantity: 3_000_000_000 }, 'exceeds the largest the exchange takes'],
  ])('%s, with the reason, and it reserves nothing', (_, over, reason) => {
    const desk = new GttDesk()
    const gtt = desk.quote(SBIN, 500).placeGtt('BUY', { ...good, ...over })
    expect(gtt).toMatchObject({ status: 'rejected', reason: expect.stringContaining(reason), margin: 0, orderId: '' })
    expect([desk.state.watched.size, desk.funds.used]).toEqual([0, '0.00'])
  })

  test('changing or cancelling one that has ended, or has waited its time', () => {
    const desk = new GttDesk()
    const gtt = desk.quote(SBIN, 500).placeGtt('BUY', { ...good, expiresAt: desk.now + 60_000 })
    const ended = desk.placeGtt('BUY', good)
    desk.cancelGtt(ended)
    desk.now += 60_000
    for (const one of [gtt, ended, { ...gtt, id: 'GTT-260804-1' }]) {
      for (const act of [() => desk.modifyGtt(one, good), () => desk.cancelGtt(one)])
        expect(refusalOf(act)).toMatchObject({
          code: 'gtt_not_found',
          message: `No active GTT with trigger_id '${one.id}'`,
        })
    }
  })

  test.each<[string, Omit<GttInput, 'on' | 'product'>, string]>([
    [
      'another number of legs',
      { quantity: 1, above: [510, 510] },
      'Modify must keep the same trigger shape: this GTT has 2 leg(s).',
    ],
    [
      'more than the cash',
      { quantity: 100_000, below: [490, 489], above: [510, 511] },
      'Insufficient funds. Required: ₹51094890.00',
    ],
    ['off the tick', { quantity: 1, below: ['490.01', 489], above: [510, 511] }, "isn't a multiple of the tick size"],
  ])('a change to %s, and it stays as it was', (_, change, reason) => {
    const desk = new GttDesk()
    const gtt = desk.quote(SBIN, 500).placeGtt('BUY', { quantity: 10, below: [490, 489], above: [510, 511] })
    const before = structuredClone(gtt)
    const refusal = refusalOf(() => desk.modifyGtt(gtt, change))
    expect(refusal).toMatchObject({ code: 'gtt_unchangeable', message: expect.stringContaining(reason) })
    expect(desk.gtt(gtt.id)).toEqual(before)
  })

  test('one too many at once, with how many there may be', () => {
    const desk = new GttDesk()
    desk.quote(SBIN, 500)
    for (let count = 0; count < ACTIVE_GTTS_MAX; count += 1) desk.placeGtt('BUY', { quantity: 1, below: [490, 489] })
    expect(desk.placeGtt('BUY', good)).toMatchObject({
      status: 'rejected',
      reason: 'The account already has 1000 active GTTs, the most allowed; cancel some first',
    })
  })

  test('one too many of a session, without becoming one', () => {
    const desk = new GttDesk()
    const gtt = desk.quote(SBIN, 500).placeGtt('BUY', good)
    desk.cancelGtt(gtt)
    for (let count = 1; count < SESSION_GTTS_MAX; count += 1) desk.state.gtts.set(`GTT-${count}`, gtt)
    expect(refusalOf(() => desk.placeGtt('BUY', good))).toMatchObject({ code: 'too_many_orders' })
  })
})

describe('the end without firing', () => {
  const two: GttInput = { quantity: 10, below: [490, 489], above: [510, 511] }
  test.each<[string, (desk: GttDesk, gtt: Gtt) => void, string, string]>([
    ['cancelling', (desk, gtt) => desk.cancelGtt(gtt), 'cancelled', ''],
    ['expiring', (desk, gtt) => desk.expireGtts([gtt]), 'expired', 'Not triggered'],
    ['resetting the account', (desk) => desk.reset(), 'cancelled', 'The account was reset'],
  ])('%s frees what it had reserved, and nothing fires later', (_, finish, status, reason) => {
    const desk = new GttDesk()
    const gtt = desk.quote(SBIN, 500).placeGtt('BUY', two)
    finish(desk, gtt)
    expect(gtt).toMatchObject({ status, reason, margin: 0, orderId: '' })
    expect([statuses(gtt), desk.funds.used]).toEqual([['cancelled', 'cancelled'], '0.00'])
    desk.quote(SBIN, 400).fire()
    expect(desk.state.orders.size).toBe(0)
  })

  test('a contract takes its triggers along when it expires, not those of others', () => {
    const desk = new GttDesk()
    desk.quote(NIFTY_FUT, 25000).quote(SBIN, 500)
    const gtt = desk.placeGtt('BUY', { on: NIFTY_FUT, quantity: 65, below: [24000, 24000] })
    const other = desk.placeGtt('BUY', two)
    desk.expire(NIFTY_FUT, 25100)
    expect([gtt.status, gtt.reason, other.status]).toEqual(['expired', 'The contract expired', 'active'])
  })

  test('sessions pass: active ones stay, ended ones leave with the books', () => {
    const desk = new GttDesk()
    desk.quote(SBIN, 500)
    const [active, ended] = [desk.placeGtt('BUY', two), desk.placeGtt('BUY', two)]
    desk.cancelGtt(ended)
    for (const date of ['2026-08-05', '2026-08-06']) {
      desk.now += DAY_MS
      desk.openSession(date)
    }
    const closed = desk.events.filter((event) => event.kind === 'session-closed')
    expect(closed.map((event) => event.gtts.map(({ id }) => id))).toEqual([[ended.id], []])
    expect([...desk.state.gtts.keys()]).toEqual([active.id])
    desk.quote(SBIN, 520).fire()
    expect(children(desk, active)).toHaveLength(1)
  })
})

test('a snapshot brings them back, and one from before there were any loads', () => {
  const desk = new GttDesk()
  desk.quote(SBIN, 500).quote(RELIANCE, 1400)
  desk.placeGtt('BUY', { quantity: 10, below: [490, 489] })
  desk.cancelGtt(desk.placeGtt('BUY', { on: RELIANCE, quantity: 10, above: [1500, 1501] }))
  const again = decodeState(encodeState(desk.state))
  assertInvariants(again)
  expect(again).toEqual(desk.state)
  const { gtts: _, ...old } = JSON.parse(encodeState(new GttDesk().state)) as Record<string, unknown>
  const loaded = decodeState(JSON.stringify(old))
  assertInvariants(loaded)
  expect([loaded.gtts.size, loaded.watched.size, loaded.activeGttCount]).toEqual([0, 0, 0])
})
