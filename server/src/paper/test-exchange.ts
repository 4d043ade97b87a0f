import { pino } from 'pino'
import { moneyOf } from '../kernel/fixed.ts'
import { createCalendar } from '../market/index.ts'
import { PaperExchange, type PaperExchangeOptions } from './paper-exchange.ts'

type Given = Pick<PaperExchangeOptions, 'databases' | 'accounts' | 'marketData' | 'clock'> &
  Partial<PaperExchangeOptions>

/** A paper exchange for tests, on files: it never closes, margins by leverage and knows no price but the market's. */
export const openTestExchange = (given: Given): Promise<PaperExchange> =>
  PaperExchange.open({
    capital: moneyOf(10_000_000),
    rules: {
      calendar: createCalendar({ hours: 'always' }),
      squareOffMinutes: () => undefined,
      sessionBoundaryMinutes: 0,
    },
    log: pino({ level: 'silent' }),
    underlyingPrice: async () => undefined,
    settlementPrice: async () => undefined,
    margin: {
      equityMisLeverageHundredths: 500,
      futuresLeverageHundredths: 1000,
      optionBuyLeverageHundredths: 100,
      optionSellLeverageHundredths: 100,
      optionSellMargin: 'futures',
    },
    publish: () => undefined,
    ...given,
  })
