import { ManualClock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { multiplierOf, type Price, priceOf, quantityOf, ZERO_PRICE, ZERO_QUANTITY } from '../../kernel/fixed.ts'
import { createCalendar, type Exchange, type Instrument, InstrumentStore, type Quote } from '../../market/index.ts'
import { parseSymbol } from '../../market/symbol.ts'
import { Forwards, OptionGreeks } from '../../options/index.ts'
import { call, READ_KEY, testApi } from '../test-api.ts'
import { multioptiongreeks, optiongreeks } from './option-greeks.ts'

/** 28.5071 days before 15:30 of that day. */
const NOW = Date.parse('2026-08-25T15:30:00+05:30') - 28.5071 * 86_400_000

const calendar = createCalendar({ hours: 'exchange' })

/** What is listed, with its price. */
const LISTED: readonly (readonly [symbol: string, exchange: Exchange, price: string, more?: Partial<Instrument>])[] = [
  ['NIFTY', 'NSE_INDEX', '25910.05'],
  ['NIFTY25AUG26FUT', 'NFO', '25966.05'],
  ['NIFTY29SEP26FUT', 'NFO', '26100'],
  ['NIFTY25AUG2626000CE', 'NFO', '435'],
  ['NIFTY25AUG2626000PE', 'NFO', '468.95'],
  ['NIFTY25AUG2625000CE', 'NFO', '966.05'], // no time value
  ['NIFTY25AUG2628000PE', 'NFO', '2000'], // below intrinsic value
  ['NIFTY25AUG2640000CE', 'NFO', '0'], // never traded
  ['NIFTY25AUG2626050CE', 'NFO', '26000'], // more than the forward
  ['SBIN', 'NFO', '800', { kind: 'EQ' }],
  ['NIFTYNXT50', 'NSE_INDEX', '68000'],
  ['NIFTYNXT5025AUG2668000CE', 'NFO', '1500'],
  ['M&M', 'NSE', '3200'],
  ['M&M25AUG263200CE', 'NFO', '90'],
  ['BAJAJ-AUTO', 'NSE', '9000'],
  ['BAJAJ-AUTO25AUG269000PE', 'NFO', '200'],
  ['360ONE', 'NSE', '1100'],
  ['360ONE25AUG261100CE', 'NFO', '40'],
  ['SENSEX', 'BSE_INDEX', '85000'],
  ['SENSEX25AUG2685000CE', 'BFO', '1300'],
  ['GOLD25AUG26100000CE', 'MCX', '1800'],
  ['GOLD05OCT26FUT', 'MCX', '99000'],
  ['USDINR25AUG26FUT', 'CDS', '95.3275'],
  ['USDINR25AUG2695.25CE', 'CDS', '0.4575', { tickSize: priceOf('0.0025') }],
  ['BTCUSDFUT', 'CRYPTO', '100000', { kind: 'PERPFUT', name: 'BTC' }],
  ['BTC25AUG26100000CE', 'CRYPTO', '4000'],
]

function instrumentOf(id: number, symbol: string, exchange: Exchange, more: Partial<Instrument> = {}): Instrument {
  const parsed = parseSymbol(symbol, exchange)
  const isOption = parsed?.kind === 'option'
  const isIndex = exchange.endsWith('_INDEX')
  return {
    id,
    symbol,
    exchange,
    kind: isOption ? parsed.type : parsed?.kind === 'future' ? 'FUT' : isIndex ? 'INDEX' : 'EQ',
    name: parsed?.base ?? symbol,
    expiry: isOption || parsed?.kind === 'future' ? parsed.expiry : undefined,
    strike: isOption ? parsed.strike : ZERO_PRICE,
    lotSize: quantityOf(1),
    tickSize: priceOf('0.05'),
    freezeQuantity: quantityOf(0),
    multiplier: multiplierOf(1),
    token: String(id),
    sourceSymbol: symbol,
    sourceExchange: exchange,
    ...more,
  }
}

const store = new InstrumentStore(
  LISTED.map(([symbol, exchange, , more], index) => instrumentOf(index + 1, symbol, exchange, more)),
)
const PRICES = new Map(LISTED.map(([symbol, , price]) => [symbol, priceOf(price)]))

export interface Market {
  readonly now?: number
  readonly prices?: Readonly<Record<string, string | Refusal>>
  readonly ageMs?: Readonly<Record<string, number>>
}

type Desk = Awaited<ReturnType<typeof start>>
const desks = new Map<Market | undefined, Desk>()

/** One server for each market; the usual one serves most tests. */
export async function open(market?: Market): Promise<Desk> {
  const desk = desks.get(market) ?? (await start(market))
  desks.set(market, desk)
  desk.asked.length = 0
  return desk
}

export async function closeAll(): Promise<void> {
  for (const { close } of desks.values()) await close()
}

async function start({ now = NOW, prices = {}, ageMs = {} }: Market = {}) {
  const asked: string[][] = []
  const marketData = {
    quotes(instruments: readonly Instrument[]): (Quote | Refusal)[] {
      asked.push(instruments.map(({ symbol }) => symbol))
      return instruments.map(({ symbol }) => {
        const given = prices[symbol] ?? PRICES.get(symbol) ?? ZERO_PRICE
        if (given instanceof Refusal) return given
        const ltp: Price = typeof given === 'string' ? priceOf(given) : given
        const none = { open: ltp, high: ltp, low: ltp, prevClose: ltp, volume: ZERO_QUANTITY }
        const at = now - (ageMs[symbol] ?? 0)
        return { at, ltp, bid: ZERO_PRICE, ask: ZERO_PRICE, openInterest: ZERO_QUANTITY, ...none }
      })
    },
  }
  const clock = new ManualClock(now)
  const forwards = new Forwards({ store: () => store, marketData, calendar, clock })
  const optionGreeks = new OptionGreeks({ forwards, calendar, clock })
  const instruments = {
    find: (symbol: string, exchange: Exchange) => store.find(symbol, exchange),
    nearest: (symbol: string, exchange: Exchange, count: number) => store.nearest(symbol, exchange, count),
  }
  const app = await testApi([optiongreeks, multioptiongreeks], { instruments, optionGreeks }, { now })
  return {
    asked,
    close: () => app.close(),
    one: (input: object) => call(app, 'optiongreeks', input, READ_KEY),
    many: (input: object) => call(app, 'multioptiongreeks', input, READ_KEY),
  }
}

export const CALL = { symbol: 'NIFTY25AUG2626000CE', exchange: 'NFO' }
