import { randomFillSync } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { scrubText } from '../kernel/scrub.ts'

const ID_BYTES = 16
const POOL_IDS = 256
const pool = Buffer.alloc(ID_BYTES * POOL_IDS)
let used = pool.length

/** `req-` and 128 random bits. Randomness is drawn in blocks: one system call in 256 requests. */
export function newRequestId(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const id = pool.toString('base64url', used, used + ID_BYTES)
  used += ID_BYTES
  return `req-${id}`
}

const ACCEPTED = /^[A-Za-z0-9._-]{8,64}$/

/** The caller's `X-Request-Id` when it is harmless and no API key, otherwise a new one. */
export function requestIdFrom(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && ACCEPTED.test(given) && scrubText(given) === given ? given : newRequestId()
}
