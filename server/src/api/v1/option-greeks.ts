import Type, { type Static } from 'typebox'
import { assert } from '../../kernel/assert.ts'
import { Refusal } from '../../kernel/errors.ts'
import { dayNumberAt, dayNumberOf } from '../../kernel/exchange-time.ts'
import { type Exchange, type Instrument, isOption } from '../../market/instrument.ts'
import { parseSymbol } from '../../market/symbol.ts'
import type { GreeksReading, GreeksWanted } from '../../options/index.ts'
import { list, object } from '../field.ts'
import { defineOperation } from '../operation.ts'
import type { Instruments } from '../services.ts'
import { symbolHint, unknownSymbol } from './find-instrument.ts'
import {
  expiryTime,
  forwardPrice,
  interestRate,
  optionExchange,
  optionSymbol,
  underlyingExchange,
  underlyingSymbol,
} from './greeks-fields.ts'
import { beyondMaximum, expiryText, type GreeksAnswer, greeksAnswer, greeksFields } from './greeks-wire.ts'

/** Options of one `multioptiongreeks` request. */
export const GREEKS_SYMBOLS_MAX = 50

/** Unknown symbols of one request that get a hint; looking for a near name costs far more than finding one. */
const HINTED_SYMBOLS_MAX = 5

/** How many hints may still be looked for. */
interface Hints {
  left: number
}

/** How a request names an option and, perhaps, whose price is its forward. */
interface OptionNamed {
  readonly symbol: string
  readonly exchange: Exchange
  readonly underlying_symbol: string | undefined
  readonly underlying_exchange: Exchange | undefined
}

export const optiongreeks = defineOperation({
  name: 'optiongreeks',
  method: 'POST',
  tag: 'Market data',
  summary: 'Implied volatility and greeks of an option',
  description:
    'By Black-76, at the last price of the option. The forward is the one that `optionchain` uses, unless `forward_price` or `underlying_symbol` names another; `forward_source` says which it was.',
  access: 'read',
  rateClass: 'read',
  input: {
    symbol: optionSymbol,
    exchange: optionExchange,
    interest_rate: interestRate(),
    forward_price: forwardPrice,
    underlying_symbol: underlyingSymbol,
    underlying_exchange: underlyingExchange,
    expiry_time: expiryTime,
  },
  output: Type.Object(greeksFields),
  example: { symbol: 'NIFTY25AUG2626000CE', exchange: 'NFO' },
  refusals: [
    'symbol_not_found',
    'contract_expired',
    'price_above_maximum',
    'quote_unavailable',
    'source_slow',
    'source_down',
  ],
  refusalStatus: { quote_unavailable: 404 },
  async handle(input, { services, now }) {
    const { instruments, optionGreeks } = services
    const hints = { left: 1 }
    const option = optionOf(instruments, input, now, hints)
    if (optionGreeks.expiresAt(option, input.expiry_time) <= now) throw expired(option.expiry ?? '')
    const [reading] = await optionGreeks.read([wantedOf(instruments, option, input, hints, input.forward_price)], {
      interestRate: input.interest_rate,
      expiryMinutes: input.expiry_time,
    })
    assert(reading !== undefined, 'one option was asked for')
    if (reading instanceof Refusal) throw reading
    if (reading.analysis === undefined) throw expired(option.expiry ?? '')
    const beyond = beyondMaximum(reading)
    if (beyond !== undefined) throw beyond
    return greeksAnswer(reading, input.interest_rate)
  },
})

const GreeksItem = Type.Object({
  ...Type.Partial(Type.Object(greeksFields)).properties,
  code: Type.Optional(Type.String({ description: 'Of an item that failed.' })),
  exchange: Type.String(),
  message: Type.Optional(Type.String({ description: 'Why an item failed.' })),
  status: Type.Union([Type.Literal('success'), Type.Literal('error')]),
  symbol: Type.String(),
})

export const multioptiongreeks = defineOperation({
  name: 'multioptiongreeks',
  method: 'POST',
  tag: 'Market data',
  summary: 'Implied volatility and greeks of many options',
  description: `\`optiongreeks\` of up to ${GREEKS_SYMBOLS_MAX} options, in the order of the request; all prices are asked for together. An item that fails says why. Options that have expired count as successes, with zeros.`,
  access: 'read',
  rateClass: 'read',
  input: {
    symbols: list(
      object({
        symbol: optionSymbol,
        exchange: optionExchange,
        underlying_symbol: underlyingSymbol,
        underlying_exchange: underlyingExchange,
      }),
      { min: 1, max: GREEKS_SYMBOLS_MAX },
    ),
    interest_rate: interestRate({ description: 'Interest rate, percent a year, for all.' }),
    expiry_time: expiryTime,
  },
  output: Type.Object({
    data: Type.Array(GreeksItem),
    message: Type.Optional(Type.String({ description: 'What failed; absent when nothing did.' })),
    status: Type.Union([Type.Literal('success'), Type.Literal('partial')], {
      description: '`partial` when any item failed, even all.',
    }),
    summary: Type.Object({ failed: Type.Number(), success: Type.Number(), total: Type.Number() }),
  }),
  example: {
    symbols: [
      { symbol: 'NIFTY25AUG2626000CE', exchange: 'NFO' },
      { symbol: 'NIFTY25AUG2626000PE', exchange: 'NFO' },
    ],
  },
  async handle({ symbols, interest_rate, expiry_time }, { services, now }) {
    const { instruments, optionGreeks } = services
    const hints = { left: HINTED_SYMBOLS_MAX }
    const found = symbols.map((named) =>
      attempt(() => wantedOf(instruments, optionOf(instruments, named, now, hints), named, hints)),
    )
    const wanted = found.flatMap((each) => (each instanceof Refusal ? [] : [each]))
    const readings = await optionGreeks.read(wanted, { interestRate: interest_rate, expiryMinutes: expiry_time })
    let next = 0
    const data = symbols.map(({ symbol, exchange }, index) => {
      const each = found[index]
      const reading = each instanceof Refusal ? each : readings[next++]
      assert(reading !== undefined, 'every option was looked for')
      return itemOf(symbol, exchange, reading, interest_rate)
    })
    return { data, ...outcomeOf(data) }
  },
})

