import type { WireCode } from '@sauda/server'

/** The server's codes, and those of requests that never got an answer. */
export type ErrorCode = WireCode | 'connection_failed' | 'timed_out' | 'unreadable_answer'

export interface FieldError {
  readonly field: string
  readonly message: string
}

/** A request that failed. Everything that the client throws is one of these. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: ErrorCode
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined
  readonly requestId: string | undefined
  /** Every field that was wrong; empty when it wasn't about fields. */
  readonly errors: readonly FieldError[]
  /** The whole answer, for codes that carry more, such as the `orderid` of a rejected order. */
  readonly body: Readonly<Record<string, unknown>>

  constructor(
    code: ErrorCode,
    message: string,
    more: {
      status?: number
      requestId?: string | undefined
      errors?: readonly FieldError[]
      body?: Readonly<Record<string, unknown>>
      cause?: unknown
    } = {},
  ) {
    super(message, { cause: more.cause })
    this.code = code
    this.status = more.status
    this.requestId = more.requestId
    this.errors = more.errors ?? []
    this.body = more.body ?? {}
  }
}
