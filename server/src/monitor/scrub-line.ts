import { KEY_PATTERN, SCRUBBED } from '../kernel/scrub.ts'

/** Names of fields whose values are secret, whatever stands before: `newPassword`, `x-api-key`, `set-cookie`. */
const SECRET_NAME =
  /(?:api[_-]?key|password|passwd|token|secret|authorization|cookie|cookies|challenge|recovery_?codes?|otpauth|totp)$/i
/** A code that lets somebody in, of six to eight digits or a recovery code; unlike the code of an error. */
const CODE_NAME = /code$/i
const LOGIN_CODE = /^(?:\d{6,8}|[a-hjkmnp-z2-9]{4}-?[a-hjkmnp-z2-9]{4}-?[a-hjkmnp-z2-9]{4})$/
/** What is inside deeper than this is left out. */
const DEPTH_MAX = 16

const TEXT_PATTERNS: readonly (readonly [RegExp, string])[] = [
  [KEY_PATTERN, SCRUBBED],
  [/otpauth:\/\/[^\s"'\\]+/gi, SCRUBBED],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${SCRUBBED}`],
  // To the end of the line or of the quotation: a header's value has spaces in it
  [/((?:cookie|authorization)\\?["']?\s*[:=]\s*\\?["']?)[^\r\n"'\\]+/gi, `$1${SCRUBBED}`],
  [
    /((?:api[_-]?key|password|passwd|token|secret|challenge|session)\\?["']?\s*[:=]\s*)(?:\\?"[^"\\]*\\?"|'[^']*'|[^\s&,;"'\\}\]]+)/gi,
    `$1${SCRUBBED}`,
  ],
  [/(:\/\/[^\s:/@"'\\]{1,256}:)[^\s/@"'\\]{1,256}@/g, `$1${SCRUBBED}@`], // the password in an address
]

/** Without any of these, no pattern fits; most texts have none. */
const SUSPICIOUS = /[:=%]|sk_|bearer\s|basic\s/i

/** Text without what looks like a secret: an API key, a header, cookie or assignment that carries one. */
export function scrubFreeText(text: string): string {
  if (!SUSPICIOUS.test(text)) return text
  let clean = text
  for (const [pattern, instead] of TEXT_PATTERNS) clean = clean.replace(pattern, instead)
  return clean
}

/**
 * A finished line of the log without secrets: fields that are secret by their name, however deep, and whatever looks like
 * one in any text, name, message or stack. Takes some microseconds, so the line of a request is made otherwise.
 */
export function scrubLine(line: string): string {
  let fields: unknown
  try {
    fields = JSON.parse(line)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return scrubFreeText(line) // a line that isn't JSON is as good as a message
  }
  return `${JSON.stringify(scrubbed(fields, 0))}\n`
}

function scrubbed(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return scrubFreeText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= DEPTH_MAX) return SCRUBBED
  if (Array.isArray(value)) return value.map((item) => scrubbed(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([name, inside]) => [
      scrubFreeText(name),
      isSecret(name, inside) ? SCRUBBED : scrubbed(inside, depth + 1),
    ]),
  )
}

function isSecret(name: string, value: unknown): boolean {
  if (value === null || typeof value === 'boolean') return false
  return SECRET_NAME.test(name) || (CODE_NAME.test(name) && LOGIN_CODE.test(String(value)))
}
