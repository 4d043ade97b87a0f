import assert from 'node:assert/strict'
import OpenAlgo from 'openalgo'
import { createClient } from '../../client/src/index.ts'
import type { Checks } from '../checks.ts'

/** The official Node client as npm installs it; only host and key are ours. What it can't read back is read with ours. */
export async function checkNodeClient(checks: Checks, host: string, apiKey: string): Promise<void> {
  const client = new OpenAlgo(apiKey, host)
  const reader = createClient({ host, apiKey })
  const sbin = { symbol: 'SBIN', action: 'BUY', exchange: 'NSE' } as const
  const lowPrice = Math.round((await reader.quotes({ symbol: 'SBIN', exchange: 'NSE' })).data.ltp * 0.9)
  const statusOf = async (orderid: string) => (await reader.orderstatus({ strategy: 'x', orderid })).data
  let limitId = ''

  await checks.check('placeOrder: MARKET fills at once', async () => {
    const placed = await client.placeOrder({ ...sbin, quantity: 4 })
    assert.equal(placed.status, 'success')
    assert.equal(placed.mode, 'analyze')
    assert.match(placed.orderid, /^\d{14}$/)
    const order = await statusOf(placed.orderid)
    assert.equal(order.order_status, 'complete')
    assert.equal(order.filled_quantity, 4)
    assert.equal(order.strategy, 'NodeJS')
  })

  await checks.check('placeOrder: LIMIT rests', async () => {
    const placed = await client.placeOrder({
      ...sbin,
      priceType: 'LIMIT',
      quantity: 2,
      price: lowPrice,
      strategy: 'desk',
    })
    limitId = placed.orderid
    const order = await statusOf(limitId)
    assert.equal(order.order_status, 'open')
    assert.equal(order.price, lowPrice)
    assert.equal(order.strategy, 'desk')
  })

  await checks.check('modifyOrder, which leaves out trigger_price and disclosed_quantity', async () => {
    const changed = await client.modifyOrder({
      ...sbin,
      orderId: limitId,
      product: 'MIS',
      quantity: 3,
      price: lowPrice - 1,
    })
    assert.equal(changed.status, 'success')
    assert.equal(changed.orderid, limitId)
    const order = await statusOf(limitId)
    assert.equal(order.quantity, 3)
    assert.equal(order.price, lowPrice - 1)
    assert.equal(order.order_status, 'open')
  })

  await checks.check('cancelOrder', async () => {
    assert.equal((await client.cancelOrder({ orderId: limitId })).status, 'success')
    assert.equal((await statusOf(limitId)).order_status, 'cancelled')
  })

  await checks.check('cancelAllOrder', async () => {
    const resting = { ...sbin, priceType: 'LIMIT', quantity: 1, price: lowPrice }
    const ids = [(await client.placeOrder(resting)).orderid, (await client.placeOrder(resting)).orderid]
    const answer = await client.cancelAllOrder({})
    assert.deepEqual([...(answer.canceled_orders ?? [])].sort(), ids.sort())
    assert.deepEqual(answer.failed_cancellations, [])
    for (const id of ids) assert.equal((await statusOf(id)).order_status, 'cancelled')
  })

  await checks.check('closePosition', async () => {
    const answer = await client.closePosition({})
    assert.equal(answer.status, 'success')
    assert.equal(answer.closed_positions, 1)
    const position = await reader.openposition({ strategy: 'x', symbol: 'SBIN', exchange: 'NSE', product: 'MIS' })
    assert.equal(position.quantity, 0)
    assert.equal((await reader.funds()).data.utiliseddebits, 0)
  })

  await checks.check('refusals are thrown with the status and the message', async () => {
    const unknown = { ...sbin, symbol: 'SBINN', quantity: 1 }
    await assertRefused(() => client.placeOrder(unknown), 400, 'symbol_not_found', /SBINN.*SBIN/)
    const offTick = { ...sbin, priceType: 'LIMIT', quantity: 1, price: lowPrice + 0.01 }
    await assertRefused(() => client.placeOrder(offTick), 400, 'order_rejected', /tick size 0\.05/)
    await assertRefused(() => client.cancelOrder({ orderId: limitId }), 400, 'order_not_open', /cancelled/)
    await assertRefused(() => client.cancelOrder({ orderId: '1' }), 404, 'order_not_found', /Order 1 not found/)
    const camelCase = { ...sbin, quantity: 1, triggerPrice: 5 }
    await assertRefused(() => client.placeOrder(camelCase), 400, 'validation_failed', /triggerPrice.*trigger_price/)
    const stranger = new OpenAlgo('sk_not-a-key', host)
    await assertRefused(() => stranger.closePosition({}), 403, 'api_key_invalid', /^Invalid openalgo apikey$/)
  })
}

interface ThrownByAxios {
  readonly response?: { readonly status: number; readonly data: { readonly code: string; readonly message: string } }
}

async function assertRefused(
  act: () => Promise<unknown>,
  status: number,
  code: string,
  message: RegExp,
): Promise<void> {
  // The client prints every error that it throws, with the key in it.
  const { error } = console
  console.error = () => undefined
  try {
    await act()
  } catch (thrown) {
    const { response } = thrown as ThrownByAxios
    assert.ok(response, `expected an answer, got ${String(thrown)}`)
    assert.deepEqual({ status: response.status, code: response.data.code }, { status, code })
    assert.match(response.data.message, message)
    return
  } finally {
    console.error = error
  }
  assert.fail(`expected ${code}, but it was done`)
}
