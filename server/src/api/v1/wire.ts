import Type from 'typebox'
import { mulDiv, PRICE_ONE, type Price, price, toNumber } from '../../kernel/fixed.ts'
import type { Exchange } from '../../market/instrument.ts'

/** What several answers of the trading operations share. */

export const mode = Type.Union([Type.Literal('analyze'), Type.Literal('live')], {
  description: '`analyze` when the account trades on paper.',
})

/** An average price as books show it: 4 decimals, 8 for crypto. Exact prices need no rounding and don't pass here. */
export function roundedPrice(average: Price, exchange: Exchange): number {
  const step = exchange === 'CRYPTO' ? 1 : PRICE_ONE / 10_000
  return toNumber.price(price(mulDiv(average, 1, step, 'nearest') * step))
}

/** A share of something in percent, 4 decimals. A ratio, not money. */
export const percentOf = (part: number, whole: number): number =>
  whole === 0 ? 0 : Math.round((part / whole) * 1_000_000) / 10_000

/** Newest rows of a book in one answer. Older ones are counted in `omitted`, never left out in silence. */
export const BOOK_ROWS_MAX = 20_000

export const omitted = Type.Optional(
  Type.Integer({
    description: `How many older rows were left out; absent when none. At most ${BOOK_ROWS_MAX} are sent.`,
  }),
)

/** The newest rows of a book, newest first, and how many more there are. */
export function newestRows<Row>(rows: readonly Row[]): { rows: readonly Row[]; omitted?: number } {
  if (rows.length <= BOOK_ROWS_MAX) return { rows }
  return { rows: rows.slice(0, BOOK_ROWS_MAX), omitted: rows.length - BOOK_ROWS_MAX }
}
