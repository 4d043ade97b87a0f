import { hash, randomBytes } from 'node:crypto'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal, type RefusalCode } from '../../kernel/errors.ts'
import { DAY_MS } from '../../kernel/exchange-time.ts'
import type { Database } from '../../storage/open.ts'
import type { MoneyDatabase } from '../../storage/schema.ts'
import type { Intent } from './order-flow.ts'

/** Longest key that a client may name a request by. */
export const IDEMPOTENCY_KEY_LENGTH_MAX = 255
/** Answers are kept so long, and some time longer until they are swept. */
export const RETENTION_MS = DAY_MS
const SWEEP_EVERY_MS = 3_600_000
/** Swept only when they can't be asked for any more, whatever clocks do. */
const SWEPT_AFTER_MS = RETENTION_MS + SWEEP_EVERY_MS
const SWEPT_ROWS_MAX = 5_000
const TAG_BYTES = 12
/** Commits of one sweep. */
const SWEEPS_MAX = 100

/** A request of one account that its client gave a name. */
export interface NamedRequest {
  readonly account: string
  readonly key: string
  readonly operation: string
  /** What it asks for, without key and name. */
  readonly payload: object
}

/** What was answered the first time. */
export type FirstAnswer =
  | { readonly kind: 'answer'; readonly body: object }
  | {
      readonly kind: 'refusal'
      readonly code: RefusalCode
      readonly message: string
      readonly extra: Readonly<Record<string, unknown>>
    }

export type Begun =
  | { readonly kind: 'replay'; readonly first: FirstAnswer }
  | { readonly kind: 'new'; readonly request: NamedRequest; readonly intent: Intent }

export interface IdempotencyOptions {
  readonly money: Database<MoneyDatabase>
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

/**
 * Requests that are done once however often they are sent. That a request was begun is on disk before anything is done;
 * its orders carry its tag. So whenever the process ends, sending it again finds its answer, or its orders, or that nothing
 * was done.
 */
export class Idempotency {
  readonly #options: IdempotencyOptions
  /** Hash of what each request under way asks for. */
  readonly #running = new Map<string, string>()
  readonly #stop: () => void
  #sweeping: Promise<void> | undefined

  constructor(options: IdempotencyOptions) {
    this.#options = options
    this.#stop = options.clock.every(SWEEP_EVERY_MS, () => {
      this.#sweeping ??= this.sweep()
        .catch(options.onError)
        .finally(() => {
          this.#sweeping = undefined
        })
    })
  }

  /**
   * To be asked before anything is done. Throws idempotency_key_reused when the name stands for something else, and
   * request_running while it is being done. What begins must come to `finish` or `giveUp`.
   */
  async begin(request: NamedRequest): Promise<Begun> {
    const name = nameOf(request)
    const wanted = hashOf(request)
    const running = this.#running.get(name)
    if (running !== undefined) throw running === wanted ? stillRunning(request.key) : reused(request.key)
    this.#running.set(name, wanted)
    try {
      const known = await this.#find(request.account, request.key)
      if (known === undefined) return await this.#beginNew(request, wanted)
      if (known.hash !== wanted) throw reused(request.key)
      const { status, answer, tag } = known
      if (status === null || answer === null) return { kind: 'new', request, intent: { tag, isResumed: true } }
      this.#running.delete(name)
      return { kind: 'replay', first: JSON.parse(answer) as FirstAnswer }
    } catch (error) {
      this.#running.delete(name)
      throw error
    }
  }

  /** Keeps the answer; resolves when it is on disk. */
  async finish(request: NamedRequest, first: FirstAnswer): Promise<void> {
    const { kysely, writer, compile } = this.#options.money
    const name = nameOf(request)
    try {
      const row = { status: first.kind === 'answer' ? 200 : 400, answer: JSON.stringify(first) }
      await writer.write([
        compile(
          kysely
            .updateTable('idempotency')
            .set(row)
            .where('account', '=', request.account)
            .where('key', '=', request.key),
        ),
      ])
    } finally {
      this.#running.delete(name)
    }
  }

  /** It came to nothing and may be tried again; or, when `isUnknown`, nobody can tell, and a retry finds out. */
  async giveUp(request: NamedRequest, isUnknown: boolean): Promise<void> {
    const { kysely, writer, compile } = this.#options.money
    const name = nameOf(request)
    try {
      if (isUnknown) return
      await writer.write([
        compile(kysely.deleteFrom('idempotency').where('account', '=', request.account).where('key', '=', request.key)),
      ])
    } finally {
      this.#running.delete(name)
    }
  }

  /** Tag of the orders that a request of that name led to; undefined when there was none lately. */
  async tagOf(account: string, key: string): Promise<string | undefined> {
    return (await this.#find(account, key))?.tag
  }

  /** Removes what is older than it need be, some at a time. */
  async sweep(): Promise<void> {
    const { money, clock } = this.#options
    const { kysely, writer, compile } = money
    const before = clock.now() - SWEPT_AFTER_MS
    for (let sweep = 0; sweep < SWEEPS_MAX; sweep += 1) {
      const old = await kysely
        .selectFrom('idempotency')
        .select('created_at')
        .where('created_at', '<', before)
        .orderBy('created_at')
        .limit(SWEPT_ROWS_MAX)
        .execute()
      const until = old.at(-1)?.created_at
      if (until === undefined) return
      await writer.write([compile(kysely.deleteFrom('idempotency').where('created_at', '<=', until))])
    }
  }

  async close(): Promise<void> {
    this.#stop()
    await this.#sweeping
  }

  async #beginNew(request: NamedRequest, wanted: string): Promise<Begun> {
    const { money, clock } = this.#options
    const { kysely, writer, compile } = money
    const { account, key, operation } = request
    const tag = `idm_${randomBytes(TAG_BYTES).toString('base64url')}`
    const row = { account, key, hash: wanted, operation, tag, created_at: clock.now(), status: null, answer: null }
    // A row that is too old to count is replaced
    await writer.write([compile(kysely.replaceInto('idempotency').values(row))])
    return { kind: 'new', request, intent: { tag, isResumed: false } }
  }

  async #find(account: string, key: string) {
    const row = await this.#options.money.kysely
      .selectFrom('idempotency')
      .selectAll()
      .where('account', '=', account)
      .where('key', '=', key)
      .executeTakeFirst()
    const isOver = row !== undefined && row.created_at < this.#options.clock.now() - RETENTION_MS
    return isOver ? undefined : row
  }
}

const nameOf = ({ account, key }: NamedRequest): string => `${account} ${key}`

const hashOf = ({ operation, payload }: NamedRequest): string =>
  hash('sha256', `${operation} ${canonical(payload)}`, 'base64url')

/** JSON with the fields of every object in one order. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const fields = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return `{${fields.map(([name, inside]) => `${JSON.stringify(name)}:${canonical(inside)}`).join()}}`
}

const reused = (key: string): Refusal =>
  new Refusal(
    'idempotency_key_reused',
    `"${key}" already names another request of this account. Send that one again, or name this one differently.`,
  )

const stillRunning = (key: string): Refusal =>
  new Refusal('request_running', `The request named "${key}" is still being done. Ask again in a second.`)
