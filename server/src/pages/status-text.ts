/**
 * Not by an import, which reads every export of node:http: that of WebSocket loads a whole HTTP client, and a start would
 * take 30 ms longer.
 */
const { STATUS_CODES } = process.getBuiltinModule('node:http')

/** What a status is called, such as `Not Found`. */
export const statusText = (status: number): string => STATUS_CODES[status] ?? 'Error'
