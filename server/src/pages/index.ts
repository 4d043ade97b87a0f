import type { FastifyInstance } from 'fastify'
import { homePage } from './home-page.ts'
import { sendPage } from './page.ts'

export { errorPage } from './error-page.ts'
export { sendPage } from './page.ts'

/** Adds the pages that a browser shows. */
export function mountPages(app: FastifyInstance): void {
  const home = homePage()
  app.get('/', (_request, reply) => {
    sendPage(reply, home)
  })
}
