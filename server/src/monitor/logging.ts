import { type DestinationStream, type Logger, pino } from 'pino'
import { LogWriter } from './log-writer.ts'
import type { RequestRows } from './request-rows.ts'
import { scrubLine } from './scrub-line.ts'

export const LOG_FORMATS = ['auto', 'json', 'pretty'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

export interface LogSettings {
  readonly logLevel: string
  readonly logFormat: LogFormat
}

export interface Log {
  readonly log: Logger
  /** Hands over what is buffered, and waits until it is written. */
  readonly flush: () => void
  /** Lines that were lost because nobody read them in time. */
  readonly lost: () => number
}

/** The log of the process, on standard output: a line of JSON for each event and each request, or readable text. */
export function createLog({ logLevel, logFormat }: LogSettings, requests: RequestRows): Log {
  const writer = new LogWriter(isPretty(logFormat, process.stdout.isTTY === true))
  const flush = (): void => {
    requests.flush()
    writer.flush()
  }
  process.once('exit', flush)
  const log = scrubbedLog(logLevel, { write: (line) => writer.line(line), flush })
  if (log.isLevelEnabled('info')) requests.follow((rows) => writer.requests(rows))
  return { log, flush, lost: () => writer.lost }
}

export const isPretty = (format: LogFormat, isTerminal: boolean): boolean =>
  format === 'pretty' || (format === 'auto' && isTerminal)

export interface LineTarget {
  readonly write: (line: string) => void
  readonly flush: () => void
}

/** Secrets are taken out of the finished line, so that none gets in by a field, an error's message or a stack. */
export function scrubbedLog(level: string, { write, flush }: LineTarget): Logger {
  const stream: DestinationStream & { flushSync: () => void } = {
    write: (line) => write(scrubLine(line)),
    flushSync: flush, // pino's, after a line that says that the process can't go on
  }
  return pino({ level }, stream)
}
