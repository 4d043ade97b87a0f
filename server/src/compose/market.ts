import { join, resolve } from 'node:path'
import type { Logger } from 'pino'
import { type Audit, entryOf, ITSELF } from '../identity/audit.ts'
import { CandleDownloads, StoredCandles } from '../market/candle-store/index.ts'
import {
  CandleHistory,
  createCalendar,
  createSimulator,
  InstrumentUniverse,
  type LoadReport,
  OverrideStore,
  Quotes,
  simulatedInstruments,
} from '../market/index.ts'
import { Forwards, OptionChains, OptionGreeks, OptionResolver } from '../options/index.ts'
import type { Ground } from './ground.ts'

export type Market = Awaited<ReturnType<typeof openMarket>>

/** Calendar, instruments, prices, candles and options. */
export async function openMarket({ config, clock, log, databases, audit, onError }: Ground) {
  const calendar = createCalendar({ hours: config.marketHours })
  const calendarOverrides = await OverrideStore.open({ money: databases.money, calendar, clock, audit: audit.record })
  const universe = await InstrumentUniverse.open({
    source: simulatedInstruments(config.simulatorSeed, config.simulatorScenario),
    clock,
    file: join(config.dataDir, 'instruments.snapshot'),
    onLoad: (report) => tellOfLoad(report, log, audit.record),
    onError: onError('the file of instruments could not be read or written, or their source broke'),
  })
  const marketData = createSimulator({
    seed: config.simulatorSeed,
    scenario: config.simulatorScenario,
    clock,
    calendar,
  })
  const quotes = new Quotes({ source: marketData, clock, calendar })
  const candleStore = new StoredCandles({
    folders: {
      candles: resolve(config.dataDir, 'candles'),
      imports: resolve(config.dataDir, 'import'),
      exports: resolve(config.dataDir, 'export'),
    },
    memoryMib: config.candleStoreMemoryMib,
    clock,
    onError: onError('the engine of the candle store could not be let go'),
  })
  const candleDownloads = await CandleDownloads.open({
    record: databases.record,
    source: marketData,
    store: candleStore,
    find: (symbol, exchange) => universe.find(symbol, exchange),
    calendar,
    clock,
    rates: config.candleDownloadRateLimit,
    audit: audit.record,
    onError: onError('candles could not be downloaded'),
  })
  const history = new CandleHistory({ source: marketData, store: candleStore, calendar, clock })
  const options = new OptionResolver({ store: () => universe.store, marketData, calendar, clock })
  const optionLookups = new OptionResolver({ store: () => universe.store, marketData: quotes, calendar, clock })
  const forwards = new Forwards({ store: () => universe.store, marketData: quotes, calendar, clock })
  const optionChains = new OptionChains({
    store: () => universe.store,
    marketData: quotes,
    history: marketData,
    forwards,
    calendar,
    clock,
  })
  const optionGreeks = new OptionGreeks({ forwards, calendar, clock })
  return {
    calendar,
    calendarOverrides,
    universe,
    marketData,
    quotes,
    candleStore,
    candleDownloads,
    history,
    options,
    optionLookups,
    forwards,
    optionChains,
    optionGreeks,
    async close() {
      await candleDownloads.close()
      await candleStore.close()
      await universe.close()
      quotes.close()
    },
  }
}

/** A refused load is for whoever runs the instance to look at: the instruments in use are of another day. */
function tellOfLoad(report: LoadReport, log: Logger, audit: Audit): void {
  const { refusal, date, from, total, faultCount, durationMs, difference } = report
  const facts = {
    date,
    from,
    total,
    faults: faultCount,
    ms: durationMs,
    ...(difference !== undefined && {
      added: difference.added.count,
      removed: difference.removed.count,
      changed: difference.changed.count,
    }),
  }
  if (refusal === '') log.info(facts, 'instruments loaded')
  else log.error({ ...facts, refusal }, 'instruments refused; those that were there stay')
  const action = refusal === '' ? 'instruments.loaded' : 'instruments.refused'
  audit(entryOf(ITSELF, action, date, refusal === '' ? facts : { ...facts, refusal }))
}
