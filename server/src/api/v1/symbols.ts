import Type from 'typebox'
import { Refusal } from '../../kernel/errors.ts'
import { dateOf, dayNumberOf, type ExchangeDate } from '../../kernel/exchange-time.ts'
import { formatPrice } from '../../kernel/fixed.ts'
import { INSTRUMENT_KINDS } from '../../market/instrument.ts'
import { parseExpiryCode, parseExpiryLabel } from '../../market/symbol.ts'
import { choice, integer, price, text } from '../field.ts'
import { makeField, problem, shown } from '../field-type.ts'
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

/** A day in any of the notations of expiries. */
const expiry = makeField<string, ExchangeDate>(
  { type: 'string' },
  { description: 'Day on which contracts expire: DD-MMM-YY, DDMMMYY or YYYY-MM-DD.', example: '29-DEC-26' },
  (value) => {
    const text = typeof value === 'string' ? value.trim() : ''
    const read = parseExpiryLabel(text) ?? parseExpiryCode(text) ?? isoDate(text)
    return read ?? problem(`Not a valid expiry. Got ${shown(value)}; write it as DD-MMM-YY, such as 29-DEC-26.`)
  },
)

function isoDate(text: string): ExchangeDate | undefined {
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? dayNumberOf(text) : Number.NaN
  return Number.isNaN(day) || dateOf(day) !== text ? undefined : text
}

const FILTERS = ['exchange', 'instrumenttype', 'underlying', 'expiry', 'strike_min', 'strike_max'] as const

export const search = defineOperation({
  name: 'search',
  method: 'POST',
  tag: 'Symbols',
  summary: 'Find instruments',
  description: `Instruments in which every word of \`query\` occurs (symbol, name, token, or as the strike) and that fit the filters. First come symbols that begin with the words, then those of which each word is a whole part, such as \`NIFTY 26000 CE\` or \`RELIANCE DEC FUT\`, the nearest expiry first. Only when nothing matches, words are taken for misspelt ones: \`similar\` is true then. Without \`query\`, everything that fits the filters is listed by exchange, underlying, expiry and strike.`,
  access: 'read',
  rateClass: 'read',
  input: {
    query: text({
      min: 1,
      max: QUERY_LENGTH_MAX,
      rule: `Query parameter is required and cannot be empty, nor longer than ${QUERY_LENGTH_MAX} characters.`,
      canonical: true,
      description: 'Words to look for, in any order and case. May be left out when there is a filter.',
    }).optional(),
    exchange: exchange().optional(),
    instrumenttype: choice(INSTRUMENT_KINDS, { lowerCase: true, description: 'Kind of instrument.' }).optional(),
    underlying: text({
      min: 1,
      max: 50,
      canonical: true,
      description: 'Contracts on exactly this underlying, such as NIFTY.',
    }).optional(),
    expiry: expiry.optional(),
    strike_min: price({ noun: 'Strike', description: 'Options with at least this strike.' }).optional(),
    strike_max: price({ noun: 'Strike', description: 'Options with at most this strike.' }).optional(),
    limit: integer({
      min: 1,
      max: FOUND_SYMBOLS_MAX,
      description: 'Instruments of the answer at most.',
    }).optional(FOUND_SYMBOLS_MAX, FOUND_SYMBOLS_MAX),
  },
  check(input) {
    const { query, strike_min: low, strike_max: high } = input
    if (query === undefined && FILTERS.every((name) => input[name] === undefined))
      return [
        { field: 'query', message: `Missing data for required field. Send words, or one of: ${FILTERS.join(', ')}.` },
      ]
    if (low === undefined || high === undefined || low <= high) return []
    const message = `Must not be above strike_max. Got ${formatPrice(low)}, and strike_max is ${formatPrice(high)}.`
    return [{ field: 'strike_min', message }]
  },
  output: Type.Object({
    data: Type.Array(FoundRow),
    message: Type.String(),
    similar: Type.Boolean({ description: 'Nothing matched as it was written: these match words that look like it.' }),
    status: Type.Literal('success'),
    total: Type.Integer({ description: 'All that match, of which `data` has the first ones.' }),
  }),
  example: { query: 'NIFTY 26000 CE', exchange: 'NFO' },
  handle(input, { services }) {
    const filter = {
      exchange: input.exchange,
      kind: input.instrumenttype,
      underlying: input.underlying,
      expiry: input.expiry,
      strikeMin: input.strike_min,
      strikeMax: input.strike_max,
    }
    const { instruments, total, isSimilar } = services.search.find(input.query ?? '', filter, input.limit)
    const message = foundMessage(instruments.length, isSimilar)
    return { data: instruments.map(foundRow), message, similar: isSimilar, status: 'success' as const, total }
  },
})

function foundMessage(count: number, isSimilar: boolean): string {
  if (count === 0) return 'No matching symbols found'
  return isSimilar ? `Nothing matches exactly; found ${count} similar symbols` : `Found ${count} matching symbols`
}
