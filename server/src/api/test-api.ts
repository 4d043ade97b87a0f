import type { FastifyInstance } from 'fastify'
import { createHttp, type HttpOptions, mountOperations } from './http.ts'
import type { KeyCheck } from './middleware/authenticate.ts'
import type { AnyOperation, Scope } from './operation.ts'
import type { Services } from './services.ts'

/** Keys of the servers that tests build. */
export const READ_KEY = 'sk_read-0123456789'
export const TRADE_KEY = 'sk_trade-0123456789'
export const ADMIN_KEY = 'sk_admin-0123456789'
export const POWERLESS_KEY = 'sk_none-0123456789'

const SCOPES_OF = new Map<string, readonly Scope[]>([
  [READ_KEY, ['read']],
  [TRADE_KEY, ['trade']],
  [ADMIN_KEY, ['admin']],
  [POWERLESS_KEY, []],
])

const keys: KeyCheck = {
  check(key) {
    const scopes = SCOPES_OF.get(key)
    return scopes === undefined ? undefined : { keyId: 'test', account: 'default', scopes: new Set(scopes) }
  },
}

/** A server of these operations, in process, not listening. A service that isn't given is missing when used. */
export async function testApi(
  operations: readonly AnyOperation[],
  services: Partial<Services> = {},
  more: HttpOptions & { readonly now?: number } = {},
): Promise<FastifyInstance> {
  const app = createHttp(more)
  mountTestOperations(app, operations, services, more.now)
  await app.ready()
  return app
}

/** Mounts operations on a server with the keys above. */
export function mountTestOperations(
  app: FastifyInstance,
  operations: readonly AnyOperation[],
  services: Partial<Services> = {},
  now = 0,
): void {
  mountOperations(app, operations, services as Services, { keys, clock: { now: () => now } })
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
