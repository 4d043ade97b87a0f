import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { scrubText } from '../kernel/scrub.ts'

/** 12 bytes are 16 characters. */
const PROCESS_BYTES = 12
const COUNT_LENGTH = 8
const COUNT_BASE = 36

/** Of this process alone: what makes ids of different ones differ. */
const process = randomBytes(PROCESS_BYTES).toString('base64url')
let count = 0

/**
 * `req-`, 96 random bits of this process, and a count. Nothing rests on an id being hard to guess; that they ascend keeps
 * the indexes of the logs from being written all over, which would cost the disk more than the orders.
 */
export function newRequestId(): string {
  count += 1
  return `req-${process}${count.toString(COUNT_BASE).padStart(COUNT_LENGTH, '0')}`
}

const ACCEPTED = /^[A-Za-z0-9._-]{8,64}$/

/** The caller's `X-Request-Id` when it is harmless and no API key, otherwise a new one. */
export function requestIdFrom(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && ACCEPTED.test(given) && scrubText(given) === given ? given : newRequestId()
}
