import { ManualClock } from '../../kernel/clock.ts'
import {
  createCalendar,
  createSimulator,
  createUniverse,
  type Instrument,
  InstrumentStore,
  type Quote,
} from '../../market/index.ts'

/** What is answered in place of an instrument's quote; undefined for the quote itself. */
export type Spoil = (instrument: Instrument, quote: Quote, now: number) => Quote | Error | undefined

/** A Wednesday; the day before was a holiday. */
export const NOON = '2026-11-25T12:00:00+05:30'
export const calendar = createCalendar({ hours: 'exchange' })
export const store = new InstrumentStore(createUniverse({ date: '2026-11-25', seed: 1 }))
/** NIFTY's options of a week, whose forward comes from themselves, and of a month, for which there is a future. */
export const WEEK = { underlying: 'NIFTY', exchange: 'NSE_INDEX', expiry_date: '01DEC26' }
export const MONTH = { ...WEEK, expiry_date: '29DEC26' }

/** The simulated market at an instant, with these instruments listed and some quotes spoilt. */
export function optionMarket({ spoil, at = NOON, listed = store }: OptionMarket = {}) {
  const clock = new ManualClock(at)
  const market = createSimulator({ seed: 1, clock, calendar })
  /** How many instruments each request was for. */
  const asked: number[] = []
  const marketData = {
    async quotes(instruments: readonly Instrument[]) {
      asked.push(instruments.length)
      const quotes = await market.quotes(instruments)
      return quotes.map((quote, index) => {
        const instrument = instruments[index]
        if (instrument === undefined || quote instanceof Error) return quote
        return spoil?.(instrument, quote, clock.now()) ?? quote
      })
    },
  }
  return { clock, market, asked, rooms: { store: () => listed, marketData, calendar, clock } }
}

export interface OptionMarket {
  readonly spoil?: Spoil | undefined
  readonly at?: string
  readonly listed?: InstrumentStore
}
