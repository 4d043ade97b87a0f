import type { FieldError } from '../../kernel/errors.ts'
import { EXCHANGES, type Exchange } from '../../market/instrument.ts'
import { Streamed } from '../download.ts'
import { choice, date } from '../field.ts'
import { type Field, FieldProblem, makeField, problem, shown } from '../field-type.ts'
import { asBody, asOtherBody } from '../json-text.ts'
import { defineOperation } from '../operation.ts'
import { rowLines } from './candle-rows.ts'
import { answerText, CandleAnswer, candlesOf, interval } from './history.ts'
import { exchange, symbol } from './instrument-fields.ts'

interface Ticker {
  readonly symbol: string
  readonly exchange: Exchange
}

const tickerSymbol = symbol()
const tickerExchange = exchange()
const RULE = 'Must be an exchange and a symbol with a colon between them, such as NSE:RELIANCE.'

/** `NSE:RELIANCE`; white space and lower case are put right. */
function ticker(): Field<string, Ticker, true> {
  const schema = { type: 'string', pattern: `^\\s*(?:${EXCHANGES.join('|')})\\s*:[^:]+$` }
  const describe = { description: 'Exchange and symbol, such as NSE:RELIANCE.', example: 'NSE:RELIANCE' }
  return makeField<string, Ticker>(schema, describe, (value, warnings: FieldError[]) => {
    const parts = typeof value === 'string' ? value.split(':') : []
    const [place = '', name = ''] = parts
    if (parts.length !== 2 || name.trim() === '') return problem(`${RULE} Got ${shown(value)}.`)
    const readExchange = tickerExchange.decode(place.trim().toUpperCase(), warnings)
    if (readExchange instanceof FieldProblem) return readExchange
    const readSymbol = tickerSymbol.decode(name, warnings)
    return readSymbol instanceof FieldProblem ? readSymbol : { symbol: readSymbol, exchange: readExchange }
  })
}

const TEXT = 'text/plain'

export const tickersymbol = defineOperation({
  name: 'ticker/:symbol',
  method: 'GET',
  tag: 'Market data',
  summary: 'Candles for charting programs',
  description: `The candles of \`history\`, read by an address alone, as JSON or as plain text. With \`format=txt\` a candle is a line without heading,

    NSE:RELIANCE,2026-08-03,1510.5,1532.0,1504.1,1528.4,6234100
    NSE:RELIANCE,2026-08-03,09:15:00,1510.5,1512.0,1509.2,1511.1,123456

the first of days and longer, the second of shorter candles: date and time at the exchange, open, high, low, close, volume. A failure is then a line of text too, with the status that it has as JSON. The range is kept as it was asked for; one that is too long is refused.`,
  access: 'read',
  rateClass: 'read',
  keyInQuery: true,
  input: {
    symbol: ticker(),
    interval: interval().optional('D', 'D'),
    from: date({ description: 'First exchange date.', example: '2026-08-03' }),
    to: date({ description: 'Last exchange date; a future date means today.', example: '2026-08-07' }),
    format: choice(['JSON', 'TXT'], { lowerCase: true, description: 'Body of the answer.' }).optional('JSON', 'json'),
    sort: choice(['asc', 'desc'], { description: 'Oldest or newest candle first.' }).optional('asc', 'asc'),
  },
  ignored: {
    adjusted: 'Prices are those of the market data source; nothing else is adjusted.',
  },
  check({ from, to }) {
    return from <= to ? [] : [{ field: 'from', message: `Must not be after to. Got ${from}, and to is ${to}.` }]
  },
  output: CandleAnswer,
  otherMediaTypes: [TEXT],
  failsInText: ({ format }) => typeof format === 'string' && format.trim().toLowerCase() === 'txt',
  example: { symbol: 'NSE:SBIN', interval: '5m', from: '2026-08-03', to: '2026-08-03' },
  refusals: [
    'symbol_not_found',
    'contract_expired',
    'range_too_long',
    'quote_unavailable',
    'source_slow',
    'source_down',
  ],
  async handle({ symbol: of, interval: length, from, to, format, sort }, { services, now }) {
    const wanted = { ...of, interval: length, first: from, last: to, origin: 'api' as const }
    const found = await candlesOf(wanted, services, now)
    const candles = sort === 'asc' ? found.candles : found.candles.toReversed()
    if (format === 'JSON') return asBody(await answerText(found, candles, length))
    const lines = rowLines(candles, length, `${of.exchange}:${of.symbol}`)
    return asOtherBody(new Streamed({ 'content-type': `${TEXT}; charset=utf-8` }, lines))
  },
})
