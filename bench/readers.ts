import { Agent, request } from 'node:http'
import type { Child } from './child.ts'

/** Readers that wait for an event of one account, and what one order costs while they do. */

export interface ReaderTimes {
  readonly readers: number
  /** An order by itself, with nobody waiting. */
  readonly aloneMs: number
  /** The same with all of them waiting. */
  readonly orderMs: number
  /** From the order's sending until the last reader has its events. */
  readonly lastReaderMs: number
}

const WAIT_SECONDS = 30
const SETTLE_MS = 1_500
const ROUNDS = 5

/** Medians of some rounds. Each round all readers wait anew. */
export async function waitingReaders(sauda: Child, apikey: string, readers: number): Promise<ReaderTimes> {
  const agent = new Agent({ keepAlive: true, maxSockets: readers + 1 })
  const post = (operation: string, body: object): Promise<void> =>
    send(agent, `${sauda.address}/api/v1/${operation}`, { apikey, ...body })
  const place = (action: string): Promise<void> =>
    post('placeorder', { strategy: 'bench', exchange: 'NSE', symbol: 'SBIN', action, quantity: 1 })
  const figures: { aloneMs: number; orderMs: number; lastReaderMs: number }[] = []
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const aloneMs = await timed(() => place('BUY'))
      const waiting = Array.from({ length: readers }, () => post('orderevents', { wait_seconds: WAIT_SECONDS }))
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
      const startedAt = performance.now()
      await place('SELL')
      const orderMs = performance.now() - startedAt
      await Promise.all(waiting)
      figures.push({ aloneMs, orderMs, lastReaderMs: performance.now() - startedAt })
    }
  } finally {
    agent.destroy()
  }
  const median = (of: 'aloneMs' | 'orderMs' | 'lastReaderMs'): number =>
    figures.map((each) => each[of]).toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0
  return { readers, aloneMs: median('aloneMs'), orderMs: median('orderMs'), lastReaderMs: median('lastReaderMs') }
}

async function timed(act: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await act()
  return performance.now() - startedAt
}

function send(agent: Agent, url: string, body: object): Promise<void> {
  const text = JSON.stringify(body)
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, method: 'POST', headers }, (response) => {
      response.resume()
      response.once('end', () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`${url} answered ${response.statusCode}`)),
      )
    })
    sent.once('error', reject)
    sent.end(text)
  })
}
