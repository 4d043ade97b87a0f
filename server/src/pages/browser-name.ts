/** The first that matches: most browsers claim to be several. */
const BROWSERS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['Edge', /\bEdg(?:e|A|iOS)?\//],
  ['Opera', /\bOPR\//],
  ['Samsung Internet', /\bSamsungBrowser\//],
  ['Firefox', /\b(?:Firefox|FxiOS)\//],
  ['Chrome', /\b(?:Headless)?(?:Chrome|Chromium|CriOS)\//],
  ['Safari', /\bSafari\//],
]
const SYSTEMS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['Android', /\bAndroid\b/],
  ['iPhone', /\biPhone\b/],
  ['iPad', /\biPad\b/],
  ['Windows', /\bWindows\b/],
  ['macOS', /\bMac OS X\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['Linux', /\bLinux\b/],
]

/** Of the name of what is no browser that we know. */
const NAME_LENGTH_MAX = 60

/** What a person calls a browser that calls itself `userAgent`, such as `Firefox on Windows`. */
export function browserName(userAgent: string): string {
  if (userAgent === '') return 'Unknown browser'
  const [browser] = BROWSERS.find(([, pattern]) => pattern.test(userAgent)) ?? []
  const [system] = SYSTEMS.find(([, pattern]) => pattern.test(userAgent)) ?? []
  if (browser === undefined) {
    return userAgent.length > NAME_LENGTH_MAX ? `${userAgent.slice(0, NAME_LENGTH_MAX - 1)}…` : userAgent
  }
  return system === undefined ? browser : `${browser} on ${system}`
}
