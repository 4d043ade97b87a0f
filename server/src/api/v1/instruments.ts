import { setImmediate as otherWork } from 'node:timers/promises'
import Type from 'typebox'
import { entryOf } from '../../identity/audit.ts'
import type { Exchange } from '../../market/instrument.ts'
import type { InstrumentStore } from '../../market/instrument-store.ts'
import type { LoadReport } from '../../market/instruments/instrument-universe.ts'
import { compressed, encodingOf } from '../compressed.ts'
import { NotModified, Streamed } from '../download.ts'
import { choice, flag } from '../field.ts'
import { asOtherBody } from '../json-text.ts'
import { defineOperation } from '../operation.ts'
import { actorOf, instantOut, success } from './caller.ts'
import { exchange } from './instrument-fields.ts'
import { CSV_HEADING, ListedRow, RowText } from './instrument-rows.ts'

/** Rows of one chunk; the first one is small, so that it leaves at once. */
const CHUNK_ROWS = 500
const FIRST_CHUNK_ROWS = 50

type Format = 'JSON' | 'CSV'

export const instruments = defineOperation({
  name: 'instruments',
  method: 'GET',
  tag: 'Symbols',
  summary: 'All instruments, as JSON or CSV',
  description:
    'Every instrument of the day, of one exchange or of all, sent as it is made and compressed as `Accept-Encoding` asks. Instruments change once a day: send the `ETag` of the last answer as `If-None-Match`, and the answer is 304 while they are the same.',
  access: 'read',
  rateClass: 'read',
  keyInQuery: true,
  input: {
    exchange: exchange().optional(),
    format: choice(['JSON', 'CSV'], { lowerCase: true, description: 'Body of the answer.' }).optional('JSON', 'JSON'),
  },
  output: Type.Object({ data: Type.Array(ListedRow), message: Type.String(), status: success }),
  otherMediaTypes: ['text/csv'],
  example: { exchange: 'MCX' },
  handle({ exchange: only, format }, { services, visit }) {
    const { store, version } = services.universe.current
    const headers = {
      etag: `W/"${version}"`, // weak: the same instruments, whatever the encoding
      'cache-control': 'private, no-cache', // may be kept, but is asked for again
      vary: 'accept-encoding, origin',
    }
    if (isNamed(visit.headers['if-none-match'], version)) return asOtherBody(new NotModified(headers))
    const chunks = textOf(store, only, format)
    const encoding = encodingOf(visit.headers['accept-encoding'])
    const type = format === 'CSV' ? csvHeaders(only) : { 'content-type': 'application/json; charset=utf-8' }
    if (encoding === undefined) return asOtherBody(new Streamed({ ...headers, ...type }, chunks))
    const answer = { ...headers, ...type, 'content-encoding': encoding }
    return asOtherBody(new Streamed(answer, compressed(chunks, encoding)))
  },
})

const csvHeaders = (only: Exchange | undefined) => ({
  'content-type': 'text/csv; charset=utf-8',
  'content-disposition': `attachment; filename=instruments${only === undefined ? '' : `_${only}`}.csv`,
})

/** Whether `If-None-Match` names that version, or any. */
function isNamed(header: string | undefined, version: string): boolean {
  if (header === undefined) return false
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === `"${version}"`)
}

/** The whole answer in pieces. It is of one snapshot, whatever is loaded meanwhile. */
async function* textOf(store: InstrumentStore, only: Exchange | undefined, format: Format): AsyncGenerator<string> {
  const rows = only === undefined ? undefined : store.rowsOf(only)
  const count = rows?.length ?? store.size
  const text = new RowText(store)
  const isCsv = format === 'CSV'
  let chunk = isCsv ? CSV_HEADING : '{"data":['
  let chunkEnd = FIRST_CHUNK_ROWS
  for (let place = 0; place < count; place += 1) {
    if (place === chunkEnd) {
      yield chunk
      await otherWork() // or a client that takes everything at once would keep others waiting
      chunk = ''
      chunkEnd += CHUNK_ROWS
    }
    const row = rows === undefined ? place : (rows[place] ?? 0)
    if (isCsv) chunk += text.csv(row)
    else chunk += place === 0 ? text.json(row) : `,${text.json(row)}`
  }
  if (isCsv) yield chunk
  else
    yield `${chunk}],"message":"${count === 0 ? 'No instruments found' : `Found ${count} instruments`}","status":"success"}`
}

const Named = Type.Object({
  count: Type.Integer(),
  first: Type.Array(Type.String(), { description: 'Some of them, as `EXCHANGE:SYMBOL`.' }),
})

const Load = Type.Object({
  accepted: Type.Boolean(),
  added: Named,
  at: instantOut,
  changed: Named,
  date: Type.String({ description: 'The trading day that was asked for.' }),
  duration_ms: Type.Integer(),
  faults: Named,
  from: Type.String({ description: '`source`, or `disk`: what was kept of the same day.' }),
  refusal: Type.String({ description: 'Why it was not taken; empty when it was.' }),
  removed: Named,
  source: Type.String(),
  total: Type.Integer(),
})

const NONE = { count: 0, first: [] }

function loadRow(report: LoadReport) {
  const { difference } = report
  const named = ({ count, first }: { count: number; first: readonly string[] }) => ({ count, first: [...first] })
  return {
    accepted: report.refusal === '',
    added: named(difference?.added ?? NONE),
    at: report.at,
    changed: named(difference?.changed ?? NONE),
    date: report.date,
    duration_ms: report.durationMs,
    faults: named({ count: report.faultCount, first: report.faults }),
    from: report.from,
    refusal: report.refusal,
    removed: named(difference?.removed ?? NONE),
    source: report.edition,
    total: report.total,
  }
}

export const instrumentsloads = defineOperation({
  name: 'instruments/loads',
  method: 'GET',
  tag: 'Monitoring',
  summary: 'Where the instruments are from',
  description:
    'The snapshot in use, and what became of the last loads since the start, newest first: what was added, removed and changed, and why a load was refused. A refused load changes nothing.',
  access: 'admin',
  rateClass: 'read',
  input: {},
  output: Type.Object({
    data: Type.Object({
      date: Type.String(),
      instruments: Type.Integer(),
      loads: Type.Array(Load),
      source: Type.String(),
      version: Type.String({ description: 'Changes when anything about any instrument does.' }),
    }),
    status: success,
  }),
  example: {},
  handle(_input, { services }) {
    const { current, reports } = services.universe
    const { date, edition, version, store } = current
    const data = { date, instruments: store.size, loads: reports.map(loadRow), source: edition, version }
    return { data, status: 'success' as const }
  },
})

export const instrumentsreload = defineOperation({
  name: 'instruments/reload',
  method: 'POST',
  tag: 'Monitoring',
  summary: 'Load the instruments again',
  description:
    "Loads today's instruments from their source and takes them, unless rows are wrong or too many are missing; `accept_fewer` takes them in the latter case too. Needed only when the source has put something right: a new day is loaded by itself.",
  access: 'admin',
  rateClass: 'heavy',
  input: {
    accept_fewer: flag({ description: 'Take a load that lost many instruments.' }).optional(false, false),
  },
  output: Type.Object({ data: Load, status: success }),
  example: {},
  async handle({ accept_fewer: mayShrink }, context) {
    const { universe, audit } = context.services
    const report = await universe.reload({ mayShrink })
    const detail = { accept_fewer: mayShrink, refusal: report.refusal }
    audit.record(entryOf(actorOf(context), 'instruments.reloaded', report.date, detail))
    return { data: loadRow(report), status: 'success' as const }
  },
})
