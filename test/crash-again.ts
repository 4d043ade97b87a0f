import { expect } from 'vitest'
import { type Client, createClient, type InputOf } from '../client/src/index.ts'
import { dayNumberAt } from '../server/src/kernel/exchange-time.ts'
import { allOrders, CLOSE_STRATEGY, type OrderRow } from './crash-check.ts'
import { type Ledger, type NamedRequest, ORDERING, type Ordering } from './crash-ledger.ts'
import type { Random } from './random.ts'
import type { ServerProcess } from './server-process.ts'

/** Requests with names: what was sent and answered, and what comes of sending it again. */

const AT_ONCE = 8
/** Answered requests that are sent again after each restart: some of the latest, and some of any age. */
const LATEST_AGAIN = 15
const OLDER_AGAIN = 5

/** A client that notes in the ledger what is sent under a name, and the answer once all of it is there. */
export function notingClient({ address, key }: ServerProcess, { named }: Ledger): Client {
  const noting: typeof fetch = async (url, init) => {
    const name = new Headers(init?.headers).get('idempotency-key')
    if (name === null) return await fetch(url, init)
    const operation = String(url).split('/').at(-1) ?? ''
    const request: NamedRequest = { name, operation, body: String(init?.body), answer: undefined }
    named.set(name, request)
    const answer = await fetch(url, init)
    const text = await answer.text()
    request.answer = { status: answer.status, text }
    return new Response(text, answer)
  }
  return createClient({ host: address, apiKey: key, fetch: noting })
}

/**
 * Of a request that was sent again: its answer had been told; it had been answered, but nobody heard it; a part of it was
 * done; nothing was.
 */
type Outcome = 'told' | 'untold' | 'partly' | 'undone'

/** How often what was to be tried came about. */
export class Tally {
  readonly #counts = new Map<string, Map<string, number>>()

  add(operation: string, what: Outcome): void {
    const counts = this.#counts.get(operation) ?? new Map<string, number>()
    this.#counts.set(operation, counts)
    counts.set(what, (counts.get(what) ?? 0) + 1)
  }

