import { hostname } from 'node:os'
import { type DestinationStream, type Logger, pino } from 'pino'
import { scrubText } from '../kernel/scrub.ts'
import type { FinishedRequest } from './finished-request.ts'
import { scrubLine } from './scrub-line.ts'

export const LOG_FORMATS = ['auto', 'json', 'pretty'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

export interface LogSettings {
  readonly logLevel: string
  readonly logFormat: LogFormat
}

/** Lines are handed over together, at most so long after they were written. */
const FLUSH_MS = 200
const GATHERED_LENGTH = 65_536
/** Whoever reads the log may be so far behind; then lines are lost rather than requests held up. */
const UNREAD_BYTES_MAX = 1_048_576
/** What has gathered while a write was under way is handed over by the next one, which begins a turn of the loop later. */
const WRITE_BYTES_MAX = 262_144
/** At the end of the process, a write that is under way in the other thread gets so long to come to its end. */
const LAST_WRITE_MS = 50

export interface Log {
  readonly log: Logger
  /** Writes the line of a request. */
  readonly request: (finished: FinishedRequest) => void
  /** Hands over what is buffered, and waits until it is. */
  readonly flush: () => void
  /** Lines that were lost because nobody read them in time. */
  readonly lost: () => number
}

/** Where finished lines go. */
export interface LogTarget {
  readonly isTerminal: boolean
  readonly write: (text: string) => void
  readonly flush: () => void
  readonly lost: () => number
}

/** Standard output, written by another thread, so that a slow reader never holds up the server. */
function standardOutput(): LogTarget {
  let lost = 0
  let gathered = ''
  let timer: NodeJS.Timeout | undefined
  // The stream measures all that waits in it with every write: it is given many lines at once
  const handOver = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (gathered !== '') stream.write(gathered)
    gathered = ''
  }
  // Before the stream's own hook, which hands over what that write left
  process.once('exit', () => {
    handOver()
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_WRITE_MS)
  })
  const stream = pino.destination({
    dest: 1,
    sync: false,
    maxLength: UNREAD_BYTES_MAX,
    maxWrite: WRITE_BYTES_MAX,
  })
  stream.on('drop', (lines: string) => {
    lost += lines.split('\n').length - 1
  })
  return {
    isTerminal: process.stdout.isTTY === true,
    write: (text) => {
      gathered += text
      if (gathered.length >= GATHERED_LENGTH) handOver()
      else timer ??= setTimeout(handOver, FLUSH_MS).unref()
    },
    flush: () => {
      handOver()
      stream.flushSync()
    },
    lost: () => lost,
  }
}

/**
 * The log of the process: a line of JSON for each event, or readable text on a terminal. Secrets are taken out of the
 * finished line, so that none gets in by a field, an error's message or a stack.
 */
export async function createLog(settings: LogSettings, target: LogTarget = standardOutput()): Promise<Log> {
  const { logLevel, logFormat } = settings
  const isPretty = logFormat === 'pretty' || (logFormat === 'auto' && target.isTerminal)
  const format = isPretty ? await prettyLines() : (line: string) => line
  const stream: DestinationStream & { flushSync: () => void } = {
    write: (line) => target.write(format(scrubLine(line))),
    flushSync: target.flush, // pino's, after a line that says that the process can't go on
  }
  const log = pino({ level: logLevel }, stream)
  const request = log.isLevelEnabled('info')
    ? (finished: FinishedRequest) => target.write(format(requestLine(finished)))
    : () => undefined
  return { log, request, flush: target.flush, lost: target.lost }
}

async function prettyLines(): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty')
  const prettify = prettyFactory({ colorize: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' })
  return (line) => prettify(line) ?? line
}

const INFO = 30
const PROCESS = `"pid":${process.pid},"hostname":${JSON.stringify(hostname())}`

/**
 * One line for each request, as pino writes lines. By hand: its fields are known to hold nothing secret but what a client may
 * put into its path and its name, and looking for secrets everywhere would cost as much as the rest of a request.
 */
function requestLine(finished: FinishedRequest): string {
  const { requestId, traceId, method, route, path, status, code, bytesIn, bytesOut, durationMs } = finished
  const { at, address, userId, keyId, userAgent } = finished
  const trace = traceId === '' ? '' : `,"traceId":"${traceId}"`
  const refusal = code === '' ? '' : `,"code":"${code}"`
  return (
    `{"level":${INFO},"time":${at},${PROCESS},"requestId":"${requestId}"${trace},"method":${quoted(method)},` +
    `"route":${quoted(route)},"path":${JSON.stringify(scrubText(path))},"status":${status}${refusal},"bytesIn":${bytesIn},` +
    `"bytesOut":${bytesOut},"durationMs":${Math.round(durationMs * 1000) / 1000},"address":${quoted(address)},` +
    `"userId":"${userId}","keyId":"${keyId}","userAgent":${quoted(userAgent)},"msg":"request"}\n`
  )
}

const QUOTED_MAX = 1_000
const QUOTED_LENGTH_MAX = 128
const quotedTexts = new Map<string, string>()

/** Text as JSON, without any key in it. Requests say the same few things over and over. */
function quoted(text: string): string {
  const known = quotedTexts.get(text)
  if (known !== undefined) return known
  const json = JSON.stringify(scrubText(text))
  if (text.length <= QUOTED_LENGTH_MAX) {
    if (quotedTexts.size >= QUOTED_MAX) quotedTexts.clear()
    quotedTexts.set(text, json)
  }
  return json
}
