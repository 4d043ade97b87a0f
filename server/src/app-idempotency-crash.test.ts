import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { onlyOnce } from './api/middleware/idempotency.ts'
import type { AnyOperation } from './api/operation.ts'
import { Visit } from './api/visit.ts'
import type { GttReport } from './brokers/gtt.ts'
import type { OrderReport } from './brokers/venue.ts'
import { ManualClock } from './kernel/clock.ts'
import { Refusal } from './kernel/errors.ts'
import { priceOf, quantityOf, toNumber, ZERO_MONEY, ZERO_PRICE, ZERO_QUANTITY } from './kernel/fixed.ts'
import { instrumentOf } from './paper/order.ts'
import type { PaperExchange } from './paper/paper-exchange.ts'
import { QuoteBoard } from './paper/quote-board.ts'
import { RELIANCE, SBIN } from './paper/test-desk.ts'
import { openTestExchange } from './paper/test-exchange.ts'
import { type Databases, openDatabases } from './storage/open.ts'
import { type Death, Mortal } from './storage/test-mortal.ts'
import { Idempotency } from './trading/flow/idempotency.ts'
import { OrderFlow } from './trading/flow/order-flow.ts'
import { type GttRequest, Gtts } from './trading/gtt.ts'
import { type LegOutcome, type Plan, placedReport } from './trading/plan.ts'
import { basketPlan } from './trading/plans/basket.ts'
import { singlePlan } from './trading/plans/single.ts'
import { effectivePosition, smartPlan } from './trading/plans/smart.ts'
import { splitPlan } from './trading/plans/split.ts'
import { OPEN_GATE } from './trading/risk/gate.ts'
import { type OrderRequest, Trading } from './trading/trading.ts'

/**
 * Named requests over the real paper exchange on real files, in a process that may die at any of its writes. From the
 * environment: `ONCE_RUNS`, how many accounts are taken through that, about 22 steps each; `ONCE_SEED`, through which.
 */

/** What is one commit of the venue: its answer is a part of it. */
const ONE_COMMIT = ['single', 'basket', 'smart', 'refused', 'gtt', 'cancel'] as const
/** Orders that are sent one by one. What `moving` comes to is different whenever it is planned. */
const SEVERAL_COMMITS = ['split', 'moving'] as const
const KINDS = [...ONE_COMMIT, ...SEVERAL_COMMITS] as const
type Kind = (typeof KINDS)[number]

const runs = Number(process.env['ONCE_RUNS'] || 60)
const seed = Number(process.env['ONCE_SEED'] || 20_261_126)
const RUN_MS_MAX = 1_000

/** What a client wants, under one name. */
interface Wish {
  readonly key: string
  readonly kind: Kind
  readonly size: number
  /** That is to be cancelled; empty for others. */
  readonly order: string
}

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

const clock = new ManualClock('2026-11-23T05:00:00Z')
const board = new QuoteBoard(() => clock.now())
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

/** Every order of a wish carries it, and its place. */
const orderOf = (wish: Wish, quantity: number, symbol = 'SBIN'): OrderRequest => ({
  symbol,
  exchange: 'NSE',
  action: 'BUY',
  quantity: quantityOf(quantity),
  priceType: wish.kind === 'refused' ? 'LIMIT' : 'MARKET',
  product: 'MIS',
  price: wish.kind === 'refused' ? priceOf(500.01) : ZERO_PRICE,
  triggerPrice: ZERO_PRICE,
  disclosedQuantity: ZERO_QUANTITY,
  strategy: wish.key,
})

/** Orders that a wish comes to (a smart one by what is held), triggers that it places, or orders that it cancels. */
const partCount = ({ kind, size }: Wish): number =>
  kind === 'split' || kind === 'moving' ? size + 1 : kind === 'basket' ? size : 1

/** Whether a wish leads to orders of its own. */
const isOrder = ({ kind }: Wish): boolean => kind !== 'gtt' && kind !== 'cancel'

/** Orders that rest until a wish cancels one; all wishes after as many are for something else. */
const RESTING = 8
const REST_STRATEGY = 'rest'

interface Row {
  readonly kind: LegOutcome['kind']
  readonly orderid: string | undefined
}

let plannings = 0

class Process {
  readonly orders: OrderFlow
  readonly paper: PaperExchange
  readonly #gtts: Gtts
  readonly #trading: Trading
  readonly idempotency: Idempotency
  readonly #account: string
  readonly #once: ReturnType<typeof onlyOnce>

