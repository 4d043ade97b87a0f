import { hash } from 'node:crypto'

/**
 * Hash of a random secret (an API key, a session's cookie, a link), keyed by the server's secret in front, of fixed
 * length. HMAC would guard against extended messages, which nobody can present here: what is compared is the hash of a
 * whole text. It would take four times as long, on every request.
 */
export type KeyedHash = (text: string) => string

export function keyedHash(secret: Buffer): KeyedHash {
  const front = secret.toString('base64url')
  return (text) => hash('sha256', front + text, 'base64url')
}
