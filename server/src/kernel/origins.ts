/** Origins that one setting may list. */
export const ORIGINS_MAX = 32

/**
 * Web origins of a text with commas or spaces between them, as browsers write them in the header `Origin`; undefined when
 * one of them isn't one. `*` and `null` are none.
 */
export function parseOrigins(text: string): readonly string[] | undefined {
  const origins = [...new Set(text.split(/[\s,]+/).filter((word) => word !== ''))]
  return origins.length <= ORIGINS_MAX && origins.every(isOrigin) ? origins : undefined
}

/** Also of programs that show web pages, such as `tauri://localhost`, which have a scheme of their own. */
function isOrigin(text: string): boolean {
  if (
    !/^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._-]+(:\d{1,5})?$/.test(text) &&
    !/^https?:\/\/\[[0-9a-f:]+\](:\d{1,5})?$/.test(text)
  )
    return false
  return URL.canParse(text) && (!text.startsWith('http') || new URL(text).origin === text)
}
