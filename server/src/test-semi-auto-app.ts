import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { type App, createApp } from './app.ts'
import { loadConfig } from './config.ts'
import { OWNER } from './identity/audit.ts'
import type { Role } from './identity/caller.ts'
import { ManualClock } from './kernel/clock.ts'

/**
 * For tests: the whole platform with an account in semi-automatic mode, a new one for each test, as programs and people meet
 * it. Closed after the tests of a file.
 */

const LIMITS = {
  ADDRESS_RATE_LIMIT: '1000000 per second',
  API_RATE_LIMIT: '1000000 per second',
  ORDER_RATE_LIMIT: '10 per second',
}
export const SECRET = `sk_${'k'.repeat(43)}`

export let folder: string
export let clock: ManualClock
export let app: App
/** In semi-automatic mode. */
export let account: string
/** The account's owner, a stranger with an account of their own, and an admin without one. */
export let owner: Person
export let stranger: Person
export let admin: Person
export let key: { readonly id: string; readonly text: string }

export interface Person {
  readonly userId: string
  readonly name: string
  readonly cookie: string
}

export async function start(settings: Record<string, string> = {}): Promise<void> {
  app = await createApp(
    loadConfig({ DATA_DIR: folder, ...LIMITS, ...settings }, folder),
    clock,
    pino({ level: 'silent' }),
  )
}

let people = 0

export async function person(role: Role): Promise<Person> {
  const { users, sessions } = app.identity
  people += 1
  const name = `${role}-${people}`
  const { id } = await users.create({ name, email: `${name}@example.com`, role, passwordHash: 'none' })
  return { userId: id, name, cookie: `sauda_session=${(await sessions.begin(id, '', '')).token}` }
}

export const newKey = (more: { scopes?: readonly string[] } = {}) =>
  app.keys.createKey({ account, userId: owner.userId, name: 'bot', scopes: ['trade'], ...more }, OWNER)

export async function restart(settings: Record<string, string> = {}): Promise<void> {
  await app.close()
  await start(settings)
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-semi-auto-'))
  clock = new ManualClock('2026-11-25T11:00:00+05:30')
  await start()
})
beforeEach(async () => {
  owner = await person('trader')
  account = (await app.accounts.create(owner.userId, 'default', OWNER)).id
  stranger = await person('trader')
  await app.accounts.create(stranger.userId, 'default', OWNER)
  admin = await person('admin')
  key = await newKey()
  await app.accounts.setOrderMode(account, 'semi_auto', OWNER)
})
afterAll(async () => {
  await app.close()
  rmSync(folder, { recursive: true })
})

export type Body = Readonly<Record<string, unknown>>

export async function send(
  name: string,
  input: object,
  headers: Record<string, string>,
): Promise<{ status: number; body: Body }> {
  const answer = await app.http.inject({ method: 'POST', url: `/api/v1/${name}`, payload: input, headers })
  return { status: answer.statusCode, body: answer.json() }
}
export const byKey = (name: string, input: object = {}) => send(name, input, { 'x-api-key': key.text })
export const by = ({ cookie }: Person, name: string, input: object = {}) => send(name, input, { cookie })
export const outcome = ({ status, body }: { status: number; body: Body }) => [status, body['code'] ?? body['status']]

export const LEG = { exchange: 'NSE', symbol: 'SBIN', action: 'BUY', quantity: 1, product: 'MIS' }
export const ORDER = { strategy: 'bot', ...LEG }

export async function queued(more: object = {}): Promise<number> {
  const { body } = await byKey('placeorder', { ...ORDER, ...more })
  return Number(body['pending_order_id'])
}
export async function orderbook(): Promise<readonly Body[]> {
  const { body } = await byKey('orderbook')
  return (body['data'] as { orders: Body[] }).orders
}
export async function approvals(query = ''): Promise<{ data: readonly Body[]; statistics: Body }> {
  const url = `/api/v1/approvals?${query}`
  const answer = await app.http.inject({ method: 'GET', url, headers: { 'x-api-key': key.text } })
  return answer.json()
}
