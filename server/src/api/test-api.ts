import type { FastifyInstance } from 'fastify'
import type { Caller } from '../identity/caller.ts'
import type { KeyIdentity, KeyStanding } from '../identity/key-store.ts'
import type { Scope } from '../identity/scope.ts'
import { ManualClock } from '../kernel/clock.ts'
import { createHttp, type HttpOptions, mountOperations } from './http.ts'
import { arrivals } from './middleware/arrive.ts'
import { authenticator, authorise } from './middleware/authenticate.ts'
import type { AnyOperation } from './operation.ts'
import type { Pipeline } from './pipeline.ts'
import type { Services } from './services.ts'
import { Cookies } from './session-cookie.ts'

/** Keys of the servers that tests build. */
export const READ_KEY = 'sk_read-0123456789'
export const TRADE_KEY = 'sk_trade-0123456789'
export const ADMIN_KEY = 'sk_admin-0123456789'
export const POWERLESS_KEY = 'sk_none-0123456789'
export const EXPIRED_KEY = 'sk_expired-0123456789'
/** May be used from 192.0.2.1 only, which no test comes from. */
export const ELSEWHERE_KEY = 'sk_elsewhere-0123456789'

/** Value of the `cookie` header of a signed-in admin, trader or viewer. */
export const cookieOf = (role: Caller['role']): string => `sauda_session=${role}`

const SCOPES_OF = new Map<string, readonly Scope[]>([
  [READ_KEY, ['read']],
  [TRADE_KEY, ['trade']],
  [ADMIN_KEY, ['admin']],
  [POWERLESS_KEY, []],
  [ELSEWHERE_KEY, ['admin']],
])
const SCOPES_OF_ROLE: Readonly<Record<Caller['role'], readonly Scope[]>> = {
  admin: ['read', 'trade', 'admin'],
  trader: ['read', 'trade'],
  viewer: ['read'],
}

const keys = {
  check(key: string): KeyStanding {
    if (key === EXPIRED_KEY) return 'expired'
    const scopes = SCOPES_OF.get(key)
    if (scopes === undefined) return 'unknown'
    return {
      kind: 'key',
      userId: undefined,
      userName: 'owner',
      role: 'admin',
      account: 'default',
      keyId: key === ELSEWHERE_KEY ? 'elsewhere' : 'test',
      sessionId: undefined,
      scopes: new Set(scopes),
      expiresAt: undefined,
      networks: undefined,
      disabled: false,
    }
  },
  mayComeFrom: ({ keyId }: KeyIdentity) => keyId !== 'elsewhere',
}

const cookies = new Cookies({ isHttps: false })

function sessionOf(role: string | undefined): Caller | undefined {
  if (role !== 'admin' && role !== 'trader' && role !== 'viewer') return undefined
  return {
    kind: 'session',
    userId: `usr_${role}`,
    userName: role,
    role,
    account: 'default',
    keyId: undefined,
    sessionId: `ses_${role}`,
    scopes: new Set(SCOPES_OF_ROLE[role]),
  }
}

export interface TestOptions extends Omit<HttpOptions, 'pipeline'> {
  readonly now?: number
  /** Steps besides identifying and authorising the caller. */
  readonly pipeline?: Partial<Pipeline>
}

function testPipeline(now: number, more: Partial<Pipeline> = {}): Pipeline {
  const isForeign = ({ origin }: { origin?: string | undefined }) =>
    origin !== undefined && origin !== 'http://localhost'
  return {
    arrive: arrivals({ clock: new ManualClock(now), addressOf: (peer) => peer }),
    apiHeaders: { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
    programHeaders: { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
    beforeBody: [],
    beforeFields: [
      authenticator({ keys, sessionCaller: ({ headers }) => sessionOf(cookies.sessionToken(headers)), isForeign }),
      authorise,
    ],
    beforeHandler: [],
    afterHandler: [],
    beforeAnswer: [],
    afterAnswer: [],
    ...more,
  }
}

/** A server of these operations, in process, not listening. A service that isn't given is missing when used. */
export async function testApi(
  operations: readonly AnyOperation[],
  services: Partial<Services> = {},
  options: TestOptions = {},
): Promise<FastifyInstance> {
  const app = testServer(operations, services, options)
  await app.ready()
  return app
}

/** The same, for a test that mounts or listens itself. */
export function testServer(
  operations: readonly AnyOperation[],
  services: Partial<Services> = {},
  options: TestOptions = {},
): FastifyInstance {
  const { now = 0, pipeline: more, ...http } = options
  const pipeline = testPipeline(now, more)
  const app = createHttp({ ...http, pipeline })
  const all = { cookies, ...services } as Services // what a test uses without giving it fails there
  mountOperations(app, operations, { services: all, pipeline, clock: { now: () => now } })
  return app
}
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: {
    readonly code?: string
    readonly message?: string
    readonly errors?: unknown
    readonly data?: unknown
  }
  readonly text: string
}

/** Sends an input with the read key, unless the input or the headers carry one of their own. */
export async function call(
  app: FastifyInstance,
  name: string,
  input: object = {},
  key: string | undefined = ADMIN_KEY,
): Promise<Answer> {
  const payload = { ...(key === undefined ? {} : { apikey: key }), ...input }
  const answer = await app.inject({ method: 'POST', url: `/api/v1/${name}`, payload })
  return { status: answer.statusCode, headers: answer.headers, body: answer.json(), text: answer.payload }
}
