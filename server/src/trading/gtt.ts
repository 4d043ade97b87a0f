import type { GttReport, GttTerms, GttVenue, NewGtt, NewGttLeg } from '../brokers/gtt.ts'
import type { Alongside, Venue } from '../brokers/venue.ts'
import { Refusal, type RefusalCode } from '../kernel/errors.ts'
import { ZERO_QUANTITY } from '../kernel/fixed.ts'
import type { Steps } from '../kernel/steps.ts'
import type { Exchange, Instrument } from '../market/instrument.ts'
import { answered, type Intent } from './flow/intent.ts'
import { type InstrumentLookup, namedInstrument } from './named-instrument.ts'
import type { Denial, RiskGate, RiskRequest } from './risk/gate.ts'

export interface GttRequest extends Omit<NewGtt, 'instrument' | 'denied'> {
  readonly symbol: string
  readonly exchange: Exchange
}

/** The trigger that is meant, as its owner believes it to be, and what it should become. */
export interface GttChangeRequest extends GttTerms {
  readonly id: string
  readonly symbol: string
  readonly exchange: Exchange
  readonly action: NewGtt['action']
  readonly product: NewGtt['product']
}

/** Whose request it is. `keyId` is empty for a session. */
export interface GttAsker {
  readonly account: string
  readonly keyId: string
  readonly visit?: { readonly steps: Steps; readonly intent?: Intent | undefined } | undefined
}

export interface GttsOptions extends InstrumentLookup {
  readonly venueOf: (account: string) => Venue | undefined
  readonly gate: RiskGate
}

/**
 * Good-till-triggered orders, whatever venue keeps them. What is asked for is judged by the limits like an order, when it
 * is placed and when it is changed.
 * Throws Refusal: symbol_not_found, order_rejected and what the limits deny with, gtt_not_found, gtt_unchangeable,
 * not_implemented where the venue keeps none, venue_unavailable.
 */
export class Gtts {
  readonly #options: GttsOptions

  constructor(options: GttsOptions) {
    this.#options = options
  }

