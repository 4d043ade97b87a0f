import { STATUS_CODES } from 'node:http'
import { escapeHtml, page } from './page.ts'

/** The page a browser gets instead of the one it asked for. */
export function errorPage(status: number, message: string, requestId: string): string {
  const title = STATUS_CODES[status] ?? 'Error'
  return page(
    `${title} · Sauda`,
    `<p class="status">${status}</p>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(message)}</p>
<p><code>${escapeHtml(requestId)}</code></p>
<ul><li><a href="/">Back to the start</a></li></ul>`,
  )
}
