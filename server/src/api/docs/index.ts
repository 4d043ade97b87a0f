import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import { API_PREFIX } from '../http.ts'
import { openApiDocument } from '../openapi.ts'
import type { AnyOperation } from '../operation.ts'
import { READING, refuseOtherMethods } from '../other-methods.ts'

export interface DocsOptions {
  readonly version: string
  /** Id of the first order that a fresh instance would place now. */
  readonly firstOrderId: () => string
  /** Of NIFTY's options, as requests write it. Asked when the document is made. */
  readonly nextExpiry: () => string
  /** Headers of the page, its content security policy among them. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Swagger UI's own files. The package is a plugin; we take nothing of it but these files, which it redistributes without
 * the install-time tracker of the original, and which are read when somebody asks for them.
 */
const { resolve } = createRequire(import.meta.url)
const FILES: Readonly<Record<string, { readonly path: string; readonly type: string }>> = {
  'swagger-ui.css': { path: resolve('@fastify/swagger-ui/static/swagger-ui.css'), type: 'text/css; charset=utf-8' },
  'swagger-ui-bundle.js': {
    path: resolve('@fastify/swagger-ui/static/swagger-ui-bundle.js'),
    type: 'text/javascript; charset=utf-8',
  },
  'docs.css': { path: fileURLToPath(new URL('./docs.css', import.meta.url)), type: 'text/css; charset=utf-8' },
  'start.js': { path: fileURLToPath(new URL('./start.js', import.meta.url)), type: 'text/javascript; charset=utf-8' },
}
const FOR_EVER = 'public, max-age=31536000, immutable'

/** Adds the OpenAPI document at `/api/v1/openapi.json` and interactive documentation at `/api/v1/`. */
export function mountDocs(app: FastifyInstance, operations: readonly AnyOperation[], options: DocsOptions): void {
  let made: { readonly firstOrderId: string; readonly text: string } | undefined
  const textToday = (): string => {
    const firstOrderId = options.firstOrderId()
    if (made?.firstOrderId !== firstOrderId) {
      const document = openApiDocument(operations, {
        version: options.version,
        firstOrderId,
        nextExpiry: options.nextExpiry(),
      })
      made = { firstOrderId, text: JSON.stringify(document) }
    }
    return made.text
  }
  app.get(`${API_PREFIX}/openapi.json`, (_request, reply) => {
    reply.header('cache-control', 'no-cache').type('application/json; charset=utf-8').send(textToday())
  })

  refuseOtherMethods(app, `${API_PREFIX}/openapi.json`, READING)

  const folder = `${API_PREFIX}/static/${versionOfFiles()}`
  const page = indexPage(folder)
  app.get(API_PREFIX, (_request, reply) => {
    reply.headers(options.headers).type('text/html; charset=utf-8').send(page)
  })
  refuseOtherMethods(app, API_PREFIX, READING)
  for (const [name, { path, type }] of Object.entries(FILES)) {
    app.get(`${folder}/${name}`, (_request, reply) => {
      reply.header('cache-control', FOR_EVER).type(type).send(createReadStream(path))
    })
    refuseOtherMethods(app, `${folder}/${name}`, READING)
  }
}

/** Part of the files' addresses, so that browsers may keep them until a release brings others. */
function versionOfFiles(): string {
  const { version } = JSON.parse(readFileSync(resolve('@fastify/swagger-ui/package.json'), 'utf8')) as {
    version: string
  }
  const hash = createHash('sha256').update(version)
  for (const name of ['docs.css', 'start.js']) hash.update(readFileSync(new URL(name, import.meta.url)))
  return hash.digest('base64url').slice(0, 10)
}

const indexPage = (folder: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>Sauda API</title>
<meta name="robots" content="noindex">
<link rel="stylesheet" href="${folder}/swagger-ui.css">
<link rel="stylesheet" href="${folder}/docs.css">
</head>
<body>
<nav class="swagger-ui" aria-label="Sauda"><p class="wrapper"><a class="link" href="/">Sauda: home, account and keys</a></p></nav>
<div id="swagger-ui" data-document="${API_PREFIX}/openapi.json"></div>
<noscript>These pages need JavaScript. The API is also described by <a href="${API_PREFIX}/openapi.json">its OpenAPI document</a>.</noscript>
<script src="${folder}/swagger-ui-bundle.js"></script>
<script src="${folder}/start.js"></script>
</body>
</html>
`
