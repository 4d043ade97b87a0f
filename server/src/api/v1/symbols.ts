import Type from 'typebox'
import { Refusal } from '../../kernel/errors.ts'
import { text } from '../field.ts'
import { defineOperation } from '../operation.ts'
import { symbolHint } from './find-instrument.ts'
import { exchange, symbol as symbolField } from './instrument-fields.ts'
import { FoundRow, foundRow } from './instrument-rows.ts'

/** Instruments of one `search` answer. */
export const FOUND_SYMBOLS_MAX = 500
const QUERY_LENGTH_MAX = 100

export const symbol = defineOperation({
  name: 'symbol',
  method: 'POST',
  tag: 'Symbols',
  summary: 'Facts of one instrument',
  description: 'Lot size, tick size, expiry and the other facts that orders depend on.',
  access: 'read',
  rateClass: 'read',
  input: { symbol: symbolField(), exchange: exchange() },
  output: Type.Object({
    data: Type.Object({ ...FoundRow.properties, id: Type.Number() }),
    status: Type.Literal('success'),
  }),
  example: { symbol: 'SBIN', exchange: 'NSE' },
  refusals: ['symbol_not_found'],
  refusalStatus: { symbol_not_found: 404 },
  handle(input, { services }) {
    const { instruments } = services
    const found = instruments.find(input.symbol, input.exchange)
    if (found !== undefined) return { data: { ...foundRow(found), id: found.id }, status: 'success' as const }
    const hint = symbolHint(instruments, input.symbol, input.exchange)
    const end = hint === '' ? '' : `.${hint}`
    throw new Refusal('symbol_not_found', `Symbol ${input.symbol} not found in exchange ${input.exchange}${end}`)
  },
})

export const search = defineOperation({
  name: 'search',
  method: 'POST',
  tag: 'Symbols',
  summary: 'Find instruments',
  description:
    'Instruments in which every word of `query` occurs (symbol, name, token, or as the strike), best first, at most ' +
    `${FOUND_SYMBOLS_MAX}.`,
  access: 'read',
  rateClass: 'read',
  input: {
    query: text({
      min: 1,
      max: QUERY_LENGTH_MAX,
      rule: `Query parameter is required and cannot be empty, nor longer than ${QUERY_LENGTH_MAX} characters.`,
      canonical: true,
      description: 'Words to look for, in any order and case.',
    }),
    exchange: exchange().optional(),
  },
  output: Type.Object({
    data: Type.Array(FoundRow),
    message: Type.String(),
    status: Type.Literal('success'),
  }),
  example: { query: 'NIFTY 26000 CE', exchange: 'NFO' },
  handle(input, { services }) {
    const found = services.search.search(input.query, input.exchange).slice(0, FOUND_SYMBOLS_MAX)
    const message = found.length === 0 ? 'No matching symbols found' : `Found ${found.length} matching symbols`
    return { data: found.map(foundRow), message, status: 'success' as const }
  },
})
