import Type from 'typebox'
import { csvLine } from '../../monitor/csv.ts'
import type { Totals } from '../../monitor/route-totals.ts'
import type { TrafficLog } from '../../monitor/traffic-log.ts'
import type { TrafficFilter, TrafficRow } from '../../monitor/traffic-row.ts'
import { Download, download } from '../download.ts'
import { choice, text } from '../field.ts'
import type { ValueOf } from '../field-type.ts'
import { defineOperation } from '../operation.ts'
import { instantOut, success, textOrNull } from './caller.ts'
import { belowOf, cursorOf, instant, paging, status } from './paging.ts'

const exactly = (what: string) => text({ max: 128, description: `Exactly this ${what}.` }).optional()

const filterFields = {
  from: instant('Requests from this instant on: epoch milliseconds or ISO 8601.').optional(),
  to: instant('Requests before this instant.').optional(),
  route: exactly('operation or pattern of a page'),
  method: exactly('method'),
  status: status.optional(),
  code: exactly('error code'),
  key_id: exactly('id of a key'),
  user_id: exactly('id of a user'),
  address: exactly('address'),
  request_id: exactly('request id, which is found at once however many rows there are'),
  trace_id: exactly('id of a trace, from the header `traceparent` (W3C Trace Context) of its requests'),
}

function filterOf(input: ValueOf<typeof filterFields>): TrafficFilter {
  const { from, to, route, method, code, address } = input
  return {
    from,
    until: to,
    route,
    method: method?.toUpperCase(),
    status: input.status,
    code,
    keyId: input.key_id,
    userId: input.user_id,
    address,
    requestId: input.request_id,
    traceId: input.trace_id,
  }
}

export const traffic = defineOperation({
  name: 'traffic',
  method: 'GET',
  tag: 'Monitoring',
  summary: 'Requests that came in',
  description:
    'Newest first, a page at a time. A page may have fewer rows than asked for, or none, and still have a `next_cursor`: then there is more to look through. A request whose client left before the answer began, or that broke off or came too slowly, has `status` 499 and the time until then: that is neither a success nor an error, and what it asked for may have been done. Bytes that are no HTTP are there without method and path.',
  access: 'admin',
  rateClass: 'read',
  input: { ...paging, ...filterFields },
  output: Type.Object({
    data: Type.Array(
      Type.Object({
        address: Type.String(),
        at: instantOut,
        bytes_in: Type.Integer(),
        bytes_out: Type.Integer(),
        code: Type.String(),
        duration_ms: Type.Number(),
        key_id: Type.String(),
        method: Type.String(),
        path: Type.String(),
        request_id: Type.String(),
        route: Type.String(),
        status: Type.Integer(),
        trace_id: Type.String({ description: 'Empty for a request without `traceparent`.' }),
        user_agent: Type.String(),
        user_id: Type.String(),
      }),
    ),
    next_cursor: textOrNull,
    status: success,
  }),
  example: {},
  async handle({ limit, cursor, ...filter }, { services }) {
    const { rows, below } = await services.traffic.list(filterOf(filter), limit, belowOf(cursor))
    return { data: rows.map(shownRow), next_cursor: cursorOf(below), status: 'success' as const }
  },
})

const shownRow = (row: TrafficRow) => ({
  address: row.address,
  at: row.at,
  bytes_in: row.bytesIn,
  bytes_out: row.bytesOut,
  code: row.code,
  duration_ms: row.durationMs,
  key_id: row.keyId,
  method: row.method,
  path: row.path,
  request_id: row.requestId,
  route: row.route,
  status: row.status,
  trace_id: row.traceId,
  user_agent: row.userAgent,
  user_id: row.userId,
})

