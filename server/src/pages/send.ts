import type { FastifyReply } from 'fastify'
import { securityHeaders } from '../api/middleware/security-headers.ts'

/** When the composition root gives none: those of an instance that is reached over plain http. */
const HEADERS = securityHeaders({ publicUrl: '' }).page

/** Answers with a page. */
export function sendPage(reply: FastifyReply, page: string, headers: Readonly<Record<string, string>> = HEADERS): void {
  reply.headers(headers).type('text/html; charset=utf-8').send(page)
}
