/** Fields whose values are secret whatever they are. */
const SECRET_FIELDS =
  /^(?:api_?key|apikey|password|current_password|new_password|token|code|secret|challenge|authorization|cookie|set-cookie|recovery_codes?|totp.*)$/i
/** The same, where JSON names a field. */
const SECRET_NAME =
  /"(?:api_?key|apikey|password|current_password|new_password|token|code|secret|challenge|authorization|cookie|set-cookie|recovery_codes?|totp[^"]*)":/i
/** What an API key looks like, wherever it stands; any character of it may be escaped, as in an address. */
export const KEY_PATTERN = /(?:s|%73)(?:k|%6[Bb])(?:_|%5[Ff])(?:[A-Za-z0-9_-]|%[0-9A-Fa-f]{2}){43}/g
export const SCRUBBED = '[scrubbed]'
const DEPTH_MAX = 8

/** Text without any API key in it. */
export const scrubText = (text: string): string =>
  text.includes('sk_') || text.includes('%') ? text.replace(KEY_PATTERN, SCRUBBED) : text

/** What is wrong with text that would be kept and shown again; undefined when no API key is in it. */
export const keyInText = (text: string): string | undefined =>
  scrubText(text) === text ? undefined : 'Must not contain an API key.'

/** Whether `scrub` might change what this is the JSON of. */
export const mayHoldSecrets = (json: string): boolean => json.includes('sk_') || SECRET_NAME.test(json)

/** A copy without what is secret: fields known to be, and API keys in any text or name. */
export function scrub(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return scrubText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= DEPTH_MAX) return SCRUBBED
  if (Array.isArray(value)) return value.map((item) => scrub(item, depth + 1))
  const copy: Record<string, unknown> = {}
  for (const [name, inside] of Object.entries(value)) {
    copy[scrubText(name)] = SECRET_FIELDS.test(name) ? SCRUBBED : scrub(inside, depth + 1)
  }
  return copy
}
