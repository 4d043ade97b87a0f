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
  const { count, numbers } = rows
  const texts = packedTexts(rows).map((text) => JSON.stringify(text))
  const number = (row: number, column: RequestColumn): number => numbers[PLACES[column] * count + row] ?? Number.NaN
  const text = (row: number, column: RequestColumn): string => texts[number(row, column)] ?? NONE
  const optional = (row: number, name: string, column: RequestColumn): string =>
    text(row, column) === NONE ? '' : `,"${name}":${text(row, column)}`
  let lines = ''
  for (let row = 0; row < count; row += 1) {
    lines +=
      `{"level":${INFO},"time":${number(row, 'at')},${PROCESS},"requestId":${text(row, 'request_id')}` +
      `${optional(row, 'traceId', 'trace_id')},"method":${text(row, 'method')},"route":${text(row, 'route')},` +
      `"path":${text(row, 'path')},"status":${number(row, 'status')}${optional(row, 'code', 'code')},` +
      `"bytesIn":${number(row, 'bytes_in')},"bytesOut":${number(row, 'bytes_out')},` +
      `"durationMs":${number(row, 'duration_us') / 1000},"address":${text(row, 'address')},` +
      `"userId":${text(row, 'user_id')},"keyId":${text(row, 'key_id')},"userAgent":${text(row, 'user_agent')},` +
      `"msg":"request"}\n`
  }
  return lines
}