  /** Places one and words the answer. What is refused stands among the account's triggers as `rejected` and is thrown. */
  async place<Answer>(
    { account, keyId, visit }: GttAsker,
    request: GttRequest,
    answer: (report: GttReport) => Answer,
  ): Promise<Answer> {
    const { venue, mode, commitsAlongside } = this.#venue(account)
    const intent = visit?.intent
    const { symbol, exchange, ...wanted } = request
    const rest = { ...wanted, tag: intent?.tag ?? request.tag }
    const [known] = intent?.isResumed === true ? await venue.byTag(intent.tag) : []
    if (known !== undefined) return answer(accepted(known, mode, intent?.work?.denied?.[0]))
    const instrument = this.#instrument(symbol, exchange)
    return this.#judged(account, keyId, instrument, rest, (denial) => {
      const code = denial === undefined ? undefined : codeOf(denial)
      const place = (alongside: Alongside<GttReport> | undefined): Promise<GttReport> =>
        venue.place({ instrument, ...rest, denied: denial?.message }, visit?.steps, alongside)
      const work = code === undefined ? {} : { denied: { 0: code } }
      return answered({ commitsAlongside }, intent, work, place, (report) => answer(accepted(report, mode, code)))
    })
  }

  /** Refuses what the venue would refuse whatever the market does; nothing is placed. Throws like `place`. */
  check(account: string, request: GttRequest): void {
    const { venue, mode } = this.#venue(account)
    const { symbol, exchange, ...rest } = request
    const refusal = venue.refusalOf({ instrument: this.#instrument(symbol, exchange), ...rest })
    if (refusal !== undefined) throw new Refusal('order_rejected', refusal, { extra: { mode } })
  }

  /** Replaces triggers, prices, price type and quantity. What it is can't change, and a try is refused by name. */
  async modify<Answer>(
    { account, keyId, visit }: GttAsker,
    request: GttChangeRequest,
    answer: (report: GttReport) => Answer,
  ): Promise<Answer> {
    const { venue, mode, commitsAlongside } = this.#venue(account)
    const { id, symbol, exchange, action, product, ...terms } = request
    const gtt = await venue.find(id)
    if (visit?.intent?.isResumed === true && hasTerms(gtt, terms)) return answer(gtt)
    if (gtt.status !== 'active')
      throw new Refusal('gtt_not_found', `No active GTT with trigger_id '${id}'`, { extra: { mode } })
    const refuse = (message: string, code: RefusalCode = 'gtt_unchangeable'): never => {
      throw new Refusal(code, message, { extra: { mode, trigger_id: id } })
    }
    const fixed = [
      ['symbol', gtt.symbol, symbol],
      ['exchange', gtt.exchange, exchange],
      ['action', gtt.action, action],
      ['product', gtt.product, product],
    ] as const
    for (const [name, is, wanted] of fixed) {
      if (is !== wanted)
        refuse(`${name} cannot be changed on an existing GTT (${is} -> ${wanted}). Cancel and re-place.`)
    }
    const kind = terms.legs.length === 1 ? 'single' : 'two-leg'
    if (kind !== gtt.kind)
      refuse(`trigger_type cannot be changed (${WORD_OF[gtt.kind]} -> ${WORD_OF[kind]}). Cancel and re-place.`)
    const changed = { ...terms, action, product, strategy: gtt.strategy, tag: gtt.tag }
    return this.#judged(account, keyId, this.#instrument(symbol, exchange), changed, async (denial) => {
      if (denial !== undefined) refuse(`${denial.message.replace(/\.$/, '')}. The GTT is unchanged.`, codeOf(denial))
      const modify = (alongside: Alongside<GttReport> | undefined): Promise<GttReport> =>
        venue.modify(id, terms, visit?.steps, alongside)
      return answered({ commitsAlongside }, visit?.intent, {}, modify, answer)
    })
  }

  async cancel<Answer>(
    { account, visit }: Omit<GttAsker, 'keyId'>,
    id: string,
    answer: (report: GttReport) => Answer,
  ): Promise<Answer> {
    const { venue, commitsAlongside } = this.#venue(account)
    if (visit?.intent?.isResumed === true) {
      const gtt = await venue.find(id)
      if (gtt.status === 'cancelled') return answer(gtt)
    }
    const cancel = (alongside: Alongside<GttReport> | undefined): Promise<GttReport> =>
      venue.cancel(id, visit?.steps, alongside)
    return answered({ commitsAlongside }, visit?.intent, {}, cancel, answer)
  }

  /** Cancels every active one. One that ends meanwhile is reported as failed. A venue that keeps none has none. */
  async cancelAll(account: string): Promise<{ cancelled: string[]; failed: { id: string; message: string }[] }> {
    const venue = this.#options.venueOf(account)?.gtt
    const active = venue === undefined ? [] : (await venue.all()).filter(({ status }) => status === 'active')
    const outcomes = await Promise.allSettled(active.map(({ id }) => this.cancel({ account }, id, (report) => report)))
    const cancelled: string[] = []
    const failed: { id: string; message: string }[] = []
    for (const [index, outcome] of outcomes.entries()) {
      const id = active[index]?.id ?? ''
      if (outcome.status === 'fulfilled') cancelled.push(id)
      else if (outcome.reason instanceof Refusal) failed.push({ id, message: outcome.reason.message })
      else throw outcome.reason
    }
    return { cancelled, failed }
  }

  /** Active ones and those that ended in this session, newest first. */
  async all(account: string): Promise<GttReport[]> {
    return [...(await this.#venue(account).venue.all())].reverse()
  }

  /** One of any session. Throws gtt_not_found. */
  find(account: string, id: string): Promise<GttReport> {
    return this.#venue(account).venue.find(id)
  }

  /** Those of any session that carry a tag. A venue that keeps none has none. Throws when the venue can't tell. */
  async byTag(account: string, tag: string): Promise<readonly GttReport[]> {
    return (await this.#options.venueOf(account)?.gtt?.byTag(tag)) ?? []
  }

  #venue(account: string): AtVenue {
    const venue = this.#options.venueOf(account)
    if (venue === undefined) throw new Refusal('venue_unavailable', `Account ${account} has no venue to trade at`)
    if (venue.gtt === undefined)
      throw new Refusal(
        'not_implemented',
        `GTT orders are not supported by ${venue.name}, where account ${account} trades`,
      )
    return { venue: venue.gtt, mode: venue.mode, commitsAlongside: venue.commitsAlongside === true }
  }

  #instrument(symbol: string, exchange: Exchange): Instrument {
    return namedInstrument(this.#options, symbol, exchange)
  }

  /**
   * Does something with what the limits say of it. Only one leg ever becomes an order: the dearest stands for all. It
   * waits for a price, as a stop does.
   */
  async #judged<T>(
    account: string,
    keyId: string,
    instrument: Instrument,
    request: Omit<GttRequest, 'symbol' | 'exchange' | 'expiresAt'>,
    act: (denial: Denial | undefined) => Promise<T>,
  ): Promise<T> {
    const { action, product, quantity, priceType, strategy, tag } = request
    const [leg] = [...request.legs].sort((a, b) => dearest(b) - dearest(a))
    if (leg === undefined) return act(undefined)
    const { symbol, exchange } = instrument
    const order = {
      symbol,
      exchange,
      action,
      product,
      quantity,
      priceType: priceType === 'LIMIT' ? ('SL' as const) : ('SL-M' as const),
      price: leg.price,
      triggerPrice: leg.triggerPrice,
      disclosedQuantity: ZERO_QUANTITY,
      strategy,
      tag,
    }
    const { gate } = this.#options
    const asked: RiskRequest = { account, keyId, orders: [{ order, instrument }], waits: true }
    const [denial] = await gate.judge(asked)
    try {
      return await act(denial)
    } finally {
      if (denial === undefined) gate.settle(asked, 0, undefined)
    }
  }
}

interface AtVenue {
  readonly venue: GttVenue
  readonly mode: Venue['mode']
  readonly commitsAlongside: boolean
}

const WORD_OF = { single: 'SINGLE', 'two-leg': 'OCO' } as const

const dearest = (leg: NewGttLeg): number => Math.max(leg.price, leg.triggerPrice)

/** A rejected one is an answer too: the refusal that says why. */
function accepted(report: GttReport, mode: Venue['mode'], denied: RefusalCode = 'order_rejected'): GttReport {
  if (report.status !== 'rejected' || report.orderId !== '') return report
  throw new Refusal(denied, report.reason, { extra: { mode, trigger_id: report.id } })
}

/** Whether a change has been made already, as far as can be seen. */
const hasTerms = (gtt: GttReport, { quantity, priceType, legs }: GttTerms): boolean =>
  gtt.quantity === quantity &&
  gtt.priceType === priceType &&
  gtt.legs.length === legs.length &&
  gtt.legs.every((leg, index) => {
    const wanted = legs[index]
    return leg.direction === wanted?.direction && leg.triggerPrice === wanted.triggerPrice && leg.price === wanted.price
  })

/** The limits' codes are codes of refusals. */
const codeOf = ({ code }: Denial): RefusalCode => code as RefusalCode
