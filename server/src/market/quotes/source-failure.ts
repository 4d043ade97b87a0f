import { Refusal, type RefusalCode } from '../../kernel/errors.ts'
import type { Instrument } from '../instrument.ts'

/** The source has not answered within its time. */
export const sourceSlow = (source: string, deadlineMs: number): Refusal =>
  new Refusal(
    'source_slow',
    `The market data source ${source} has not answered within ${deadlineMs} ms. Try again in a few seconds.`,
  )

/** The source can't be reached, or fails; `why` ends the sentence and holds nothing of the source's internals. */
export const sourceDown = (source: string, why: string): Refusal =>
  new Refusal('source_down', `The market data source ${source} is not available: ${why}. Try again in a few seconds.`)

/** The account at the source may not have these data. */
export const notSubscribed = (source: string, what: string): Refusal =>
  new Refusal('not_subscribed', `The account at the market data source ${source} has no subscription for ${what}.`)

/** The source knows no price of this instrument. */
export const noPrice = (source: string, { symbol, exchange }: Pick<Instrument, 'symbol' | 'exchange'>): Refusal =>
  new Refusal('quote_unavailable', `No quote data available: ${source} has no price of ${symbol} on ${exchange}.`)

const OF_THE_SOURCE: ReadonlySet<RefusalCode> = new Set(['source_slow', 'source_down', 'not_subscribed', 'overloaded'])

/** Whether it was the source that failed, not the instrument that has no price. */
export const isSourceFailure = ({ code }: Refusal): boolean => OF_THE_SOURCE.has(code)
