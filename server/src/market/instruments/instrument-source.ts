import type { ExchangeDate } from '../../kernel/exchange-time.ts'
import type { Instrument } from '../instrument.ts'

/** Most instruments of one piece, so that whoever loads them can do other work in between. */
export const PIECE_ROWS_MAX = 1_000

/**
 * Port: where instruments come from. Every source passes `acceptInstrumentSource`.
 *
 * What it gives is in our terms whatever the broker's file says: canonical symbols, roots as names of contracts, ticks in
 * rupees, no strike but an option's, INSTRUMENT_KINDS. Ids are permanent: the same instrument has the same one every day.
 */
export interface InstrumentSource {
  /**
   * Names the source with all that its instruments depend on besides the date: what was kept on disk under another name is
   * loaded again.
   */
  readonly edition: string
  /**
   * All instruments of one trading day, those that expire on it among them, in pieces of at most PIECE_ROWS_MAX. Throws
   * Refusal (source_unavailable) when it can't give all of them.
   */
  instruments(date: ExchangeDate): AsyncIterable<readonly Instrument[]>
}

/** A source whose instruments are made in the process. */
export function sourceOf(edition: string, make: (date: ExchangeDate) => Iterable<Instrument>): InstrumentSource {
  return {
    edition,
    async *instruments(date) {
      let piece: Instrument[] = []
      for (const instrument of make(date)) {
        piece.push(instrument)
        if (piece.length < PIECE_ROWS_MAX) continue
        yield piece
        piece = []
      }
      if (piece.length > 0) yield piece
    },
  }
}
