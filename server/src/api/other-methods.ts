import type { FastifyInstance } from 'fastify'
import { Refusal } from '../kernel/errors.ts'

/** Answers 405 to every method of a path but those that it has, which the answer names. */
export function refuseOtherMethods(app: FastifyInstance, path: string, allowed: readonly string[]): void {
  app.route({
    method: app.supportedMethods.filter((method) => !allowed.includes(method)),
    url: path,
    onRequest: (request, reply, next) => {
      reply.header('allow', allowed.join(', '))
      next(
        new Refusal(
          'method_not_allowed',
          `${request.method} is not allowed for ${path}; use ${allowed.filter((method) => method !== 'OPTIONS').join(' or ')}.`,
        ),
      )
    },
    handler: neverReached,
  })
}

/** Handler of routes whose hook refuses every request. */
export const neverReached = (): never => {
  throw new Error('a request passed a hook that refuses every request')
}

/** Methods of what is only read. */
export const READING = ['GET', 'HEAD'] as const
