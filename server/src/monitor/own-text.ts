/**
 * The beginning of a text. What is cut off is not kept in memory: a part of a text would otherwise refer to the whole for
 * as long as it is kept itself.
 */
export function cutText(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text
  return Buffer.from(text.slice(0, lengthMax), 'utf16le').toString('utf16le')
}

/** A copy of a path, which would otherwise keep the whole URL in memory. URLs are of one-byte characters. */
export function ownPath(path: string, lengthMax: number): string {
  return Buffer.from(path.length > lengthMax ? path.slice(0, lengthMax) : path, 'latin1').toString('latin1')
}
