import swagger, { type StaticDocumentSpec } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { API_PREFIX } from '../http.ts'
import { type OpenApiOptions, openApiDocument } from '../openapi.ts'
import type { AnyOperation } from '../operation.ts'

/** Only this server's own files; Swagger UI sets styles from script. */
const CONTENT_SECURITY_POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:",
  'font-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'self'",
  'frame-ancestors': "'none'",
}

export interface DocsOptions {
  readonly version: string
  /** Id of the first order that a fresh instance would place now. */
  readonly firstOrderId: () => string
}

/** Adds the OpenAPI document at `/api/v1/openapi.json` and interactive documentation at `/api/v1/`. */
export function mountDocs(app: FastifyInstance, operations: readonly AnyOperation[], options: DocsOptions): void {
  let made: { readonly firstOrderId: string; readonly text: string } | undefined
  const textToday = (): string => {
    const firstOrderId = options.firstOrderId()
    if (made?.firstOrderId !== firstOrderId) {
      const document = openApiDocument(operations, { version: options.version, firstOrderId })
      made = { firstOrderId, text: JSON.stringify(document) }
    }
    return made.text
  }
  app.get(`${API_PREFIX}/openapi.json`, (_request, reply) => {
    reply.header('cache-control', 'no-cache').type('application/json; charset=utf-8').send(textToday())
  })
  app.register(swagger, {
    mode: 'static',
    specification: { document: document as unknown as StaticDocumentSpec['document'] },
  })
  app.register(swaggerUi, {
    routePrefix: API_PREFIX,
    staticCSP: CONTENT_SECURITY_POLICY,
    theme: { title: 'Sauda API' },
    uiConfig: { docExpansion: 'list', deepLinking: true, tryItOutEnabled: true, displayRequestDuration: true },
  })
}
