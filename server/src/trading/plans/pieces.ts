import { assert } from '../../kernel/assert.ts'
import { least, type Quantity, quantity } from '../../kernel/fixed.ts'

/** Most orders that one order may be split into. */
export const PIECES_MAX = 100

/** How many orders `total` comes to in pieces of `size`; 1 when the size is 0, which splits nothing. */
export const pieceCount = (total: Quantity, size: Quantity): number => (size === 0 ? 1 : Math.ceil(total / size))

/** Pieces of `size` and one of what remains; the whole when the size is 0. At most PIECES_MAX, which callers see to. */
export function piecesOf(total: Quantity, size: Quantity): Quantity[] {
  const count = pieceCount(total, size)
  assert(count <= PIECES_MAX, `${count} pieces are more than ${PIECES_MAX}`)
  if (size === 0) return [total]
  return Array.from({ length: count }, (_, index) => least(size, quantity(total - index * size)))
}
