/** Requests as any program would send them, without a client library. */

export interface FieldError {
  readonly field: string
  readonly message: string
}

/** What answers may consist of; each check reads what it is about. */
export interface AnswerBody {
  readonly status?: unknown
  readonly message?: unknown
  readonly code?: unknown
  readonly request_id?: unknown
  readonly mode?: unknown
  readonly orderid?: unknown
  readonly errors?: readonly FieldError[]
  readonly warnings?: readonly FieldError[]
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Undefined when the answer isn't a JSON object. */
  readonly body: AnswerBody | undefined
}

const REQUEST_MS_MAX = 20_000

export interface RequestOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Bytes go out without a content type unless `headers` has one; anything else as JSON. */
  readonly body?: unknown
}

export async function request(url: string, options: RequestOptions = {}): Promise<Answer> {
  const { method = 'POST', headers = {}, body } = options
  const json = body !== undefined && !(body instanceof Uint8Array)
  const answer = await fetch(url, {
    method,
    headers: json ? { 'content-type': 'application/json', ...headers } : headers,
    ...(body === undefined ? {} : { body: body instanceof Uint8Array ? body.slice() : JSON.stringify(body) }),
    signal: AbortSignal.timeout(REQUEST_MS_MAX),
  })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, text, body: objectIn(text) }
}

function objectIn(text: string): AnswerBody | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined // an HTML page, for one: the check says what it expected
  }
}
