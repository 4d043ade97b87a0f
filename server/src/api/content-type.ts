import { Refusal } from '../kernel/errors.ts'
import { shown } from './field-type.ts'

/** JSON as such, as a derived type, or from clients that name no type or call it plain text. */
const JSON_TYPE = /^(?:application\/(?:[\w.-]+\+)?json|text\/plain)$/
const DECLARED_JSON = /^application\/(?:[\w.-]+\+)?json(?:\s*;|$)/i
const CHARSET = /;\s*charset\s*=\s*"?([^";\s]+)/i

/** Throws unsupported_media_type unless a body of this type is read as JSON in UTF-8. */
export function requireJson(header: string | undefined): void {
  if (header === undefined || header === '' || header === 'application/json') return
  const type = header.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (!JSON_TYPE.test(type)) {
    throw new Refusal('unsupported_media_type', `Content-Type ${shown(type)} is not accepted; send application/json.`)
  }
  const charset = CHARSET.exec(header)?.[1]?.toLowerCase()
  if (charset === undefined || charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii') return
  throw new Refusal('unsupported_media_type', `Charset ${shown(charset)} is not accepted; send JSON in UTF-8.`)
}

/** Throws unsupported_media_type when a body is compressed: what it would become, nobody knows before it is read. */
export function requirePlain(encoding: string | undefined): void {
  if (encoding === undefined || encoding === '' || encoding.toLowerCase() === 'identity') return
  throw new Refusal(
    'unsupported_media_type',
    `Content-Encoding ${shown(encoding)} is not accepted; send JSON as it is.`,
  )
}

/** Throws unsupported_media_type unless the body says that it is JSON, which only our own pages can make a browser say. */
export function requireDeclaredJson(header: string | undefined): void {
  if (header !== undefined && DECLARED_JSON.test(header)) return
  const given = header === undefined ? 'missing' : shown(header)
  throw new Refusal(
    'unsupported_media_type',
    `Content-Type is ${given}; a request that isn't made with an API key must be sent as application/json.`,
  )
}
