const STEP_MS = 30_000
/** Steps before and after the present one whose codes are taken, for clocks that are a little off. */
const WINDOW = 1
const SECRET_BYTES = 20

export interface TotpEnrolment {
  /** Base32, for typing in. */
  readonly secret: string
  /** `otpauth://…`, for authenticator programs. */
  readonly uri: string
  /** The same as a picture, SVG. */
  readonly qrSvg: string
}

/** A new secret of RFC 6238: SHA-1, six digits, thirty seconds, which every authenticator program knows. */
export async function newTotp(label: string): Promise<TotpEnrolment> {
  const [{ Secret, TOTP }, { renderSVG }] = await Promise.all([import('otpauth'), import('uqr')])
  const totp = new TOTP({ issuer: 'Sauda', label, secret: new Secret({ size: SECRET_BYTES }) })
  const uri = totp.toString()
  return { secret: totp.secret.base32, uri, qrSvg: renderSVG(uri, { border: 2 }) }
}

/** The time step that a code belongs to; undefined when it is no code of around now, or of a step used before. */
export async function totpStep(
  secret: string,
  code: string,
  now: number,
  lastStep: number,
): Promise<number | undefined> {
  const digits = code.replace(/\s/g, '')
  if (!/^\d{6}$/.test(digits)) return undefined
  const { Secret, TOTP } = await import('otpauth')
  const delta = new TOTP({ secret: Secret.fromBase32(secret) }).validate({
    token: digits,
    timestamp: now,
    window: WINDOW,
  })
  if (delta === null) return undefined
  const step = Math.floor(now / STEP_MS) + delta
  return step > lastStep ? step : undefined
}
