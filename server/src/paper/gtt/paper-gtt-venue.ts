import type { GttReport, GttTerms, GttVenue, NewGtt } from '../../brokers/gtt.ts'
import type { Alongside } from '../../brokers/venue.ts'
import { assert } from '../../kernel/assert.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { type Price, ZERO_PRICE } from '../../kernel/fixed.ts'
import type { Steps } from '../../kernel/steps.ts'
import type { Instrument } from '../../market/instrument.ts'
import type { MarketData } from '../../market/market-data.ts'
import type { Statement } from '../../storage/writer.ts'
import type { AccountEngine } from '../engine.ts'
import type { Event } from '../event.ts'
import type { TermsOf } from '../margin-terms.ts'
import { factsOf, instrumentOf, type MarginTerms } from '../order.ts'
import type { OrderIds } from '../order-ids.ts'
import type { Scheduler } from '../scheduler.ts'
import { GTT_LIFE_MAX_MS, type Gtt, gttIdOf } from './gtt.ts'
import { expiryRefusal, standingGttRefusal } from './judge.ts'
import type { Triggers } from './triggers.ts'

export interface PaperGttVenueOptions {
  readonly engine: AccountEngine
  readonly scheduler: Scheduler
  readonly triggers: Triggers
  /** Of triggers. */
  readonly ids: OrderIds
  readonly marketData: MarketData
  readonly termsOf: TermsOf
  readonly clock: Clock
}

/** The triggers of one paper account, as a venue: gathers what a command depends on, submits it, reports what came of it. */
export class PaperGttVenue implements GttVenue {
  readonly #options: PaperGttVenueOptions

  constructor(options: PaperGttVenueOptions) {
    this.#options = options
  }

  async place(gtt: NewGtt, steps?: Steps, alongside?: Alongside<GttReport>): Promise<GttReport> {
    const { engine, ids } = this.#options
    const { instrument, action, product, quantity, priceType, legs, strategy, tag, denied } = gtt
    const terms = await this.#options.termsOf(instrument, action, product)
    const lastPrice = await this.#lastPrice(instrument)
    const at = await this.#instant()
    const gttId = gttIdOf(ids.take(at))
    const events = await engine.submit(
      {
        kind: 'place-gtt',
        at,
        gttId,
        gttKind: legs.length === 1 ? 'single' : 'two-leg',
        instrument: factsOf(instrument),
        action,
        product,
        quantity,
        priceType,
        legs,
        expiresAt: gtt.expiresAt ?? at + GTT_LIFE_MAX_MS,
        strategy,
        tag,
        denied,
        terms,
        lastPrice,
      },
      steps,
      alongside && ofGtt(gttId, alongside),
    )
    return gttReportOf(lastGtt(events, gttId))
  }

  async modify(gttId: string, change: GttTerms, steps?: Steps, alongside?: Alongside<GttReport>): Promise<GttReport> {
    const { engine, termsOf } = this.#options
    const { instrument, action, product } = await this.#gtt(gttId)
    const terms = await termsOf(instrumentOf(instrument), action, product)
    const at = await this.#instant()
    const { quantity, priceType, legs } = change
    const command = { kind: 'modify-gtt', at, gttId, quantity, priceType, legs, terms } as const
    const events = await engine.submit(command, steps, alongside && ofGtt(gttId, alongside))
    return gttReportOf(lastGtt(events, gttId))
  }

  async cancel(gttId: string, steps?: Steps, alongside?: Alongside<GttReport>): Promise<GttReport> {
    const { engine, scheduler, clock } = this.#options
    await scheduler.catchUp()
    const command = { kind: 'cancel-gtt', at: clock.now(), gttId } as const
    const events = await engine.submit(command, steps, alongside && ofGtt(gttId, alongside))
    return gttReportOf(lastGtt(events, gttId))
  }

  refusalOf(gtt: NewGtt): string | undefined {
    const at = this.#options.clock.now()
    const wanted = { ...gtt, at, instrument: factsOf(gtt.instrument), terms: PAID_IN_FULL }
    return standingGttRefusal(wanted) ?? (gtt.expiresAt === undefined ? undefined : expiryRefusal(at, gtt.expiresAt))
  }

  async all(): Promise<readonly GttReport[]> {
    const { engine, scheduler, triggers } = this.#options
    await scheduler.catchUp()
    await triggers.expireWaiting()
    await engine.durable()
    return [...engine.state.gtts.values()].map(gttReportOf)
  }

  async find(gttId: string): Promise<GttReport> {
    const { engine, scheduler, triggers } = this.#options
    await scheduler.catchUp()
    await triggers.expireWaiting()
    const gtt = await this.#gtt(gttId)
    await engine.durable()
    return gttReportOf(gtt)
  }

  async byTag(tag: string): Promise<readonly GttReport[]> {
    const { engine } = this.#options
    await engine.durable()
    return (await engine.gttsByTag(tag)).map(gttReportOf)
  }

  async #gtt(gttId: string): Promise<Readonly<Gtt>> {
    const gtt = await this.#options.engine.gtt(gttId)
    if (gtt === undefined)
      throw new Refusal('gtt_not_found', `No active GTT with trigger_id '${gttId}'`, { extra: { mode: 'analyze' } })
    return gtt
  }

  /** An instant at which nothing is overdue and an id is at hand. Nothing may be waited for after it. */
  async #instant(): Promise<number> {
    const { scheduler, ids, clock } = this.#options
    for (;;) {
      if (scheduler.isDue(clock.now())) await scheduler.catchUp()
      if (!ids.has(1)) await ids.prepare(1)
      const at = clock.now()
      if (!scheduler.isDue(at) && ids.has(1)) return at
    }
  }

  /** However old; 0 when the source knows none. */
  async #lastPrice(instrument: Instrument): Promise<Price> {
    const [quote] = await this.#options.marketData.quotes([instrument])
    if (quote === undefined) return ZERO_PRICE
    if (!(quote instanceof Error)) return quote.ltp
    if (quote instanceof Refusal && quote.code === 'quote_unavailable') return ZERO_PRICE
    throw quote
  }
}

const PAID_IN_FULL: MarginTerms = { leverageHundredths: 100, notionalPrice: ZERO_PRICE }

/** What belongs beside a trigger, of the events that tell of it. */
const ofGtt =
  (gttId: string, alongside: Alongside<GttReport>) =>
  (events: readonly Event[]): Statement =>
    alongside(gttReportOf(lastGtt(events, gttId)))

/** The trigger as the command left it. */
function lastGtt(events: readonly Event[], gttId: string): Readonly<Gtt> {
  const event = events.findLast((candidate) => candidate.kind === 'gtt' && candidate.gtt.id === gttId)
  assert(event !== undefined && event.kind === 'gtt', `the command said nothing about GTT ${gttId}`)
  return event.gtt
}

export function gttReportOf(gtt: Readonly<Gtt>): GttReport {
  const { symbol, exchange } = gtt.instrument
  return {
    id: gtt.id,
    kind: gtt.kind,
    symbol,
    exchange,
    action: gtt.action,
    product: gtt.product,
    quantity: gtt.quantity,
    priceType: gtt.priceType,
    legs: gtt.legs,
    status: gtt.status,
    reason: gtt.reason,
    orderId: gtt.orderId,
    strategy: gtt.strategy,
    tag: gtt.tag,
    lastPrice: gtt.lastPrice,
    margin: gtt.margin,
    placedAt: gtt.placedAt,
    updatedAt: gtt.updatedAt,
    expiresAt: gtt.expiresAt,
  }
}
