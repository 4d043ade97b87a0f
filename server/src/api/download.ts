import Type from 'typebox'

/**
 * An answer that may be long: it is sent as it is made. An operation whose output is `download()` returns one; another may,
 * as `asOtherBody`.
 */
export class Streamed {
  readonly headers: Readonly<Record<string, string>>
  readonly chunks: AsyncIterable<string | Uint8Array>

  constructor(headers: Readonly<Record<string, string>>, chunks: AsyncIterable<string | Uint8Array>) {
    this.headers = headers
    this.chunks = chunks
  }
}

/** A file. Its content type comes with the charset: `text/csv; charset=utf-8`. */
export class Download extends Streamed {
  constructor(contentType: string, fileName: string, chunks: AsyncIterable<string>) {
    super({ 'content-type': contentType, 'content-disposition': `attachment; filename="${fileName}"` }, chunks)
  }
}

/** The client has the current version: 304, without a body. */
export class NotModified extends Streamed {
  constructor(headers: Readonly<Record<string, string>>) {
    super(headers, NO_CHUNKS)
  }
}

const NO_CHUNKS: AsyncIterable<string> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
}

const EVENT_STREAM = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no', // or proxies keep events back until there are more
}

/** Server-sent events, which go on until one side ends them. */
export class EventStream extends Streamed {
  constructor(chunks: AsyncIterable<string>) {
    super(EVENT_STREAM, chunks)
  }
}

/** Output of an operation whose answer is streamed in this media type. Only for GET. */
export const download = (mediaType: string) => Type.Unsafe<Streamed>({ type: 'string', contentMediaType: mediaType })
