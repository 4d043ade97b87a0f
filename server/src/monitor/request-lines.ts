import { hostname } from 'node:os'
import { type PackedRows, packedTexts } from '../storage/packed-rows.ts'
import { REQUEST_PLACES as PLACES, type RequestColumn } from './request-rows.ts'

const INFO = 30
const PROCESS = `"pid":${process.pid},"hostname":${JSON.stringify(hostname())}`
/** An empty text. */
const NONE = '""'

/**
 * A line of JSON for each request, as pino writes lines, one behind the other. By hand: nothing secret is left in them, most
 * texts are those of many requests and made into JSON once, and so is what a line has in common with the one before.
 */
export function requestLines(rows: PackedRows): string {
  const { count, numbers } = rows
  const texts = packedTexts(rows).map((text) => JSON.stringify(text))
  const column = (name: RequestColumn): Float64Array =>
    numbers.subarray(PLACES[name] * count, PLACES[name] * count + count)
  const text = (places: Float64Array, row: number): string => texts[places[row] ?? -1] ?? NONE
  const number = (values: Float64Array, row: number): number => values[row] ?? Number.NaN
  const optional = (name: string, json: string): string => (json === NONE ? '' : `,"${name}":${json}`)
  const [at, requestId, traceId] = [column('at'), column('request_id'), column('trace_id')]
  const [bytesIn, bytesOut, durationUs] = [column('bytes_in'), column('bytes_out'), column('duration_us')]
  const asked = [column('method'), column('route'), column('path'), column('status'), column('code')] as const
  const asking = [column('address'), column('user_id'), column('key_id'), column('user_agent')] as const
  let lines = ''
  let [what, who] = ['', '']
  for (let row = 0; row < count; row += 1) {
    if (!isAsBefore(asked, row)) {
      const [method, route, path, status, code] = asked
      what =
        `,"method":${text(method, row)},"route":${text(route, row)},"path":${text(path, row)},` +
        `"status":${number(status, row)}${optional('code', text(code, row))},"bytesIn":`
    }
    if (!isAsBefore(asking, row)) {
      const [address, userId, keyId, userAgent] = asking
      who =
        `,"address":${text(address, row)},"userId":${text(userId, row)},"keyId":${text(keyId, row)},` +
        `"userAgent":${text(userAgent, row)},"msg":"request"}\n`
    }
    lines +=
      `{"level":${INFO},"time":${number(at, row)},${PROCESS},"requestId":${text(requestId, row)}` +
      `${optional('traceId', text(traceId, row))}${what}${number(bytesIn, row)},"bytesOut":${number(bytesOut, row)},` +
      `"durationMs":${number(durationUs, row) / 1000}${who}`
  }
  return lines
}

/** Whether a row has what the one before has, in some columns. */
function isAsBefore(columns: readonly Float64Array[], row: number): boolean {
  if (row === 0) return false
  for (let index = 0; index < columns.length; index += 1)
    if (columns[index]?.[row] !== columns[index]?.[row - 1]) return false
  return true
}
