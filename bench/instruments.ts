import { type IncomingMessage, request } from 'node:http'

const ROUNDS = 10
const ENCODINGS = ['identity', 'gzip', 'br'] as const

export interface InstrumentsFigures {
  readonly encoding: (typeof ENCODINGS)[number] | 'not modified'
  readonly bytes: number
  /** Half of the answers, and all of them, begin within. */
  readonly firstByteMs: { readonly p50: number; readonly max: number }
  /** Until the last byte. */
  readonly wholeMs: number
}

interface Answer {
  readonly bytes: number
  readonly firstByteMs: number
  readonly wholeMs: number
  readonly etag: string
}

/**
 * The whole universe as `instruments` sends it, one answer after the other, in each encoding; and what a client is told
 * that has it already.
 */
export async function instrumentsFigures(address: string, apikey: string): Promise<InstrumentsFigures[]> {
  const url = `${address}/api/v1/instruments`
  const headers = { 'x-api-key': apikey }
  const { etag } = await get(url, headers)
  const figures: InstrumentsFigures[] = []
  for (const encoding of ENCODINGS)
    figures.push(await figuresOf(encoding, url, { ...headers, 'accept-encoding': encoding }))
  figures.push(await figuresOf('not modified', url, { ...headers, 'if-none-match': etag }))
  return figures
}

async function figuresOf(
  encoding: InstrumentsFigures['encoding'],
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<InstrumentsFigures> {
  const answers: Answer[] = []
  for (let round = 0; round < ROUNDS; round += 1) answers.push(await get(url, headers))
  const sorted = (read: (answer: Answer) => number) => answers.map(read).sort((a, b) => a - b)
  const first = sorted((answer) => answer.firstByteMs)
  return {
    encoding,
    bytes: answers[0]?.bytes ?? 0,
    firstByteMs: { p50: first[ROUNDS >> 1] ?? 0, max: first[ROUNDS - 1] ?? 0 },
    wholeMs: sorted((answer) => answer.wholeMs)[ROUNDS >> 1] ?? 0,
  }
}

function get(url: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const startedAt = performance.now()
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers }, (response: IncomingMessage) => {
      let bytes = 0
      let firstByteMs = 0
      response.on('data', (chunk: Buffer) => {
        if (bytes === 0) firstByteMs = performance.now() - startedAt
        bytes += chunk.length
      })
      response.once('error', reject)
      response.once('end', () => {
        const wholeMs = performance.now() - startedAt
        const { statusCode, headers: sentBack } = response
        if (statusCode !== 200 && statusCode !== 304) reject(new Error(`${url} was answered with ${statusCode}`))
        resolve({ bytes, firstByteMs: bytes === 0 ? wholeMs : firstByteMs, wholeMs, etag: sentBack.etag ?? '' })
      })
    })
    sent.once('error', reject)
    sent.end()
  })
}
