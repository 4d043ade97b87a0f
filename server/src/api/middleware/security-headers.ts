/** Names in lower case. */
export type Headers = Readonly<Record<string, string>>

export interface SecurityHeaders {
  /** Of every answer under `/api/` but the documentation. */
  readonly api: Headers
  /** Those of them that aren't about what a browser does with a page. */
  readonly program: Headers
  /** Of pages, errors among them. */
  readonly page: Headers
  /** Of the interactive documentation. */
  readonly docs: Headers
  /** Of stylesheets, scripts and pictures, which say themselves how long they may be kept. */
  readonly asset: Headers
}

const YEAR_SECONDS = 31_536_000

const NO_FEATURES = ['camera', 'geolocation', 'microphone', 'payment', 'screen-wake-lock', 'usb']
  .map((feature) => `${feature}=()`)
  .join(', ')

const PAGE_POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'form-action': "'self'",
  'base-uri': "'none'",
  'frame-ancestors': "'none'",
}

/** What browsers are told to refuse, whatever a page may contain. */
export function securityHeaders(settings: { readonly publicUrl: string }): SecurityHeaders {
  // Browsers ignore both over plain http, the second one with a complaint
  const isHttps = settings.publicUrl.startsWith('https:')
  const common = {
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': NO_FEATURES,
    'x-content-type-options': 'nosniff',
    ...(isHttps && { 'strict-transport-security': `max-age=${YEAR_SECONDS}` }),
  }
  const page = {
    ...common,
    ...(isHttps && { 'cross-origin-opener-policy': 'same-origin' }),
    'cache-control': 'no-store',
    'content-security-policy': policyText(PAGE_POLICY),
    // Under no-referrer, browsers send their forms with `Origin: null`
    'referrer-policy': 'same-origin',
  }
  return {
    api: Object.freeze({
      ...common,
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
    }),
    program: Object.freeze({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(isHttps && { 'strict-transport-security': `max-age=${YEAR_SECONDS}` }),
    }),
    page: Object.freeze({ ...page }),
    docs: Object.freeze({ ...page, 'cache-control': 'no-cache' }),
    asset: Object.freeze(common),
  }
}

function policyText(directives: Readonly<Record<string, string>>): string {
  return Object.entries(directives)
    .map(([name, sources]) => `${name} ${sources}`)
    .join('; ')
}