export const trafficstats = defineOperation({
  name: 'traffic/stats',
  method: 'GET',
  tag: 'Monitoring',
  summary: 'Totals of all requests and of each route',
  description:
    'Busiest first. Kept as requests come, so asking costs nothing. Times and errors are those of answers; `unanswered` counts the requests whose client left before one (499 in `traffic`).',
  access: 'admin',
  rateClass: 'read',
  input: {
    since: choice(['ever', 'start'], {
      description: '`ever` since the instance exists, `start` since it was last started.',
    }).optional('ever', 'ever'),
  },
  output: Type.Object({
    data: Type.Object({
      client_errors: Type.Integer({ description: 'Answers of 400 to 499.' }),
      dropped: Type.Integer({
        description: 'Rows that the log lost since the start: it could not write them in time.',
      }),
      errors: Type.Integer({ description: 'Answers of 400 and above.' }),
      requests: Type.Integer(),
      server_errors: Type.Integer({ description: 'Answers of 500 and above.' }),
      unanswered: Type.Integer({ description: 'Requests whose client left before the answer.' }),
      routes: Type.Array(
        Type.Object({
          average_ms: Type.Number(),
          bytes_in: Type.Integer(),
          bytes_out: Type.Integer(),
          client_errors: Type.Integer(),
          errors: Type.Integer(),
          max_ms: Type.Number(),
          requests: Type.Integer(),
          route: Type.String({ description: 'Empty for paths that lead nowhere.' }),
          server_errors: Type.Integer(),
          unanswered: Type.Integer(),
        }),
      ),
    }),
    status: success,
  }),
  example: {},
  handle({ since }, { services }) {
    const totals = services.traffic.totals(since)
    const sum = (of: (total: Totals) => number) => totals.reduce((before, total) => before + of(total), 0)
    const clientErrors = sum((total) => total.clientErrors)
    const serverErrors = sum((total) => total.serverErrors)
    return {
      data: {
        client_errors: clientErrors,
        dropped: services.traffic.dropped,
        errors: clientErrors + serverErrors,
        requests: sum((total) => total.requests),
        routes: totals.map(shownTotals),
        server_errors: serverErrors,
        unanswered: sum((total) => total.unanswered),
      },
      status: 'success' as const,
    }
  },
})

const shownTotals = (total: Totals) => ({
  average_ms: Math.round((total.durationMs / Math.max(1, total.requests - total.unanswered)) * 1000) / 1000,
  bytes_in: total.bytesIn,
  bytes_out: total.bytesOut,
  client_errors: total.clientErrors,
  errors: total.clientErrors + total.serverErrors,
  max_ms: total.durationMsMax,
  requests: total.requests,
  route: total.route,
  server_errors: total.serverErrors,
  unanswered: total.unanswered,
})

export const trafficexport = defineOperation({
  name: 'traffic/export',
  method: 'GET',
  tag: 'Monitoring',
  summary: 'Requests that came in, as CSV',
  description: 'Everything that fits the filter, newest first, sent as it is read.',
  access: 'admin',
  rateClass: 'heavy',
  input: filterFields,
  output: download('text/csv'),
  example: {},
  handle: (input, { services }) =>
    new Download('text/csv; charset=utf-8', 'traffic.csv', csvOf(services.traffic, filterOf(input))),
})

async function* csvOf(log: TrafficLog, filter: TrafficFilter): AsyncGenerator<string> {
  yield csvLine([
    'time',
    'request_id',
    'method',
    'route',
    'path',
    'status',
    'code',
    'bytes_in',
    'bytes_out',
    'duration_ms',
    'address',
    'user_id',
    'key_id',
    'user_agent',
    'trace_id',
  ])
  for await (const rows of log.pages(filter)) {
    let lines = ''
    for (const row of rows) {
      lines += csvLine([
        new Date(row.at).toISOString(),
        row.requestId,
        row.method,
        row.route,
        row.path,
        row.status,
        row.code,
        row.bytesIn,
        row.bytesOut,
        row.durationMs,
        row.address,
        row.userId,
        row.keyId,
        row.userAgent,
        row.traceId,
      ])
    }
    yield lines
  }
}
