import Type from 'typebox'

/**
 * An answer that isn't JSON and may be long: it is sent as it is made. An operation whose output is `download()` returns one.
 */
export class Download {
  /** With its charset: `text/csv; charset=utf-8`. */
  readonly contentType: string
  readonly fileName: string
  readonly chunks: AsyncIterable<string>

  constructor(contentType: string, fileName: string, chunks: AsyncIterable<string>) {
    this.contentType = contentType
    this.fileName = fileName
    this.chunks = chunks
  }
}

/** Output of an operation that answers with a Download of this media type. Only for GET. */
export const download = (mediaType: string) => Type.Unsafe<Download>({ type: 'string', contentMediaType: mediaType })
