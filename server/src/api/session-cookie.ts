import type { IncomingHttpHeaders } from 'node:http'
import type { Context } from './operation.ts'
import type { Visit } from './visit.ts'

/**
 * Cookies of a signed-in browser: readable by no script, sent by no other site's forms, and under https bound to exactly
 * this host.
 */
export class Cookies {
  readonly #sessionName: string
  readonly #formName: string
  readonly #attributes: string

  constructor(options: { readonly isHttps: boolean }) {
    const prefix = options.isHttps ? '__Host-' : ''
    this.#sessionName = `${prefix}sauda_session`
    this.#formName = `${prefix}sauda_form`
    this.#attributes = `Path=/; HttpOnly; SameSite=Lax${options.isHttps ? '; Secure' : ''}`
  }

  sessionToken(headers: IncomingHttpHeaders): string | undefined {
    return readCookie(headers.cookie, this.#sessionName)
  }

  /** What ties a form to the browser it was shown in, before anybody has signed in. */
  formToken(headers: IncomingHttpHeaders): string | undefined {
    return readCookie(headers.cookie, this.#formName)
  }

  setSession(visit: Visit, token: string, expiresAt: number): void {
    const maxAgeSeconds = Math.max(0, Math.floor((expiresAt - visit.at) / 1000))
    this.#set(visit, this.#sessionName, token, `; Max-Age=${maxAgeSeconds}`)
  }

  clearSession(visit: Visit): void {
    this.#set(visit, this.#sessionName, '', '; Max-Age=0')
  }

  /** Lasts until the browser is closed. */
  setForm(visit: Visit, token: string): void {
    this.#set(visit, this.#formName, token, '')
  }

  #set(visit: Visit, name: string, value: string, age: string): void {
    const others = [visit.answerHeaders['set-cookie'] ?? []].flat().filter((cookie) => !cookie.startsWith(`${name}=`))
    visit.answerHeaders['set-cookie'] = [...others, `${name}=${value}; ${this.#attributes}${age}`]
  }
}

/** Value of the first cookie of that name; undefined when there is none or it is odd. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined
  for (const part of header.split(';')) {
    const at = part.indexOf('=')
    if (at < 0 || part.slice(0, at).trim() !== name) continue
    const value = part.slice(at + 1).trim()
    return /^[A-Za-z0-9_-]{1,128}$/.test(value) ? value : undefined
  }
  return undefined
}

/** Signs this browser in. */
export function setSessionCookie({ services, visit }: Context, token: string, expiresAt: number): void {
  services.cookies.setSession(visit, token, expiresAt)
}

export function clearSessionCookie({ services, visit }: Context): void {
  services.cookies.clearSession(visit)
}

export const sessionTokenOf = ({ services, visit }: Context): string | undefined =>
  services.cookies.sessionToken(visit.headers)
