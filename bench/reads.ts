import { fileURLToPath } from 'node:url'
import { type Child, startChild } from './child.ts'
import { sequential } from './sequential.ts'
import { inTurns, type LoadShape } from './turns.ts'

/** Reads of the market whose answers are long, each beside a server that answers as many bytes from memory. */

export interface ReadCost {
  readonly what: string
  readonly kilobytes: number
  /** Median of one connection. */
  readonly ms: number
  readonly perSecond: number
  readonly shareOfEcho: number
  readonly failed: number
}

const SHAPE: LoadShape = { connections: 4, seconds: 2, warmUpSeconds: 3, rounds: 11 }
const SEQUENTIAL_REQUESTS = 40

export async function readCosts(sauda: Child, apikey: string): Promise<readonly ReadCost[]> {
  const symbols = (await allSymbols(sauda, apikey)).slice(0, 500)
  const expiry = await nextExpiry(sauda, apikey)
  const chain = { apikey, underlying: 'NIFTY', exchange: 'NSE_INDEX', expiry_date: expiry, strike_count: 50 }
  const year = { apikey, symbol: 'SBIN', exchange: 'NSE', start_date: '2025-11-01', end_date: '2026-10-31' }
  return [
    await readCost(sauda, 'multiquotes of 500', 'multiquotes', { apikey, symbols }),
    await readCost(sauda, 'optionchain of 100 strikes', 'optionchain', chain),
    await readCost(sauda, 'optionchain of 100 strikes with greeks', 'optionchain', { ...chain, with_greeks: true }),
    await readCost(sauda, 'search', 'search', { apikey, query: 'NIFTY 26000 CE' }),
    await readCost(sauda, 'history, a year of days', 'history', { ...year, interval: 'D' }),
    await readCost(sauda, 'history, a year of minutes', 'history', { ...year, interval: '1m' }),
  ]
}

async function readCost(sauda: Child, what: string, operation: string, body: object): Promise<ReadCost> {
  const url = `${sauda.address}/api/v1/${operation}`
  const { length } = Buffer.from(await post(url, body))
  const echo = await startChild(fileURLToPath(new URL('./bytes-server.ts', import.meta.url)), [String(length)], {})
  try {
    const [bare, own] = await inTurns(
      [
        { child: echo, url: echo.address, bodies: [body] },
        { child: sauda, url, bodies: [body] },
      ],
      SHAPE,
    )
    if (bare === undefined || own === undefined) throw new Error('two subjects have two results')
    const { p50Ms } = await sequential(url, [body], SEQUENTIAL_REQUESTS)
    const { perSecond, shareOfFirst, failed } = own
    return { what, kilobytes: length / 1000, ms: p50Ms, perSecond, shareOfEcho: shareOfFirst, failed }
  } finally {
    await echo.stop()
  }
}

async function allSymbols(sauda: Child, apikey: string): Promise<readonly { symbol: string; exchange: string }[]> {
  const answer = await fetch(`${sauda.address}/api/v1/instruments?exchange=NFO`, { headers: { 'x-api-key': apikey } })
  return ((await answer.json()) as { data: { symbol: string; exchange: string }[] }).data.map(
    ({ symbol, exchange }) => ({
      symbol,
      exchange,
    }),
  )
}

/** As requests name it: `DDMMMYY`. */
async function nextExpiry(sauda: Child, apikey: string): Promise<string> {
  const body = { apikey, symbol: 'NIFTY', exchange: 'NFO', instrumenttype: 'options' }
  const { data } = JSON.parse(await post(`${sauda.address}/api/v1/expiry`, body)) as { data: string[] }
  return (data[1] ?? '').replaceAll('-', '')
}

async function post(url: string, body: object): Promise<string> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${text.slice(0, 300)}`)
  return text
}
