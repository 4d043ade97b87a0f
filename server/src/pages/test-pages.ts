import type { FastifyInstance } from 'fastify'
import { expect } from 'vitest'
import { Csrf } from '../api/csrf.ts'
import { createHttp } from '../api/http.ts'
import { arrivals } from '../api/middleware/arrive.ts'
import { securityHeaders } from '../api/middleware/security-headers.ts'
import { Cookies } from '../api/session-cookie.ts'
import { NOBODY } from '../identity/caller.ts'
import { ManualClock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { errorPages, mountPages } from './index.ts'

/** Pages on operations whose answers a test chooses. */

export const NOW = Date.UTC(2026, 10, 25, 6, 30)
export const SESSION = 'sauda_session=session-of-a-test'

/** Answers of the operations that pages ask, with `text` wherever a text is. */
export function answersWith(text: string): Record<string, object> {
  const key = {
    account: text,
    created_at: NOW,
    expires_at: NOW + 86_400_000,
    id: 'key_one',
    last_used_at: NOW,
    name: text,
    networks: text,
    replaced_by: null,
    revoked_at: null,
    scopes: ['read', 'trade'],
    user_id: text,
  }
  const replaced = { ...key, id: 'key_two', replaced_by: 'key_one', revoked_at: NOW + 1, last_used_at: null }
  const codes = { data: { recovery_codes: [text, 'second-code'] } }
  return {
    'auth/status': {
      data: {
        account: text,
        authenticated: true,
        mail_reset: true,
        recovery_codes_left: 7,
        set_up: true,
        totp_enabled: false,
        user: { email: text, id: text, name: text, role: 'admin' },
      },
    },
    'auth/login': { data: { challenge: null, totp_required: false } },
    'auth/sessions': {
      data: [
        { address: text, created_at: NOW, current: true, device: text, id: text, last_seen_at: NOW },
        { address: text, created_at: NOW, current: false, device: text, id: text, last_seen_at: NOW },
      ],
    },
    'auth/totp/enrol': { data: { qr_svg: `<svg>${text}</svg>`, secret: text, uri: text } },
    'auth/totp/confirm': codes,
    'auth/recovery-codes': codes,
    keys: { data: [key, replaced, { ...key, id: 'key_old', expires_at: NOW - 1 }] },
    'keys/create': { data: { ...key, key: text } },
    'keys/rotate': { data: { ...key, key: text } },
    accounts: {
      data: [
        { created_at: NOW, id: text, name: text, order_mode: 'semi_auto', venue: text },
        { created_at: NOW, id: 'second', name: 'second', order_mode: 'auto', venue: 'paper' },
      ],
    },
    'accounts/create': { data: { created_at: NOW, id: text, name: text, order_mode: 'auto', venue: text } },
    'accounts/order-mode': { data: { created_at: NOW, id: text, name: text, order_mode: 'semi_auto', venue: text } },
    funds: { data: { availablecash: 10_000_000.5 } },
    health: { data: { state: 'warn' } },
  }
}

type Sent = readonly [path: string, fields: Record<string, string | string[]>]

/** Forms whose secret waits for the page that shows it. */
export const FOLLOWED: readonly Sent[] = [
  ['/account/totp', { password: 'x' }],
  ['/account/totp/confirm', { code: '1' }],
  ['/account/recovery-codes', { password: 'x' }],
]

/** Forms that are followed by something to read, then or at once. */
export const ANSWERED: readonly Sent[] = [
  ...FOLLOWED,
  ['/keys/new', { name: 'x', scopes: ['read'] }],
  ['/keys/new', { name: 'x', scopes: ['read', 'trade'] }],
  ['/keys/rotate', { id: 'key_one', overlap_hours: '4' }],
]

export type Answers = Record<string, object>

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

export class TestPages {
  readonly clock = new ManualClock(NOW)
  readonly app: FastifyInstance
  /** Names of the operations that were asked, but for the look at who asks, with what. */
  readonly asked: [name: string, input: object][] = []
  answers: Answers
  /** What logs say of each request. */
  readonly finished: { route: string; errorCode: string }[] = []
  readonly #csrf: string

  constructor(text = 'plain', publicUrl = 'http://127.0.0.1:5000') {
    this.answers = answersWith(text)
    const cookies = new Cookies({ isHttps: false })
    const csrf = new Csrf(Buffer.alloc(32, 7), cookies)
    const headers = securityHeaders({ publicUrl: '' })
    this.app = createHttp({
      pipeline: {
        arrive: arrivals({ clock: this.clock, addressOf: (peer) => peer }),
        apiHeaders: {},
        programHeaders: {},
        beforeBody: [],
        beforeFields: [],
        beforeHandler: [],
        afterHandler: [],
        beforeAnswer: [],
        afterAnswer: [({ route, errorCode }) => this.finished.push({ route, errorCode })],
      },
      showError: errorPages(headers.page),
    })
    mountPages(this.app, {
      clock: this.clock,
      call: async (name, input, visit) => {
        // Each cookie is a session of its own
        visit.caller = { ...NOBODY, kind: 'session', sessionId: visit.headers.cookie }
        if (name !== 'auth/status') this.asked.push([name, input])
        const answer = this.answers[name] ?? { message: 'Done' }
        if (answer instanceof Error) throw answer
        return { status: 'success', ...answer }
      },
      csrf,
      isForeign: ({ origin }) => origin !== undefined && origin !== 'http://localhost',
      headers: headers.page,
      assetHeaders: headers.asset,
      publicUrl: () => publicUrl,
    })
    this.#csrf = csrf.tokenFor({ headers: { cookie: SESSION }, answerHeaders: {} } as never)
  }

  /** Another answer of who asks. */
  status(change: object): void {
    const { data } = this.answers['auth/status'] as { data: object }
    this.answers['auth/status'] = { data: { ...data, ...change } }
  }

  signedOut(): void {
    this.status({ authenticated: false, user: null })
  }

  refuse(name: string, refusal: Refusal | Error): void {
    this.answers[name] = refusal
  }

  async get(url: string, headers: Record<string, string> = {}): Promise<Answer> {
    const {
      statusCode,
      headers: answered,
      payload,
    } = await this.app.inject({
      url,
      headers: { accept: 'text/html', cookie: SESSION, ...headers },
    })
    return { status: statusCode, headers: answered, text: payload }
  }

  /** Sends a form, and follows to the page that shows what came of it, when the answer isn't that already. */
  async postAndFollow(url: string, fields: Readonly<Record<string, string | readonly string[]>> = {}): Promise<Answer> {
    const answer = await this.post(url, fields)
    return answer.status === 303 ? await this.get(String(answer.headers['location'])) : answer
  }

  /** Sends a form as a browser does that was shown it. */
  async post(
    url: string,
    fields: Readonly<Record<string, string | readonly string[]>> = {},
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const body = new URLSearchParams({ csrf: this.#csrf })
    for (const [name, value] of Object.entries(fields)) {
      body.delete(name)
      for (const one of [value].flat()) body.append(name, one)
    }
    const {
      statusCode,
      headers: answered,
      payload,
    } = await this.app.inject({
      method: 'POST',
      url,
      payload: body.toString(),
      headers: {
        accept: 'text/html',
        'content-type': 'application/x-www-form-urlencoded',
        cookie: SESSION,
        ...headers,
      },
    })
    return { status: statusCode, headers: answered, text: payload }
  }
}

export const invalid = (...errors: { field: string; message: string }[]): Refusal =>
  new Refusal('validation_failed', errors.map(({ message }) => message).join(' '), { errors })

export const VIEWER = { email: 'v', id: 'v', name: 'v', role: 'viewer' }

/** Loads nothing but our files, and no text became a tag. */
export function expectHarmless(html: string): void {
  expect(html).toMatch(/^<!doctype html>/)
  expect(html).not.toContain('<img src=x')
  expect(html).not.toContain('alert(1)</script>')
  expect(html.replace(/"[^"<>]*"/g, '""')).not.toMatch(/\son\w+\s*=|\sstyle\s*=|<style/i)
  const scripts = html.match(/<script[^>]*>[^<]*/g) ?? []
  expect(scripts).toHaveLength(1)
  expect(scripts[0]).toMatch(/^<script src="\/assets\/sauda\.js\?v=[\w-]{12}" defer>$/)
  expect(html).not.toMatch(/(?:src|href|action)="(?:https?:)?\/\//)
}

/** Of every form: where it goes and that it carries what proves where it comes from. */
export function expectSound(html: string): void {
  for (const [form] of html.matchAll(/<form[\s\S]*?<\/form>/g)) {
    expect(form).toMatch(/<form[^>]* method="post"/)
    expect(form).toMatch(/<input type="hidden" name="csrf" value="[\w-]{43}">/)
  }
  const ids = Array.from(html.matchAll(/ id="([^"]+)"/g), ([, id]) => id)
  expect(new Set(ids).size, `ids ${ids} are unique`).toBe(ids.length)
  const references = Array.from(html.matchAll(/ (?:for|aria-describedby|aria-labelledby)="([^"]+)"/g), ([, id]) => id)
  for (const id of references.flatMap((text) => text?.split(' ') ?? [])) expect(ids).toContain(id)
  expect(html.match(/<h1/g)).toHaveLength(1)
  expect((html.match(/ autofocus/g) ?? []).length).toBeLessThan(2)
}
