import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Databases, openDatabases } from './storage/open.ts'
import { type Death, Mortal } from './storage/test-mortal.ts'
import {
  board,
  clock,
  isOrder,
  KINDS,
  type Kind,
  Process,
  partCount,
  REST_STRATEGY,
  RESTING,
  type Row,
  SEVERAL_COMMITS,
  type Wish,
} from './test-once-process.ts'

/**
 * Named requests over the real paper exchange on real files, in a process that may die at any of its writes. From the
 * environment: `ONCE_RUNS`, how many accounts are taken through that, about 22 steps each; `ONCE_SEED`, through which.
 */

const runs = Number(process.env['ONCE_RUNS'] || 60)
const seed = Number(process.env['ONCE_SEED'] || 20_261_126)
const RUN_MS_MAX = 1_000

type Step =
  | { readonly kind: 'ask'; readonly what: Kind; readonly size: number }
  /** Some of the latest wishes again, at the same time; `others` asks for something else by their names. */
  | { readonly kind: 'again'; readonly back: readonly number[]; readonly others: boolean }
  | { readonly kind: 'arm'; readonly death: Death }
  | { readonly kind: 'restart' }

const size = fc.integer({ min: 1, max: 4 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('ask' as const), what: fc.constantFrom(...KINDS), size }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('again' as const),
      back: fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
      others: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('arm' as const),
      death: fc.record({ writesBefore: fc.nat(4), isLastKept: fc.boolean() }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
)

let folder = ''
let real: Databases
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-once-crash-'))
  real = await openDatabases(folder, clock)
  board.set('SBIN', 500)
  board.set('RELIANCE', 1_500)
})
afterAll(async () => {
  await real.close()
  rmSync(folder, { recursive: true })
})

const EARLY = new Set(['request_running', 'idempotency_key_reused'])
const codeOf = (answer: unknown): string => String((answer as { code?: unknown } | undefined)?.code ?? '')

let lives = 0
/** How often what was to be tried came about, over all runs. */
const seen = {
  steps: 0,
  deaths: 0,
  replays: 0,
  /** Of those whose answer nobody had got before the process died. */
  untoldReplays: 0,
  unbegun: 0,
  partlySent: 0,
  running: 0,
  reused: 0,
  orders: 0,
}

class Life {
  readonly #account = `acc_${++lives}`
  readonly #wishes: Wish[] = []
  /** The first answer that was told under each name. */
  readonly #told = new Map<string, unknown>()
  /** Names whose answer was on disk when the process started. */
  readonly #answered = new Set<string>()
  readonly #resting: string[] = []
  #mortal = new Mortal(real)
  #process: Process | undefined

