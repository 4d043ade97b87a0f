import type { AddressInfo } from 'node:net'
import { createHttp, mountOperations } from '../server/src/api/http.ts'
import type { Pipeline } from '../server/src/api/pipeline.ts'
import type { Services } from '../server/src/api/services.ts'
import { quotes } from '../server/src/api/v1/market.ts'
import { Visit } from '../server/src/api/visit.ts'
import { systemClock } from '../server/src/kernel/clock.ts'
import {
  createCalendar,
  createSimulator,
  InstrumentUniverse,
  Quotes,
  simulatedInstruments,
} from '../server/src/market/index.ts'

/**
 * What the whole pipeline is compared with: the operation quotes with validation only. No key is looked up, nothing is
 * limited, logged or measured; no header is added but the request id.
 */
const clock = systemClock
const universe = await InstrumentUniverse.open({ source: simulatedInstruments(1), clock })
const calendar = createCalendar({ hours: 'always' })
const source = createSimulator({ seed: 1, clock, calendar })
const pipeline: Pipeline = {
  apiHeaders: {},
  programHeaders: {},
  arrive: ({ method = '', url = '', headers }) =>
    new Visit({ id: 'req-1', at: clock.now(), elapsedMs: () => 0, method, url, headers, address: '' }),
  beforeBody: [],
  beforeFields: [],
  beforeHandler: [],
  afterHandler: [],
  beforeAnswer: [],
  afterAnswer: [],
}
const http = createHttp({ pipeline })
const prices = new Quotes({ source, clock, calendar })
const services = { instruments: universe, quotes: prices } as unknown as Services // what quotes needs
mountOperations(http, [quotes], { services, pipeline, clock })
await http.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`ready at http://127.0.0.1:${(http.server.address() as AddressInfo).port}\n`)
process.once('SIGTERM', () => {
  http.server.closeAllConnections()
  void http.close()
})
