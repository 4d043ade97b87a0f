import { isUtf8 } from 'node:buffer'
import { Refusal } from '../kernel/errors.ts'

const BYTE_ORDER_MARK = '\uFEFF'
/** Objects and lists inside each other. No operation needs more than four. */
export const JSON_DEPTH_MAX = 32

/**
 * Reads a request body as JSON. Throws malformed_json that says where, without repeating the body; also for a field that
 * occurs twice, of which readers take the first or the last as they like.
 */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) {
    throw new Refusal('malformed_json', 'The request body is empty; it must be a JSON object, such as {"apikey":"…"}.')
  }
  const text = body.toString('utf8')
  try {
    const value: unknown = JSON.parse(text)
    // A replacement character may have been sent as such; only then is the slower check needed.
    if (text.includes('\uFFFD') && !isUtf8(body)) throw notUtf8()
    if (namesWritten(text) !== namesRead(value)) throw twice()
    return value
  } catch (error) {
    if (error instanceof Refusal) throw error
    if (!isUtf8(body)) throw notUtf8()
    if (text.startsWith(BYTE_ORDER_MARK)) return parseJson(Buffer.from(text.slice(1)))
    throw new Refusal('malformed_json', `The request body is not valid JSON: ${describeOffset(text)}.`)
  }
}

const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** How many names the objects of a valid JSON text have: each is followed by a colon. Throws when it nests too deeply. */
function namesWritten(text: string): number {
  let names = 0
  let depth = 0
  let inString = false
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (inString) {
      if (code === BACKSLASH) at += 1
      else if (code === QUOTE) inString = false
    } else if (code === QUOTE) inString = true
    else if (code === COLON) names += 1
    else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      depth += 1
      if (depth > JSON_DEPTH_MAX) throw tooDeep()
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) depth -= 1
  }
  return names
}

function namesRead(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let names = 0
  if (Array.isArray(value)) {
    for (const item of value) names += namesRead(item)
    return names
  }
  for (const name in value) {
    names += 1
    const inside = (value as Record<string, unknown>)[name]
    if (typeof inside === 'object') names += namesRead(inside)
  }
  return names
}

const tooDeep = (): Refusal =>
  new Refusal('malformed_json', `The request body nests objects and lists more than ${JSON_DEPTH_MAX} deep.`)

const twice = (): Refusal =>
  new Refusal(
    'malformed_json',
    'The request body has a field twice, and it is unclear which one is meant: send it once.',
  )

const notUtf8 = (): Refusal =>
  new Refusal('malformed_json', 'The request body is not valid UTF-8; JSON must be sent in UTF-8.')

function describeOffset(text: string): string {
  const offset = jsonErrorOffset(text)
  if (offset >= text.length) return 'it ends too early'
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  const column = offset - before.lastIndexOf('\n')
  return `something is wrong at line ${line}, column ${column}`
}

const SPACE = /[ \t\n\r]*/y
const STRING = /"(?:[\u0020!#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const OPEN_STRING = /"(?:[\u0020!#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

/** Offset of the first character at which `text` stops being JSON; its length when it only ends too early. */
export function jsonErrorOffset(text: string): number {
  let at = 0
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match === null) return false
    at += match[0].length
    return true
  }
  const open: ('{' | '[')[] = []
  let wanted: 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'next' = 'value'
  for (;;) {
    take(SPACE)
    const char = text[at]
    if (char === undefined) return at
    if (wanted === 'colon') {
      if (char !== ':') return at
      at += 1
      wanted = 'value'
    } else if (wanted === 'next') {
      const around = open.at(-1)
      if (around !== undefined && char === ',') wanted = around === '{' ? 'key' : 'value'
      else if (around !== undefined && char === (around === '{' ? '}' : ']')) open.pop()
      else return at
      at += 1
    } else if (wanted === 'key' || wanted === 'key-or-end') {
      if (wanted === 'key-or-end' && char === '}') {
        open.pop()
        at += 1
        wanted = 'next'
      } else if (take(STRING)) wanted = 'colon'
      else return endOfOpenString(text, at)
    } else if (char === '{' || char === '[') {
      open.push(char)
      at += 1
      wanted = char === '{' ? 'key-or-end' : 'value-or-end'
    } else if (wanted === 'value-or-end' && char === ']') {
      open.pop()
      at += 1
      wanted = 'next'
    } else if (take(STRING) || take(SCALAR)) wanted = 'next'
    else return endOfOpenString(text, at)
  }
}

function endOfOpenString(text: string, at: number): number {
  OPEN_STRING.lastIndex = at
  return at + (OPEN_STRING.exec(text)?.[0].length ?? 0)
}
