import assert from 'node:assert/strict'
import { ApiError, type Client, createClient, type ErrorCode } from '../../client/src/index.ts'
import type { Checks } from '../checks.ts'

/** This project's own typed client, from a quote to flat again. */
export async function checkTypedClient(checks: Checks, host: string, apiKey: string): Promise<void> {
  const client = createClient({ host, apiKey })
  const future = { exchange: 'NFO', product: 'NRML' } as const
  let symbol = ''

  await checks.check('ping, search, symbol and quotes', async () => {
    assert.equal((await client.ping()).data.message, 'pong')
    const { data } = await client.search({ query: 'NIFTY FUT', exchange: 'NFO' })
    symbol = data.find(({ name }) => name === 'NIFTY')?.symbol ?? ''
    const facts = (await client.symbol({ symbol, exchange: 'NFO' })).data
    assert.deepEqual([facts.instrumenttype, facts.lotsize, facts.freeze_qty], ['FUT', 65, 1800])
    const quote = (await client.quotes({ symbol, exchange: 'NFO' })).data
    assert.ok(quote.bid < quote.ask && quote.oi > 0, JSON.stringify(quote))
  })

  await checks.check('a lot of futures bought and sold again', async () => {
    const order = { strategy: 'typed', symbol, ...future, quantity: 65, pricetype: 'MARKET' } as const
    const { orderid } = await client.placeorder({ ...order, action: 'BUY' })
    const bought = (await client.orderstatus({ strategy: 'typed', orderid })).data
    assert.deepEqual([bought.order_status, bought.filled_quantity], ['complete', 65])
    assert.equal((await client.openposition({ strategy: 'typed', symbol, ...future })).quantity, 65)
    const blocked = (await client.funds()).data.utiliseddebits
    assert.ok(blocked > bought.average_price * 6 && blocked < bought.average_price * 7, String(blocked))
    await client.placeorder({ ...order, action: 'SELL' })
    assert.equal((await client.openposition({ strategy: 'typed', symbol, ...future })).quantity, 0)
    const funds = (await client.funds()).data
    assert.equal(funds.utiliseddebits, 0)
    assert.equal(Math.round((funds.availablecash - funds.total_realized_pnl) * 100), 10_000_000_00)
    const [sold, buy] = (await client.tradebook()).data
    assert.ok(sold !== undefined && buy !== undefined)
    assert.equal(Math.round(funds.total_realized_pnl * 100), Math.round((sold.trade_value - buy.trade_value) * 100))
  })

  await checks.check('an operation with a slash in its name', async () => {
    assert.equal((await client.analyzerToggle({ mode: true })).data.mode, 'analyze')
  })

  await checks.check('refusals are ApiErrors with code, status and request id', async () => {
    const order = { strategy: 'typed', symbol, ...future, action: 'BUY' } as const
    await assertRefused(() => client.placeorder({ ...order, quantity: 64 }), 'order_rejected', 400)
    await assertRefused(() => client.placeorder({ ...order, quantity: 0 }), 'validation_failed', 400)
    await assertRefused(() => client.symbol({ symbol: 'NOSUCH', exchange: 'NSE' }), 'symbol_not_found', 404)
    const stranger: Client = createClient({ host, apiKey: 'sk_not-a-key' })
    await assertRefused(() => stranger.funds(), 'api_key_invalid', 403)
  })
}

async function assertRefused(act: () => Promise<unknown>, code: ErrorCode, status: number): Promise<void> {
  await assert.rejects(act, (error) => {
    assert.ok(error instanceof ApiError, String(error))
    assert.deepEqual([error.code, error.status], [code, status])
    assert.match(error.requestId ?? '', /^[\w.-]{8,64}$/)
    return true
  })
}