  async run(steps: readonly Step[]): Promise<void> {
    await real.money.writer.write([
      { sql: `INSERT INTO account (id, venue, created_at) VALUES (?, 'paper', 0)`, parameters: [this.#account] },
    ])
    await this.#restart()
    for (let count = 0; count < RESTING; count += 1) this.#resting.push((await this.#process?.rest()) ?? '')
    for (const each of steps) await this.#take(each)
    seen.steps += steps.length
    // Every client asks until it has its answer
    await this.#restart()
    await this.#ask(this.#wishes)
    await this.#check()
    await this.#restart()
    await this.#check()
    await this.#process?.idempotency.close()
    this.#mortal.kill()
  }

  async #take(each: Step): Promise<void> {
    if (each.kind === 'ask') {
      const order = each.what === 'cancel' ? this.#resting.pop() : ''
      const kind = order === undefined ? 'single' : each.what
      const wish = { key: `${this.#account}-${this.#wishes.length}`, kind, size: each.size, order: order ?? '' }
      this.#wishes.push(wish)
      await this.#ask([wish])
    } else if (each.kind === 'again') {
      const wishes = each.back.flatMap((back) => this.#wishes.at(-1 - back) ?? [])
      await this.#ask(wishes, each.others ? wishes.map((wish) => ({ ...wish, size: wish.size + 10 })) : [])
    } else if (each.kind === 'arm') this.#mortal.arm(each.death)
    else await this.#restart()
  }

  /** Until all is answered or the process is dead; then it starts again. */
  async #ask(wishes: readonly Wish[], others: readonly Wish[] = []): Promise<void> {
    const process = this.#process
    if (process === undefined) throw new Error('it runs')
    const asked = [
      ...wishes.map(async (wish) => this.#tell(wish, await process.ask(wish))),
      ...others.map(async (wish) => {
        const { answer } = await process.ask(wish)
        // Only a name of which nothing came, because the process died before, is still free
        if (codeOf(answer) === 'idempotency_key_reused') seen.reused += 1
        else if (codeOf(answer) !== 'request_running') this.#rename(wish, answer)
      }),
    ]
    const isDead = await Promise.race([Promise.all(asked).then(() => false), this.#mortal.died.then(() => true)])
    if (!isDead) return
    seen.deaths += 1
    await this.#restart()
  }

  #rename(wish: Wish, answer: unknown): void {
    expect(this.#told.has(wish.key), 'a name that was told of stands for something else').toBe(false)
    const index = this.#wishes.findIndex(({ key }) => key === wish.key)
    this.#wishes[index] = wish
    this.#told.set(wish.key, answer)
  }

  #tell(wish: Wish, { answer, replayed }: { answer: unknown; replayed: boolean }): void {
    if (EARLY.has(codeOf(answer))) {
      if (codeOf(answer) === 'request_running') seen.running += 1
      return
    }
    if (replayed) seen.replays += 1
    const before = this.#told.get(wish.key)
    if (this.#answered.has(wish.key)) {
      expect(replayed, `${wish.key}, answered before the process started, is replayed`).toBe(true)
      if (before === undefined) seen.untoldReplays += 1
    } else if (before === undefined) expect(replayed, `${wish.key} wasn't answered before`).toBe(false)
    if (before === undefined) this.#told.set(wish.key, answer)
    else expect(answer, `${wish.key} is answered as before`).toEqual(before)
  }

  async #restart(): Promise<void> {
    await this.#process?.idempotency.close()
    this.#mortal.kill()
    await Promise.all([real.money.writer.query('SELECT 1'), real.record.writer.query('SELECT 1')])
    this.#mortal = new Mortal(real)
    this.#process = await Process.start(this.#account, this.#mortal)
    await this.#checkRows(this.#process)
  }

  /**
   * What a crash leaves: of one commit, what it did and its answer, or neither; of several, nothing, or what was planned
   * and a part of it, or all of it and its answer.
   */
  async #checkRows(process: Process): Promise<void> {
    const rows = await real.money.kysely
      .selectFrom('idempotency')
      .selectAll()
      .where('account', '=', this.#account)
      .execute()
    const [book, triggers] = [await process.book(), await process.triggers()]
    for (const wish of this.#wishes) {
      const row = rows.find(({ key }) => key === wish.key)
      const what = `${wish.key}: ${JSON.stringify(wish)}, ${JSON.stringify(row)}`
      const own = wish.kind === 'gtt' ? triggers : book
      const done =
        wish.kind === 'cancel'
          ? book.filter(({ id, status }) => id === wish.order && status === 'cancelled').length
          : own.filter(({ strategy }) => strategy === wish.key).length
      if (row === undefined) {
        expect(done, what).toBe(0)
        seen.unbegun += 1
      } else if (row.answer !== null) {
        expect(done, what).toBe(partCount(wish))
        this.#answered.add(wish.key)
      } else {
        expect(SEVERAL_COMMITS, what).toContain(wish.kind)
        expect(JSON.parse(row.work ?? '{}'), what).toMatchObject({ plan: { legs: { length: partCount(wish) } } })
        expect(done, what).toBeLessThan(partCount(wish))
        if (done > 0) seen.partlySent += 1
      }
    }
  }

  /** Each wish has led to its orders once, and its answer names them. */
  async #check(): Promise<void> {
    const all = (await this.#process?.book()) ?? []
    const book = all.filter(({ strategy }) => strategy !== REST_STRATEGY)
    const triggers = (await this.#process?.triggers()) ?? []
    seen.orders += book.length
    for (const wish of this.#wishes.filter((each) => !isOrder(each))) {
      const id =
        wish.kind === 'cancel'
          ? [wish.order]
          : triggers.filter(({ strategy }) => strategy === wish.key).map((of) => of.id)
      expect([(this.#told.get(wish.key) as { orderid?: string }).orderid], wish.key).toEqual(id)
    }
    for (const wish of this.#wishes.filter(isOrder)) {
      const own = book.filter(({ strategy }) => strategy === wish.key)
      const what = `${wish.key}: ${JSON.stringify(wish)}`
      expect(own.map(({ leg }) => leg ?? 0).toSorted(), what).toEqual(
        Array.from({ length: partCount(wish) }, (_, index) => index),
      )
      expect(new Set(own.map(({ root }) => root)).size, what).toBe(1)
      if (wish.kind === 'moving') expect(new Set(own.map(({ symbol }) => symbol)).size, what).toBe(1)
      const answer = this.#told.get(wish.key) as { rows?: Row[]; orderid?: string }
      const named = answer.rows?.map(({ orderid }) => orderid) ?? [answer.orderid]
      expect(named.toSorted(), what).toEqual(own.map(({ id }) => id).toSorted())
    }
    expect(book.length).toBe(this.#wishes.filter(isOrder).reduce((sum, wish) => sum + partCount(wish), 0))
  }
}

test(
  'whatever is asked again and whenever the process dies, each request is done once and answered as the first time',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { size: 'max', minLength: 5, maxLength: 40 }), (steps) => new Life().run(steps)),
      { numRuns: runs, seed },
    )
    if (process.env['ONCE_RUNS']) process.stdout.write(`once ${seed}: ${JSON.stringify(seen)}\n`)
    // Otherwise nothing was tried
    for (const [what, count] of Object.entries(seen)) expect([what, count > 10]).toEqual([what, true])
  },
  runs * RUN_MS_MAX,
)
