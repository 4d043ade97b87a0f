import { isUtf8 } from 'node:buffer'
import { Refusal } from '../kernel/errors.ts'

const BYTE_ORDER_MARK = '\uFEFF'

/** Reads a request body as JSON. Throws malformed_json that says where, without repeating the body. */
export function parseJson(body: Buffer): unknown {
  if (body.length === 0) {
    throw new Refusal('malformed_json', 'The request body is empty; it must be a JSON object, such as {"apikey":"…"}.')
  }
  const text = body.toString('utf8')
  try {
    const value: unknown = JSON.parse(text)
    // A replacement character may have been sent as such; only then is the slower check needed.
    if (text.includes('\uFFFD') && !isUtf8(body)) throw notUtf8()
    return value
  } catch (error) {
    if (error instanceof Refusal) throw error
    if (!isUtf8(body)) throw notUtf8()
    if (text.startsWith(BYTE_ORDER_MARK)) return parseJson(Buffer.from(text.slice(1)))
    throw new Refusal('malformed_json', `The request body is not valid JSON: ${describeOffset(text)}.`)
  }
}

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
