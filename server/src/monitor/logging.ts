import { type DestinationStream, type Logger, pino } from 'pino'
import { scrubText } from '../kernel/scrub.ts'
import type { FinishedRequest } from './finished-request.ts'

export const LOG_FORMATS = ['auto', 'json', 'pretty'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

export interface LogSettings {
  readonly logLevel: string
  readonly logFormat: LogFormat
}

/** Lines are handed to the operating system together, at most so long after they were written. */
const FLUSH_MS = 200
const BUFFER_BYTES = 16_384

const SECRETS = ['apikey', 'password', 'token', 'secret', 'code', 'authorization', 'cookie', 'challenge']
/** Fields that are secret by their name, at the top of a line or one below. */
const REDACTED = [
  ...SECRETS.flatMap((name) => [name, `*.${name}`]),
  'headers["x-api-key"]',
  '*.headers["x-api-key"]',
  '*.headers.authorization',
  '*.headers.cookie',
]

export interface Log {
  readonly log: Logger
  /** Hands over what is buffered. */
  readonly flush: () => void
}

/** Where lines go when it isn't a stream given by a test. */
export interface LogTarget {
  readonly isTerminal: boolean
  readonly write: (text: string) => void
}

const STANDARD_OUTPUT: LogTarget = {
  isTerminal: process.stdout.isTTY === true,
  write: (text) => {
    process.stdout.write(text)
  },
}

/**
 * The log of the process: a line of JSON for each event, or readable text on a terminal. Whatever looks like an API key
 * is taken out of the finished line, so that none gets in by a field, an error's message or a stack.
 */
export async function createLog(settings: LogSettings, target: LogTarget = STANDARD_OUTPUT): Promise<Log> {
  const { logLevel, logFormat } = settings
  const isPretty = logFormat === 'pretty' || (logFormat === 'auto' && target.isTerminal)
  const format = isPretty ? await prettyLines() : (line: string) => line
  let buffered = ''
  let timer: NodeJS.Timeout | undefined
  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (buffered === '') return
    const text = buffered
    buffered = ''
    target.write(text)
  }
  const stream: DestinationStream = {
    write(line) {
      buffered += format(scrubText(line))
      if (isPretty || buffered.length >= BUFFER_BYTES) flush()
      else timer ??= setTimeout(flush, FLUSH_MS).unref()
    },
  }
  const log = pino({ level: logLevel, redact: REDACTED }, stream)
  return { log, flush }
}

async function prettyLines(): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty')
  const prettify = prettyFactory({ colorize: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' })
  return (line) => prettify(line) ?? line
}

/** One line for each request. Nothing in it is secret. */
export function requestLine(log: Logger, finished: FinishedRequest): void {
  const { steps: _, at: __, ...line } = finished
  log.info(line, 'request')
}
