import { hostname } from 'node:os'
import { type PackedRows, packedTexts } from '../storage/packed-rows.ts'
import { REQUEST_PLACES as PLACES, type RequestColumn } from './request-rows.ts'

const INFO = 30
const PROCESS = `"pid":${process.pid},"hostname":${JSON.stringify(hostname())}`
/** An empty text. */
const NONE = '""'

/**
 * A line of JSON for each request, as pino writes lines, one behind the other. By hand: nothing secret is left in them, and
 * most texts are those of many requests and made into JSON once.
 */
export function requestLines(rows: PackedRows): string {
  const { columns, numbers } = rows
  const texts = packedTexts(rows).map((text) => JSON.stringify(text))
  const place = (from: number, column: RequestColumn): number => numbers[from + PLACES[column]] ?? Number.NaN
  const text = (from: number, column: RequestColumn): string => texts[place(from, column)] ?? NONE
  const optional = (from: number, name: string, column: RequestColumn): string =>
    text(from, column) === NONE ? '' : `,"${name}":${text(from, column)}`
  let lines = ''
  for (let from = 0; from < numbers.length; from += columns.length) {
    lines +=
      `{"level":${INFO},"time":${place(from, 'at')},${PROCESS},"requestId":${text(from, 'request_id')}` +
      `${optional(from, 'traceId', 'trace_id')},"method":${text(from, 'method')},"route":${text(from, 'route')},` +
      `"path":${text(from, 'path')},"status":${place(from, 'status')}${optional(from, 'code', 'code')},` +
      `"bytesIn":${place(from, 'bytes_in')},"bytesOut":${place(from, 'bytes_out')},` +
      `"durationMs":${place(from, 'duration_us') / 1000},"address":${text(from, 'address')},` +
      `"userId":${text(from, 'user_id')},"keyId":${text(from, 'key_id')},"userAgent":${text(from, 'user_agent')},` +
      `"msg":"request"}\n`
  }
  return lines
}
