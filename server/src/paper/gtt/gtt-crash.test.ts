import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { GttReport, NewGttLeg } from '../../brokers/gtt.ts'
import { ManualClock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { DAY_MS } from '../../kernel/exchange-time.ts'
import { priceOf, quantityOf } from '../../kernel/fixed.ts'
import { type Databases, openDatabases } from '../../storage/open.ts'
import { type Death, Mortal } from '../../storage/test-mortal.ts'
import { instrumentOf } from '../order.ts'
import type { PaperExchange } from '../paper-exchange.ts'
import { QuoteBoard } from '../quote-board.ts'
import { SBIN } from '../test-desk.ts'
import { openTestExchange } from '../test-exchange.ts'

/** Triggers on real files, in a process that may die at any of its writes. */

const clock = new ManualClock('2026-11-23T05:00:00Z')
let folder = ''
let files: Databases
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-gtt-crash-'))
  files = await openDatabases(folder, clock)
})
afterAll(async () => {
  await files.close()
  rmSync(folder, { recursive: true })
})

type Step =
  | { readonly kind: 'place'; readonly below: number; readonly above: number | null; readonly days: number }
  | { readonly kind: 'modify' | 'cancel'; readonly nth: number; readonly below: number }
  | { readonly kind: 'price'; readonly at: number; readonly rounds: number }
  | { readonly kind: 'day' | 'restart' }
  | { readonly kind: 'arm'; readonly death: Death }

const below = fc.integer({ min: 480, max: 501 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('place' as const),
      below,
      above: fc.option(fc.integer({ min: 502, max: 520 })),
      days: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('modify' as const, 'cancel' as const), nth: fc.nat(9), below }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('price' as const),
      at: fc.integer({ min: 475, max: 525 }),
      rounds: fc.integer({ min: 1, max: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('day' as const, 'restart' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('arm' as const),
      death: fc.record({ writesBefore: fc.nat(4), isLastKept: fc.boolean() }),
    }),
  },
)

const legOf = (direction: NewGttLeg['direction'], at: number): NewGttLeg => ({
  direction,
  triggerPrice: priceOf(at),
  price: priceOf(at),
})

let accounts = 0

/** One account through one run of steps, whatever dies on the way. */
class Life {
  readonly #account = `life-${++accounts}`
  readonly #board = new QuoteBoard(() => clock.now())
  #mortal = new Mortal(files)
  #exchange: PaperExchange | undefined
  /** What was answered: it must stay true. */
  readonly #told = new Map<string, GttReport>()

  async restart(): Promise<void> {
    this.#mortal.kill()
    this.#mortal = new Mortal(files)
    this.#exchange = await openTestExchange({
      databases: this.#mortal.databases,
      accounts: [this.#account],
      marketData: this.#board,
      clock,
    })
    await this.expectTrue()
  }

  get #venue() {
    const venue = this.#exchange?.venue(this.#account)
    if (venue === undefined) throw new Error('the account is open')
    return venue
  }

  async perform(action: Step): Promise<void> {
    const work = this.#work(action).catch((error: unknown) => {
      if (!(error instanceof Refusal)) throw error // one that has ended can't be changed
    })
    const hasDied = await Promise.race([work.then(() => false), this.#mortal.died.then(() => true)])
    if (hasDied) await this.restart()
  }

  async #work(action: Step): Promise<void> {
    switch (action.kind) {
      case 'place': {
        const { above, days } = action
        const legs = [legOf('below', action.below), ...(above === null ? [] : [legOf('above', above)])]
        const placed = await this.#venue.gtt.place({
          instrument: instrumentOf(SBIN),
          action: 'BUY',
          product: 'CNC',
          quantity: quantityOf(1),
          priceType: 'LIMIT',
          legs,
          strategy: 'test',
          expiresAt: clock.now() + days * DAY_MS,
        })
        this.#told.set(placed.id, placed)
        return
      }
      case 'modify':
      case 'cancel': {
        const known = [...this.#told.values()]
        const one = known[action.nth % Math.max(1, known.length)]
        if (one === undefined) return
        const [, ...others] = one.legs
        const terms = {
          quantity: quantityOf(2),
          priceType: one.priceType,
          legs: [legOf('below', action.below), ...others],
        }
        const { gtt } = this.#venue
        this.#told.set(one.id, await (action.kind === 'cancel' ? gtt.cancel(one.id) : gtt.modify(one.id, terms)))
        return
      }
      case 'price':
        for (let round = 0; round < action.rounds; round += 1) {
          clock.advance(1_000)
          this.#board.set('SBIN', action.at)
          await this.#exchange?.tick()
        }
        return
      case 'day':
        clock.advance(DAY_MS)
        await this.#exchange?.tick()
        return
      case 'restart':
        await this.restart()
        return
      case 'arm':
        this.#mortal.arm(action.death)
    }
  }

  /** What was answered still holds, and each trigger that has fired has one order of its own. */
  async expectTrue(): Promise<void> {
    for (const told of this.#told.values()) {
      const now = await this.#venue.gtt.find(told.id)
      if (told.status !== 'active') expect(now).toEqual(told)
      expect(now.placedAt).toBe(told.placedAt)
      const { orders } = await this.#venue.story(now.id)
      expect([now.status, orders.map(({ order }) => order.id)]).toEqual([
        now.status,
        now.orderId === '' ? [] : [now.orderId],
      ])
      expect(now.orderId !== '').toBe(now.legs.some(({ status }) => status === 'triggered'))
      this.#told.set(now.id, now)
    }
  }

  /** Whatever was killed when, nothing that waits is lost: the price that each waits for fires all of them. */
  async end(): Promise<number> {
    await this.restart()
    await this.#work({ kind: 'price', at: 470, rounds: 1 })
    await this.expectTrue()
    expect((await this.#venue.gtt.all()).filter(({ status }) => status === 'active')).toEqual([])
    return [...this.#told.values()].filter(({ orderId }) => orderId !== '').length
  }
}

test('whatever dies when, each trigger fires once, with one order, and what was answered stays true', async () => {
  let fired = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const life = new Life()
      await life.restart()
      for (const action of steps) await life.perform(action)
      fired += await life.end()
    }),
    { numRuns: 60 },
  )
  expect(fired).toBeGreaterThan(60)
})
