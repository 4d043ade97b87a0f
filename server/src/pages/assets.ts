import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import { READING, refuseOtherMethods } from '../api/other-methods.ts'

interface Asset {
  readonly path: string
  readonly version: string
  readonly type: string
  readonly bytes: Buffer
}

const FOR_EVER = 'public, max-age=31536000, immutable'

function read(name: string, type: string): Asset {
  const bytes = readFileSync(new URL(name, import.meta.url))
  const version = createHash('sha256').update(bytes).digest('base64url').slice(0, 12)
  return { path: `/assets/${name}`, version, type, bytes }
}

const assets = {
  style: read('sauda.css', 'text/css; charset=utf-8'),
  script: read('sauda.js', 'text/javascript; charset=utf-8'),
  mark: read('sauda.svg', 'image/svg+xml'),
} as const

/** Address of a file that pages load. It changes with the content, so that browsers may keep it. */
export const assetUrl = (name: keyof typeof assets): string => `${assets[name].path}?v=${assets[name].version}`

/** Where browsers look for a picture of what isn't a page, such as an answer of the API. */
const FAVICON = { ...assets.mark, path: '/favicon.ico' }

/** Adds the files that pages load. */
export function mountAssets(app: FastifyInstance, headers: Readonly<Record<string, string>>): void {
  for (const { path, version, type, bytes } of [...Object.values(assets), FAVICON]) {
    app.get<{ Querystring: { v?: unknown } }>(path, ({ query, visit }, reply) => {
      if (visit !== undefined) visit.route = path
      const isThisVersion = query.v === version
      reply
        .headers({ ...headers, 'cache-control': isThisVersion ? FOR_EVER : 'no-cache' })
        .type(type)
        .send(bytes)
    })
    refuseOtherMethods(app, path, READING)
  }
}
