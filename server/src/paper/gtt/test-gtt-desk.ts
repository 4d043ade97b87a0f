import { legReached, type NewGttLeg } from '../../brokers/gtt.ts'
import { assert } from '../../kernel/assert.ts'
import { DAY_MS } from '../../kernel/exchange-time.ts'
import { priceOf, quantityOf } from '../../kernel/fixed.ts'
import type { Action, InstrumentFacts, MarginTerms, Product } from '../order.ts'
import { instrumentKey } from '../order.ts'
import { Desk, OPEN, SBIN, termsFor } from '../test-desk.ts'
import { type Gtt, gttIdOf } from './gtt.ts'

type Amount = number | string

export interface GttInput {
  readonly on?: InstrumentFacts
  readonly quantity: Amount
  readonly product?: Product
  readonly type?: 'LIMIT' | 'MARKET'
  /** [trigger, limit] of each side. */
  readonly below?: readonly [Amount, Amount]
  readonly above?: readonly [Amount, Amount]
  readonly expiresAt?: number
  readonly strategy?: string
  readonly denied?: string
  readonly terms?: MarginTerms
}

/** A trader's desk with triggers. */
export class GttDesk extends Desk {
  #nextNumber = 1

  #digits(): string {
    this.#nextNumber += 1
    return `260804${String(this.#nextNumber + 50_000_000)}`
  }

  placeGtt(action: Action, input: GttInput): Gtt {
    const on = input.on ?? SBIN
    const product = input.product ?? (on.exchange === 'NSE' ? 'CNC' : 'NRML')
    const legs = legsOf(input)
    const gttId = gttIdOf(this.#digits())
    this.apply({
      kind: 'place-gtt',
      at: this.now,
      gttId,
      gttKind: legs.length === 1 ? 'single' : 'two-leg',
      instrument: on,
      action,
      product,
      quantity: quantityOf(input.quantity),
      priceType: input.type ?? 'LIMIT',
      legs,
      expiresAt: input.expiresAt ?? this.now + 365 * DAY_MS,
      strategy: input.strategy ?? 'test',
      denied: input.denied,
      terms: input.terms ?? termsFor(on, product, action),
      lastPrice: this.bookOf(on)?.ltp ?? priceOf(0),
    })
    return this.gtt(gttId)
  }

  modifyGtt(gtt: Gtt, input: Omit<GttInput, 'on' | 'product'>): void {
    this.apply({
      kind: 'modify-gtt',
      at: this.now,
      gttId: gtt.id,
      quantity: quantityOf(input.quantity),
      priceType: input.type ?? 'LIMIT',
      legs: legsOf(input),
      terms: input.terms ?? termsFor(gtt.instrument, gtt.product, gtt.action),
    })
  }

  cancelGtt(gtt: Gtt): void {
    this.apply({ kind: 'cancel-gtt', at: this.now, gttId: gtt.id })
  }

  /** Lets the triggers of an instrument meet its current quote, as the scheduler does. */
  fire(on: InstrumentFacts = SBIN): void {
    const book = this.bookOf(on)
    assert(book !== undefined, `no quote for ${on.symbol}`)
    for (const gtt of [...(this.state.watched.get(instrumentKey(on)) ?? [])]) {
      const leg = legReached(gtt.legs, book.ltp)
      if (leg === undefined || gtt.expiresAt <= this.now) continue
      this.apply({
        kind: 'fire-gtt',
        at: this.now,
        gttId: gtt.id,
        leg,
        orderId: this.#digits(),
        terms: termsFor(on, gtt.product, gtt.action),
        charges: this.charges?.ofOrder(on, gtt.action, gtt.product, this.now),
        session: OPEN,
        book,
      })
    }
  }

  expireGtts(gtts: readonly Gtt[]): void {
    this.apply({ kind: 'expire-gtt', at: this.now, gttIds: gtts.map(({ id }) => id), reason: 'Not triggered' })
  }

  gtt(id: string): Gtt {
    const gtt = this.state.gtts.get(id)
    assert(gtt !== undefined, `no GTT ${id}`)
    return gtt
  }
}

function legsOf({ below, above }: Pick<GttInput, 'below' | 'above'>): NewGttLeg[] {
  const legOf = (direction: NewGttLeg['direction'], of: readonly [Amount, Amount] | undefined): NewGttLeg[] =>
    of === undefined ? [] : [{ direction, triggerPrice: priceOf(of[0]), price: priceOf(of[1]) }]
  return [...legOf('below', below), ...legOf('above', above)]
}
