import type { FastifyBaseLogger } from 'fastify'
import type { Visit } from './visit.ts'

/** What Fastify asks of a logger. */
type Level = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace'

/**
 * The log of one request, whose lines name it. Its logger is made with the first line: most requests never write one, and
 * making it would cost more than most requests.
 */
class RequestLog {
  readonly #log: FastifyBaseLogger
  readonly #visit: Visit
  #own: FastifyBaseLogger | undefined

  constructor(log: FastifyBaseLogger, visit: Visit) {
    this.#log = log
    this.#visit = visit
  }

  get level(): string {
    return this.#log.level
  }

  fatal(...line: unknown[]): void {
    this.#write('fatal', line)
  }

  error(...line: unknown[]): void {
    this.#write('error', line)
  }

  warn(...line: unknown[]): void {
    this.#write('warn', line)
  }

  info(...line: unknown[]): void {
    this.#write('info', line)
  }

  debug(...line: unknown[]): void {
    this.#write('debug', line)
  }

  trace(...line: unknown[]): void {
    this.#write('trace', line)
  }

  silent(): void {}

  child(...how: Parameters<FastifyBaseLogger['child']>): FastifyBaseLogger {
    return this.#named().child(...how)
  }

  #write(level: Level, line: unknown[]): void {
    const log = this.#named()
    log[level](...(line as Parameters<FastifyBaseLogger[Level]>))
  }

  #named(): FastifyBaseLogger {
    const { id: requestId, traceId } = this.#visit
    this.#own ??= this.#log.child(traceId === '' ? { requestId } : { requestId, traceId })
    return this.#own
  }
}

/** A logger whose every line has the request's id and that of its trace, also what the framework has to say of it. */
export const requestLog = (log: FastifyBaseLogger, visit: Visit): FastifyBaseLogger => new RequestLog(log, visit)
