import { pipeline, Readable, type Transform } from 'node:stream'
import { constants, createBrotliCompress, createGzip } from 'node:zlib'

export type Encoding = 'br' | 'gzip'

/** Better ones take longer than the network saves. */
const BROTLI_QUALITY = 4
/** A larger window takes megabytes for each answer, and finds hardly more. */
const BROTLI_WINDOW_BITS = 18
const GZIP_LEVEL = 4

/** The better one of the encodings that `Accept-Encoding` asks for; undefined when it wants the text as it is. */
export function encodingOf(accepted: string | undefined): Encoding | undefined {
  const weights = new Map<string, number>()
  for (const part of (accepted ?? '').split(',')) {
    const [name = '', ...parameters] = part.split(';')
    const weight = parameters.map((parameter) => /^\s*q=([\d.]+)\s*$/i.exec(parameter)?.[1]).find(Boolean)
    if (name.trim() !== '') weights.set(name.trim().toLowerCase(), weight === undefined ? 1 : Number(weight))
  }
  const weightOf = (name: string): number => weights.get(name) ?? weights.get('*') ?? 0
  const [br, gzip] = [weightOf('br'), Math.max(weightOf('gzip'), weights.get('x-gzip') ?? 0)]
  // Whoever prefers it uncompressed says so; without a word about that, compressed is preferred
  const plain = weights.get('identity') ?? 0
  if (Math.max(br, gzip) <= 0 || plain > Math.max(br, gzip)) return undefined
  return br >= gzip ? 'br' : 'gzip'
}

/**
 * The chunks compressed, off the event loop. Each leaves when it is compressed, not when the compressor has seen enough, so
 * they shouldn't be small. A failure of theirs is thrown by whatever reads it, and when its reader
 * leaves, they are ended.
 */
export function compressed(chunks: AsyncIterable<string>, encoding: Encoding): AsyncIterable<Uint8Array> {
  const compressor: Transform =
    encoding === 'br'
      ? createBrotliCompress({
          flush: constants.BROTLI_OPERATION_FLUSH,
          params: {
            [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
            [constants.BROTLI_PARAM_LGWIN]: BROTLI_WINDOW_BITS,
            [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
          },
        })
      : createGzip({ flush: constants.Z_SYNC_FLUSH, level: GZIP_LEVEL })
  // A failure ends the compressor with it, whose reader gets to know; there is nobody else to tell
  return pipeline(Readable.from(chunks), compressor, () => undefined)
}