  constructor(account: string, paper: PaperExchange, databases: Databases) {
    this.#account = account
    this.paper = paper
    const instruments = [SBIN, RELIANCE].map(instrumentOf)
    const common = {
      find: (symbol: string) => instruments.find((each) => each.symbol === symbol),
      nearest: () => [],
      venueOf: (of: string) => paper.venue(of),
      gate: OPEN_GATE,
    }
    this.orders = new OrderFlow(common)
    this.#gtts = new Gtts(common)
    this.#trading = new Trading({
      ...common,
      marketData: board,
      brokerage: { perOrder: ZERO_MONEY, sharePerMillion: 0 },
    })
    this.idempotency = new Idempotency({
      money: databases.money,
      clock,
      onError: (error) => {
        throw error
      },
    })
    this.#once = onlyOnce(this.idempotency)
  }

  static async start(account: string, { databases }: Mortal): Promise<Process> {
    const paper = await openTestExchange({ databases, accounts: [account], marketData: board, clock })
    return new Process(account, paper, databases)
  }

  /** As an operation does it. Answers the rows of its orders; a refusal as its code and order. */
  async ask(wish: Wish): Promise<{ answer: unknown; replayed: boolean }> {
    const { key, ...fields } = wish
    const visit = new Visit({
      id: 'r',
      at: clock.now(),
      elapsedMs: () => 0,
      method: 'POST',
      url: '/api/v1/placeorder',
      headers: { 'idempotency-key': key },
      address: '',
      bytesBefore: 0,
    })
    visit.caller = { ...visit.caller, account: this.#account }
    const operation = { name: wish.kind, access: 'trade' } as unknown as AnyOperation
    const replayed = (): boolean => visit.answerHeaders['idempotent-replayed'] === 'true'
    try {
      const answer = await this.#once(visit, operation, fields, () => this.#run(wish, visit))
      return { answer, replayed: replayed() }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return { answer: { code: error.code, orderid: error.extra['orderid'] }, replayed: replayed() }
    }
  }

  async #run(wish: Wish, visit: Visit): Promise<object> {
    const account = this.#account
    const named = ({ id: orderid }: { readonly id: string }) => ({ orderid })
    if (wish.kind === 'cancel') return await this.#trading.cancelOrder({ account, visit }, wish.order, named)
    if (wish.kind === 'gtt') return await this.#gtts.place({ account, keyId: '', visit }, gttOf(wish), named)
    return await this.orders.run({
      account: this.#account,
      caller: {},
      visit,
      position: wish.kind === 'smart' ? { symbol: 'SBIN', exchange: 'NSE', product: 'MIS' } : undefined,
      expand: () => this.#plan(wish),
      answer: (_plan, outcomes) => {
        const [only] = outcomes
        if (wish.kind === 'refused' && only?.kind === 'refused') throw only.refusal
        return { rows: outcomes.map(rowOf) }
      },
    })
  }

  async #plan(wish: Wish): Promise<Plan> {
    if (wish.kind === 'split') return splitPlan(orderOf(wish, wish.size + 1), quantityOf(1))
    if (wish.kind === 'moving') {
      plannings += 1
      return splitPlan(orderOf(wish, wish.size + 1, plannings % 2 === 0 ? 'SBIN' : 'RELIANCE'), quantityOf(1))
    }
    if (wish.kind === 'basket')
      return basketPlan(
        Array.from({ length: wish.size }, (_, index) =>
          orderOf(wish, 1 + index, index % 2 === 0 ? 'SBIN' : 'RELIANCE'),
        ),
      )
    if (wish.kind !== 'smart') return singlePlan(orderOf(wish, wish.size))
    const order = orderOf(wish, 1)
    const venue = this.paper.venue(this.#account)
    if (venue === undefined) throw new Error('the account is open')
    const held = effectivePosition(await venue.standing(order))
    return smartPlan(order, held, quantityOf(toNumber.quantity(held) + wish.size))
  }

  async book(): Promise<readonly OrderReport[]> {
    return (await this.paper.venue(this.#account)?.orders()) ?? []
  }

  triggers(): Promise<readonly GttReport[]> {
    return this.#gtts.all(this.#account)
  }

  /** An order that waits to be cancelled. */
  async rest(): Promise<string> {
    const far: OrderRequest = {
      ...orderOf({ key: REST_STRATEGY, kind: 'single', size: 1, order: '' }, 1),
      ...{ priceType: 'LIMIT', price: priceOf(400) },
    }
    const answer = (_plan: Plan, [outcome]: readonly LegOutcome[]): string => placedReport(outcome).id
    return await this.orders.run({ account: this.#account, caller: {}, expand: () => singlePlan(far), answer })
  }
}

const gttOf = ({ key, size }: Wish): GttRequest => ({
  symbol: 'SBIN',
  exchange: 'NSE',
  action: 'BUY',
  product: 'CNC',
  quantity: quantityOf(size),
  priceType: 'LIMIT',
  legs: [{ direction: 'below', triggerPrice: priceOf(400), price: priceOf(400) }],
  strategy: key,
  expiresAt: undefined,
})

const rowOf = (outcome: LegOutcome): Row => ({
  kind: outcome.kind,
  orderid: outcome.kind === 'placed' ? outcome.report.id : outcome.kind === 'refused' ? outcome.orderId : undefined,
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
