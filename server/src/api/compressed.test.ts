import { brotliDecompressSync, constants, gunzipSync } from 'node:zlib'
import { describe, expect, it, test } from 'vitest'
import { compressed, type Encoding, encodingOf } from './compressed.ts'

test.each<[string | undefined, Encoding | undefined]>([
  [undefined, undefined],
  ['', undefined],
  ['identity', undefined],
  ['deflate', undefined],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['GZIP', 'gzip'],
  ['gzip, deflate', 'gzip'],
  ['gzip, deflate, br, zstd', 'br'],
  ['br;q=0.5, gzip;q=0.8', 'gzip'],
  ['br;q=0, gzip', 'gzip'],
  ['gzip;q=0', undefined],
  ['*', 'br'],
  ['*;q=0', undefined],
  ['br;q=0, *', 'gzip'],
  ['identity;q=1, gzip;q=0.5', undefined],
  ['identity;q=0.5, gzip;q=1', 'gzip'],
  [' gzip ; q=1.0 ', 'gzip'],
  ['gzip;q=nonsense', 'gzip'],
  [',,;q=1', undefined],
])('Accept-Encoding %j is answered as %j', (accepted, encoding) => {
  expect(encodingOf(accepted)).toBe(encoding)
})

describe.each<[Encoding, (bytes: Uint8Array) => Buffer]>([
  ['gzip', (bytes) => gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH })],
  ['br', (bytes) => brotliDecompressSync(bytes, { finishFlush: constants.BROTLI_OPERATION_FLUSH })],
])('%s', (encoding, decompress) => {
  it('gives back the text', async () => {
    const text = 'Sauda, सौदा, '.repeat(20_000)
    const pieces = text.match(/.{1,1000}/gsu) ?? []
    const bytes = Buffer.concat(await Array.fromAsync(compressed(streamOf(pieces), encoding)))
    expect(decompress(bytes).toString()).toBe(text)
    expect(bytes.length).toBeLessThan(text.length / 10)
  })

  it('lets the first chunk leave before the second one is made', async () => {
    const gate = Promise.withResolvers<void>()
    async function* chunks() {
      yield 'first '
      await gate.promise
      yield 'second'
    }
    const reader = compressed(chunks(), encoding)[Symbol.asyncIterator]()
    let bytes = Buffer.alloc(0)
    while (!textSoFar(bytes).includes('first ')) bytes = Buffer.concat([bytes, (await reader.next()).value])
    gate.resolve()
    for (let next = await reader.next(); next.done !== true; next = await reader.next())
      bytes = Buffer.concat([bytes, next.value])
    expect(decompress(bytes).toString()).toBe('first second')
  })

  it('throws what its chunks throw', async () => {
    async function* chunks() {
      yield 'first'
      throw new Error('no more')
    }
    await expect(Array.fromAsync(compressed(chunks(), encoding))).rejects.toThrow('no more')
  })

  it('ends its chunks when its reader leaves', async () => {
    const ended = Promise.withResolvers<void>()
    async function* chunks() {
      try {
        for (;;) yield 'more and more '.repeat(1000)
      } finally {
        ended.resolve()
      }
    }
    for await (const _bytes of compressed(chunks(), encoding)) break
    await ended.promise
  })

  function textSoFar(bytes: Uint8Array): string {
    return bytes.length === 0 ? '' : decompress(bytes).toString()
  }
})

async function* streamOf(pieces: readonly string[]): AsyncGenerator<string> {
  yield* pieces
}