type Item = Static<typeof GreeksItem>

function itemOf(symbol: string, exchange: Exchange, reading: GreeksReading | Refusal, rate: number): Item {
  const refusal = reading instanceof Refusal ? reading : beyondMaximum(reading)
  if (refusal !== undefined) {
    return { code: refusal.code, exchange, message: refusal.message, status: 'error', symbol }
  }
  assert(!(reading instanceof Refusal), 'what is left was read')
  const answer: GreeksAnswer = greeksAnswer(reading, rate)
  return answer
}

/** Different messages that the one for all repeats. */
const TOLD_MESSAGES_MAX = 3

/**
 * Never `error`, even when everything failed: clients drop all but the message of such an answer, and with it what each
 * item says.
 */
function outcomeOf(data: readonly Item[]) {
  const failed = data.filter(({ status }) => status === 'error')
  const summary = { failed: failed.length, success: data.length - failed.length, total: data.length }
  if (failed.length === 0) return { status: 'success' as const, summary }
  const told = [...new Set(failed.map(({ message }) => message ?? ''))].slice(0, TOLD_MESSAGES_MAX).join('; ')
  const what =
    summary.success === 0
      ? 'All option Greeks calculations failed'
      : `${failed.length} option Greeks calculation(s) failed`
  return { message: `${what}: ${told}`, status: 'partial' as const, summary }
}

/** Throws validation_failed when the symbol isn't an option's, contract_expired, symbol_not_found. */
function optionOf(instruments: Instruments, { symbol, exchange }: OptionNamed, now: number, hints: Hints): Instrument {
  const found = instruments.find(symbol, exchange)
  if (found !== undefined && isOption(found)) return found
  const parsed = parseSymbol(symbol, exchange)
  if (found !== undefined || parsed?.kind !== 'option') {
    const message = `Failed to parse option symbol ${symbol}: Invalid option symbol format: ${symbol}. Write it as NIFTY28OCT2526000CE: root, day of expiry, strike, and CE or PE.`
    throw new Refusal('validation_failed', message, { errors: [{ field: 'symbol', message }] })
  }
  if (dayNumberOf(parsed.expiry) < dayNumberAt(now)) throw expired(parsed.expiry)
  throw unknown(instruments, symbol, exchange, hints)
}

function unknown(instruments: Instruments, symbol: string, exchange: Exchange, hints: Hints): Refusal {
  const hint = hints.left > 0 ? symbolHint(instruments, symbol, exchange) : ''
  hints.left -= 1
  return new Refusal('symbol_not_found', unknownSymbol(symbol, exchange) + hint)
}

const expired = (expiry: string): Refusal =>
  new Refusal(
    'contract_expired',
    `Option has expired on ${expiryText(expiry)}. \`expiry\` lists the days on which options still expire.`,
  )

/** Where an underlying without an exchange is looked for, besides that of the option. */
const SPOT_EXCHANGES: readonly Exchange[] = ['NSE_INDEX', 'NSE', 'BSE_INDEX', 'BSE']

/** Throws symbol_not_found when the underlying that the request names isn't listed. */
function wantedOf(
  instruments: Instruments,
  option: Instrument,
  named: OptionNamed,
  hints: Hints,
  forward?: number,
): GreeksWanted {
  const { underlying_symbol: symbol, underlying_exchange: exchange } = named
  if (forward !== undefined || symbol === undefined || symbol === option.name) {
    return { option, underlying: undefined, forward }
  }
  if (exchange !== undefined) {
    const underlying = instruments.find(symbol, exchange)
    if (underlying === undefined) throw unknown(instruments, symbol, exchange, hints)
    return { option, underlying, forward: undefined }
  }
  for (const place of [option.exchange, ...spotExchangesOf(option)]) {
    const underlying = instruments.find(symbol, place)
    if (underlying !== undefined) return { option, underlying, forward: undefined }
  }
  throw new Refusal(
    'symbol_not_found',
    `Failed to fetch underlying price: ${unknownSymbol(symbol, option.exchange)} Nor is there one on ${SPOT_EXCHANGES.join(', ')}; send underlying_exchange.`,
  )
}

/** Those of its own country's exchange come first. */
const spotExchangesOf = ({ exchange }: Instrument): readonly Exchange[] =>
  exchange === 'BFO' ? [...SPOT_EXCHANGES].reverse() : SPOT_EXCHANGES

function attempt<T>(run: () => T): T | Refusal {
  try {
    return run()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}
