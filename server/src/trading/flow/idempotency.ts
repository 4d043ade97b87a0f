import { hash, randomBytes } from 'node:crypto'
import { assert } from '../../kernel/assert.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal, type RefusalCode } from '../../kernel/errors.ts'
import { DAY_MS } from '../../kernel/exchange-time.ts'
import type { Database } from '../../storage/open.ts'
import type { IdempotencyTable, MoneyDatabase } from '../../storage/schema.ts'
import type { Statement } from '../../storage/writer.ts'
import type { Intent, Work } from './intent.ts'

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
  | { readonly kind: 'new'; readonly intent: NamedIntent }

export interface IdempotencyOptions {
  readonly money: Database<MoneyDatabase>
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

/**
 * Requests that are done once however often they are sent. The answer is in the commit of what it tells of. Where that is
 * several commits, the request and what was decided about it are on disk before the first of them, and its orders carry
 * its tag. So whenever the process ends, sending it again finds its answer, or goes on with it, or nothing was done.
 */
export class Idempotency {
  readonly #options: IdempotencyOptions
  /** Hash of what each request under way asks for. */
  readonly #running = new Map<string, string>()
  readonly #rows: Rows
  readonly #byName: (account: string, key: string) => readonly IdempotencyTable[]
  readonly #stop: () => void
  #sweeping: Promise<void> | undefined

  constructor(options: IdempotencyOptions) {
    this.#options = options
    this.#rows = new Rows(options)
    const { kysely, prepare } = options.money
    this.#byName = prepare(kysely.selectFrom('idempotency').selectAll().where('account', '=', '').where('key', '=', ''))
    this.#stop = options.clock.every(SWEEP_EVERY_MS, () => {
      this.#sweeping ??= this.sweep()
        .catch(options.onError)
        .finally(() => {
          this.#sweeping = undefined
        })
    })
  }

  /**
   * To be asked before anything is done; writes nothing. Throws idempotency_key_reused when the name stands for something
   * else, and request_running while it is being done. What is new must be ended with `release`.
   */
  begin(request: NamedRequest): Begun {
    const name = nameOf(request)
    const wanted = hashOf(request)
    const running = this.#running.get(name)
    if (running !== undefined) throw running === wanted ? stillRunning(request.key) : reused(request.key)
    this.#running.set(name, wanted)
    const release = (): void => {
      this.#running.delete(name)
    }
    try {
      const known = this.#find(request.account, request.key)
      if (known === undefined) {
        const tag = `idm_${randomBytes(TAG_BYTES).toString('base64url')}`
        return { kind: 'new', intent: new NamedIntent(this.#rows, request, wanted, tag, undefined, release) }
      }
      if (known.hash !== wanted) throw reused(request.key)
      const { answer, tag, work } = known
      if (answer === null) {
        const begun = work === null ? {} : (JSON.parse(work) as Work)
        return { kind: 'new', intent: new NamedIntent(this.#rows, request, wanted, tag, begun, release) }
      }
      release()
      return { kind: 'replay', first: JSON.parse(answer) as FirstAnswer }
    } catch (error) {
      release()
      throw error
    }
  }

  /** Tag of the orders that a request of that name led to; undefined when there was none lately. */
  tagOf(account: string, key: string): string | undefined {
    return this.#find(account, key)?.tag
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

  #find(account: string, key: string): IdempotencyTable | undefined {
    const [row] = this.#byName(account, key)
    const isOver = row !== undefined && row.created_at < this.#options.clock.now() - RETENTION_MS
    return isOver ? undefined : row
  }
}

/** Rows of the table as statements. One that is there already, such as one too old to count, is replaced. */
class Rows {
  readonly #options: IdempotencyOptions
  readonly #sql: string

  constructor(options: IdempotencyOptions) {
    this.#options = options
    const { kysely, compile } = options.money
    const columns = { account: '', key: '', hash: '', operation: '', tag: '', created_at: 0 }
    this.#sql = compile(
      kysely.replaceInto('idempotency').values({ ...columns, status: null, answer: null, work: null }),
    ).sql
  }

  row(
    { account, key, operation }: NamedRequest,
    hash: string,
    tag: string,
    first: FirstAnswer | undefined,
    work: Work | undefined,
  ): Statement {
    const status = first === undefined ? null : first.kind === 'answer' ? 200 : 400
    const texts = [first, work].map((value) => (value === undefined ? null : JSON.stringify(value)))
    const at = this.#options.clock.now()
    return { sql: this.#sql, parameters: [account, key, hash, operation, tag, at, status, ...texts] }
  }

  write(row: Statement): Promise<void> {
    return this.#options.money.writer.write([row])
  }
}

/** One named request, from when its name is taken until it is answered or has failed. */
export class NamedIntent implements Intent {
  readonly tag: string
  readonly isResumed: boolean
  readonly #rows: Rows
  readonly #request: NamedRequest
  readonly #hash: string
  readonly #release: () => void
  #work: Work | undefined
  #kept: FirstAnswer | undefined

  constructor(
    rows: Rows,
    request: NamedRequest,
    hash: string,
    tag: string,
    work: Work | undefined,
    release: () => void,
  ) {
    this.#rows = rows
    this.#request = request
    this.#hash = hash
    this.tag = tag
    this.isResumed = work !== undefined
    this.#work = work
    this.#release = release
  }

  get work(): Work | undefined {
    return this.#work
  }

  /** The answer that was given to a commit; undefined without one. On disk unless that commit failed. */
  get kept(): FirstAnswer | undefined {
    return this.#kept
  }

  async begin(work: Work): Promise<void> {
    await this.#rows.write(this.#row(undefined, work))
    this.#work = work
  }

  keep(answer: () => unknown): Statement {
    assert(this.#kept === undefined, `${this.#request.operation} was answered before`)
    try {
      this.#kept = wordedBy(answer)
      return this.#row(this.#kept, undefined)
    } catch {
      // Whoever words it once more meets the same; what was done must not be done again
      this.#kept = undefined
      return this.#row(undefined, this.#work ?? {})
    }
  }

  /** Keeps an answer in a commit of its own, unless it was kept before; resolves with the one that is on disk. */
  async finish(first: FirstAnswer): Promise<FirstAnswer> {
    if (this.#kept !== undefined) return this.#kept
    await this.#rows.write(this.#row(first, undefined))
    this.#kept = first
    return first
  }

  /** From now on it may be sent again. To be called once, whatever became of it. */
  release(): void {
    this.#release()
  }

  #row(first: FirstAnswer | undefined, work: Work | undefined): Statement {
    return this.#rows.row(this.#request, this.#hash, this.tag, first, work)
  }
}

/** What a refusal says, to be kept and said again. */
export const keptRefusal = ({ code, message, extra }: Refusal): FirstAnswer => ({
  kind: 'refusal',
  code,
  message,
  extra,
})

function wordedBy(answer: () => unknown): FirstAnswer {
  try {
    return { kind: 'answer', body: answer() as object }
  } catch (error) {
    if (error instanceof Refusal) return keptRefusal(error)
    throw error
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
