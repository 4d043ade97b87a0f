/**
 * The beginning of a text. What is cut off is not kept in memory: a part of a text would otherwise refer to the whole for
 * as long as it is kept itself.
 */
export function cutText(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text
  return Buffer.from(text.slice(0, lengthMax), 'utf16le').toString('utf16le')
}

const PATHS_KEPT_MAX = 1_000
const KEPT_LENGTH_MAX = 64
const paths = new Map<string, string>()

/** A copy of a path, which would otherwise keep the whole URL in memory. URLs are of one-byte characters. */
export function ownPath(path: string, lengthMax: number): string {
  const known = paths.get(path)
  if (known !== undefined) return known
  const own = copyOf(path, lengthMax)
  if (path.length <= KEPT_LENGTH_MAX && path.length <= lengthMax) {
    if (paths.size >= PATHS_KEPT_MAX) paths.clear()
    paths.set(own, own)
  }
  return own
}

function copyOf(path: string, lengthMax: number): string {
  return Buffer.from(path.length > lengthMax ? path.slice(0, lengthMax) : path, 'latin1').toString('latin1')
}
