import { dateOf, dayNumberOf, type ExchangeDate } from '../../kernel/exchange-time.ts'
import { formatPrice, PRICE_ONE, type Price } from '../../kernel/fixed.ts'
import {
  DERIVATIVE_EXCHANGES,
  EXCHANGES,
  type Exchange,
  INDEX_EXCHANGES,
  INSTRUMENT_KINDS,
  type Instrument,
  type InstrumentKind,
} from '../instrument.ts'
import { expiryCode } from '../symbol.ts'

export const SYMBOL_LENGTH_MAX = 50
/** Longest name, token or symbol of the source's own. */
export const TEXT_LENGTH_MAX = 128

const SYMBOL = /^[A-Z0-9][A-Z0-9&._-]*$/
/** Control characters, and halves of surrogate pairs. */
const ODD = /[\p{Cc}\p{Cs}]/u

const KNOWN_EXCHANGES: ReadonlySet<Exchange> = new Set(EXCHANGES)
const KNOWN_KINDS: ReadonlySet<InstrumentKind> = new Set(INSTRUMENT_KINDS)

const CONTRACTS: ReadonlySet<InstrumentKind> = new Set(['FUT', 'CE', 'PE'])
const OPTIONS: ReadonlySet<InstrumentKind> = new Set(['CE', 'PE'])

/** Which exchanges list an instrument of that kind. */
function belongsOn(kind: InstrumentKind, exchange: Exchange): boolean {
  switch (kind) {
    case 'EQ':
      return exchange === 'NSE' || exchange === 'BSE'
    case 'INDEX':
      return INDEX_EXCHANGES.has(exchange)
    case 'PERPFUT':
    case 'SPOT':
      return exchange === 'CRYPTO'
    case 'FUT':
    case 'CE':
    case 'PE':
      return DERIVATIVE_EXCHANGES.has(exchange)
  }
}

/**
 * Finds what is wrong with the rows of one day. Rows of one expiry follow each other, so what they share is made once.
 */
export class FaultFinder {
  readonly #date: ExchangeDate
  #name = ''
  #expiry = ''
  #prefix = ''
  #expiryFault: string | undefined

  constructor(date: ExchangeDate) {
    this.#date = date
  }

  /** What is wrong with the row, and what would be right; undefined when nothing is. */
  faultOf(row: Instrument): string | undefined {
    const { symbol, exchange, kind } = row
    if (!KNOWN_EXCHANGES.has(exchange)) return `there is no exchange ${exchange}`
    if (!KNOWN_KINDS.has(kind)) return `${kind} is no kind of instrument`
    if (!belongsOn(kind, exchange)) return `${exchange} lists no ${kind}`
    if (symbol.length > SYMBOL_LENGTH_MAX) return `its symbol is longer than ${SYMBOL_LENGTH_MAX} letters`
    const isContract = CONTRACTS.has(kind)
    return (
      textFault('name', row.name) ??
      (isContract ? this.#contractFault(row) : cashFault(row)) ??
      termsFault(row) ??
      textFault('token', row.token) ??
      textFault('sourceSymbol', row.sourceSymbol) ??
      textFault('sourceExchange', row.sourceExchange)
    )
  }

  #contractFault({ symbol, name, expiry, strike, kind }: Instrument): string | undefined {
    if (expiry === undefined) return 'a contract needs an expiry'
    if (expiry !== this.#expiry || name !== this.#name) this.#beginSeries(name, expiry)
    if (this.#expiryFault !== undefined) return this.#expiryFault
    if (OPTIONS.has(kind) !== strike > 0) return OPTIONS.has(kind) ? 'an option needs a strike' : 'it has a strike'
    const right = `${this.#prefix}${strike === 0 ? '' : strikeText(strike)}${kind}`
    return symbol === right ? undefined : `by its other facts its symbol is ${right}`
  }

  #beginSeries(name: string, expiry: ExchangeDate): void {
    this.#name = name
    this.#expiry = expiry
    this.#expiryFault = SYMBOL.test(name) ? expiryFault(expiry, this.#date) : `${name} is no root of a contract`
    if (this.#expiryFault === undefined) this.#prefix = name + expiryCode(expiry)
  }
}

const strikeText = (strike: Price): string =>
  strike % PRICE_ONE === 0 ? String(strike / PRICE_ONE) : formatPrice(strike)

function expiryFault(expiry: ExchangeDate, date: ExchangeDate): string | undefined {
  const day = dayNumberOf(expiry)
  if (Number.isNaN(day) || dateOf(day) !== expiry) return `its expiry ${expiry} is no date`
  return expiry < date ? `it expired on ${expiry}` : undefined
}

function cashFault({ symbol, expiry, strike, kind }: Instrument): string | undefined {
  if (!SYMBOL.test(symbol)) return 'its symbol is not in upper-case letters, digits and & . _ -'
  if (expiry !== undefined) return `${kind} doesn't expire`
  if (strike !== 0) return `${kind} has no strike`
  return kind === 'PERPFUT' && !symbol.endsWith('FUT') ? 'the symbol of a perpetual ends in FUT' : undefined
}

function termsFault(row: Instrument): string | undefined {
  if (!(Number.isSafeInteger(row.id) && row.id > 0)) return `its id ${row.id} is no positive integer`
  return (
    unitsFault('strike', row.strike, 0) ??
    unitsFault('lotSize', row.lotSize, 1) ??
    unitsFault('tickSize', row.tickSize, 1) ??
    unitsFault('freezeQuantity', row.freezeQuantity, 0) ??
    unitsFault('multiplier', row.multiplier, 1)
  )
}

function unitsFault(field: string, units: number, least: number): string | undefined {
  if (Number.isSafeInteger(units) && units >= least) return undefined
  return `its ${field} of ${units} units is not an exact number of at least ${least}`
}

function textFault(field: string, text: string): string | undefined {
  if (isPlain(text)) return undefined
  if (text === '' || text.trim() !== text)
    return `its ${field} ${JSON.stringify(text)} is empty or has blanks around it`
  if (text.length > TEXT_LENGTH_MAX) return `its ${field} is longer than ${TEXT_LENGTH_MAX} characters`
  return ODD.test(text) ? `its ${field} has control characters` : undefined
}

/** Whether a text is of visible ASCII and blanks in between, as nearly all are: asked of every row of a start. */
function isPlain(text: string): boolean {
  const { length } = text
  if (length === 0 || length > TEXT_LENGTH_MAX || text.charCodeAt(0) === 0x20 || text.charCodeAt(length - 1) === 0x20)
    return false
  for (let i = 0; i < length; i += 1) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code > 0x7e) return false
  }
  return true
}