  get text(): string {
    const lines = ORDERING.map((name) => [name, Object.fromEntries(this.#counts.get(name) ?? [])])
    return lines.map(([name, counts]) => `${name} ${JSON.stringify(counts)}`).join('\n')
  }
}

/** The books after a restart, before anything is sent. */
interface Found {
  readonly byId: ReadonlyMap<string, OrderRow>
  /** Ids of orders and of triggers by their strategy. */
  readonly orders: ReadonlyMap<string, readonly string[]>
  readonly triggers: ReadonlyMap<string, readonly string[]>
}

interface Given {
  readonly status: number
  readonly text: string
  readonly isReplayed: boolean
}

/**
 * Sends named requests again: all that were never answered, then those and answered ones. What the server had answered,
 * told or not, is answered as the first time, to the byte; of the rest each is done now, once, and what a crash had left
 * of it is a part of that. `since` is the exchange's day number when the requests were sent: at its end the book is another.
 */
export async function sendAgain(
  server: ServerProcess,
  ledger: Ledger,
  random: Random,
  tally: Tally,
  since: number,
): Promise<void> {
  const client = createClient({ host: server.address, apiKey: server.key })
  const before = await find(client)
  const isSameDay = dayNumberAt(Date.now()) === since
  const all = [...ledger.named.values()]
  const unanswered = all.filter(({ answer }) => answer === undefined)
  const answered = all.filter(({ answer }) => answer !== undefined)
  const older = answered.slice(0, -LATEST_AGAIN)
  const chosen = older.length === 0 ? [] : Array.from({ length: OLDER_AGAIN }, () => older[random.below(older.length)])

  await each(unanswered, async (request) => {
    const given = await post(server, request, random)
    if (isSameDay) checkFirst(request, given, before, ledger)
    tally.add(request.operation, outcomeOf(request, given, before))
    request.answer = { status: given.status, text: given.text }
    follow(ledger, request)
  })
  const latest = answered.slice(-LATEST_AGAIN)
  const again = new Set([...unanswered, ...latest, ...chosen.filter((request) => request !== undefined)])
  await each([...again], async (request) => {
    const { status, text, isReplayed } = await post(server, request, random)
    const told = { isReplayed, status, text: withoutId(text) }
    const first = { isReplayed: true, status: request.answer?.status, text: withoutId(request.answer?.text ?? '') }
    expect(told, `${request.operation} ${request.name}, sent again: ${request.body}`).toEqual(first)
    tally.add(request.operation, 'told')
  })
}

/** An error has the id of the request that it answers. */
const withoutId = (text: string): string => text.replace(/"request_id":"[^"]*"/, '"request_id":""')

async function each<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const left = items.values()
  const work = async (): Promise<void> => {
    for (const item of left) await act(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

/** Under its name, in the header or in the body. */
async function post(server: ServerProcess, { operation, name, body }: NamedRequest, random: Random): Promise<Given> {
  const inBody = random.below(2) === 0
  const headers = { 'content-type': 'application/json', 'x-api-key': server.key }
  const answer = await fetch(`${server.address}/api/v1/${operation}`, {
    method: 'POST',
    headers: inBody ? headers : { ...headers, 'idempotency-key': name },
    body: inBody ? JSON.stringify({ ...JSON.parse(body), client_order_id: name }) : body,
  })
  const isReplayed = answer.headers.get('idempotent-replayed') === 'true'
  return { status: answer.status, text: await answer.text(), isReplayed }
}

async function find(client: Client): Promise<Found> {
  const rows = await allOrders(client)
  const { data } = await client.gttorderbook({ status: 'all' })
  return {
    byId: new Map(rows.map((row) => [row.orderid, row])),
    orders: idsByStrategy(rows.map(({ strategy, orderid }) => [strategy, orderid])),
    triggers: idsByStrategy(data.map(({ strategy, trigger_id }) => [strategy, trigger_id])),
  }
}

function idsByStrategy(pairs: readonly (readonly [string, string])[]): Map<string, readonly string[]> {
  const ids = new Map<string, string[]>()
  for (const [strategy, id] of pairs) {
    const own = ids.get(strategy)
    if (own === undefined) ids.set(strategy, [id])
    else own.push(id)
  }
  return ids
}

function follow(ledger: Ledger, { operation, body, answer }: NamedRequest): void {
  if (answer?.status !== 200) return
  ledger.follow(operation as Ordering, JSON.parse(body), JSON.parse(answer.text))
}

/** What became of a request that was never answered. */
function outcomeOf({ operation }: NamedRequest, { isReplayed, text }: Given, { byId }: Found): Outcome {
  if (isReplayed) return 'untold'
  const isOrder = operation !== 'modifyorder' && operation !== 'cancelorder'
  return isOrder && idsOf(operation, JSON.parse(text)).some((id) => byId.has(id)) ? 'partly' : 'undone'
}

/** What may be answered to a request that was sent before the server was killed, by what is in its books. */
function checkFirst(request: NamedRequest, given: Given, before: Found, ledger: Ledger): void {
  const { name, operation } = request
  const { status, isReplayed } = given
  const what = `${operation} ${name}: ${request.body}, answered ${status}${isReplayed ? ', replayed' : ''}: ${given.text}`
  const answer = JSON.parse(given.text) as object
  if (operation === 'modifyorder' || operation === 'cancelorder') {
    const input = JSON.parse(request.body) as Change
    checkChange(operation, input, given, answer, before, ledger, what)
    return
  }
  expect(status, what).toBe(200)
  const ids = idsOf(operation, answer)
  if (operation === 'closeposition') {
    if (isReplayed) expect(before.orders.get(CLOSE_STRATEGY) ?? [], what).toEqual(expect.arrayContaining(ids))
    return
  }
  const there = (operation === 'placegttorder' ? before.triggers : before.orders).get(name) ?? []
  // None is left out of the answer, and so none is there twice
  expect(ids, what).toEqual(expect.arrayContaining([...there]))
  if (!isOneByOne(operation, request.body)) expect([0, ids.length], what).toContain(there.length)
  // The answer is in the commit of the last order; where no order is needed, in one of its own
  if (ids.length > 0) expect(isReplayed, what).toBe(there.length === ids.length)
}

type Change = Pick<InputOf<'modifyorder'>, 'orderid' | 'quantity' | 'price'>

function checkChange(
  operation: 'modifyorder' | 'cancelorder',
  { orderid, quantity, price }: Change,
  { status, isReplayed }: Given,
  answer: object,
  { byId }: Found,
  { promised }: Ledger,
  what: string,
): void {
  const was = byId.get(orderid)
  const old = promised.get(orderid)
  const isWorking = was?.order_status === 'open' || was?.order_status === 'trigger pending'
  if (status !== 200) expect([status, answer], what).toMatchObject([400, { code: 'order_not_open' }])
  else if (!isReplayed)
    expect([isWorking, was], what).toMatchObject([true, { quantity: old?.quantity, price: old?.price }])
  else if (operation === 'modifyorder') expect(was, what).toMatchObject({ quantity, price })
  else expect(was?.order_status, what).toBe('cancelled')
  if (status !== 200 && isReplayed) expect(isWorking, what).toBe(false)
}

const isOneByOne = (operation: string, body: string): boolean =>
  operation === 'splitorder' || (operation === 'optionsmultiorder' && JSON.parse(body).on_leg_failure === 'continue')

/** Ids of the orders that an answer tells of, or of the trigger. */
function idsOf(operation: string, answer: object): string[] {
  const {
    orderid,
    orderids,
    trigger_id,
    results = [],
  } = answer as {
    readonly orderid?: string
    readonly orderids?: readonly string[]
    readonly trigger_id?: string
    readonly results?: readonly { readonly orderid?: string }[]
  }
  const id = operation === 'placegttorder' ? trigger_id : orderid
  return [id ?? [], orderids ?? [], results.flatMap((row) => row.orderid ?? [])].flat()
}
