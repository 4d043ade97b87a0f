import type { Client } from './index.ts'

/** Mistakes that must not compile. The compiler fails on a line below that it would accept. */
export async function mistakes(client: Client): Promise<void> {
  const quote = await client.quotes({ symbol: 'SBIN', exchange: 'NSE' })
  quote.data.ltp.toFixed(2)
  await client.ping()
  await client.call('intervals')

  // @ts-expect-error a misspelt field
  await client.quotes({ symbl: 'SBIN', exchange: 'NSE' })
  // @ts-expect-error a required field is missing
  await client.quotes({ symbol: 'SBIN' })
  // @ts-expect-error no such exchange
  await client.quotes({ symbol: 'SBIN', exchange: 'NYSE' })
  // @ts-expect-error an exchange in the wrong case
  await client.call('quotes', { symbol: 'SBIN', exchange: 'nse' })
  // @ts-expect-error no such interval
  await client.history({ symbol: 'SBIN', exchange: 'NSE', interval: '1d', start_date: '', end_date: '' })
  // @ts-expect-error a list of the wrong things
  await client.multiquotes({ symbols: ['SBIN'] })
  // @ts-expect-error an input is needed
  await client.quotes()
  // @ts-expect-error no such key in the answer
  quote.data.last_price
  // @ts-expect-error an answer's list is not under `data`
  ;(await client.multiquotes({ symbols: [{ symbol: 'SBIN', exchange: 'NSE' }] })).data
  // @ts-expect-error no such operation
  await client.quote({ symbol: 'SBIN', exchange: 'NSE' })
  // @ts-expect-error no such operation
  await client.call('quote', { symbol: 'SBIN', exchange: 'NSE' })
}
