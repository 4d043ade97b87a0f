const LENGTH_MAX = 512
/** Any host would do: what stays on it is a path of ours. */
const SOMEWHERE = 'http://sauda.invalid'

/** A path of ours to go on to, from text that anybody may have written; undefined when it leads anywhere else. */
export function localPath(text: string | null): string | undefined {
  if (text === null || text.length > LENGTH_MAX || !/^\/(?![/\\])[\x21-\x7e]*$/.test(text)) return undefined
  if (text.includes('\\') || !URL.canParse(text, SOMEWHERE)) return undefined
  const { origin, pathname, search } = new URL(text, SOMEWHERE)
  return origin === SOMEWHERE && !pathname.startsWith('//') ? `${pathname}${search}` : undefined
}

/** `path?name=value&…`, without the values that are undefined or empty. */
export function pathWith(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value) parameters.set(name, value)
  return parameters.size === 0 ? path : `${path}?${parameters}`
}
