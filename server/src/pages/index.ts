import type { FastifyInstance } from 'fastify'
import { homePage } from './home-page.ts'

/** Adds the pages that a browser shows. */
export function mountPages(app: FastifyInstance): void {
  const home = homePage()
  app.get('/', (_request, reply) => {
    reply.type('text/html; charset=utf-8').send(home)
  })
}
