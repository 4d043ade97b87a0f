import type { FastifyReply } from 'fastify'
import { html } from 'ghtml'
import { layout } from './layout.ts'
import { localPath } from './local-path.ts'
import { sendPage } from './send.ts'
import { statusText } from './status-text.ts'

/** What happened, for a person; the exact message follows it. */
const TITLES: Readonly<Record<number, string>> = {
  400: 'That request can’t be read',
  401: 'Sign in first',
  403: 'That isn’t allowed',
  404: 'There is no such page',
  405: 'That page can’t be used this way',
  408: 'That took too long',
  409: 'That can’t be done now',
  413: 'That is too much at once',
  415: 'That isn’t a form',
  429: 'Too many requests',
  500: 'Something went wrong',
  503: 'Not available just now',
}

/** What a person can do about it. */
const ADVICE: Readonly<Record<number, string>> = {
  401: 'Sign in, then try again.',
  404: 'Check the address, or begin at the start page.',
  405: 'Begin at the start page and use its links and buttons.',
  429: 'Wait a little, then load the page again.',
  500: 'It isn’t your doing. Try again; if it stays, look for the request id in the log.',
  503: 'Try again in a few seconds.',
}

export interface ErrorPageOptions {
  /** A page of ours that the browser came from. */
  readonly back?: string | undefined
}

/** The page a browser gets instead of the one it asked for. */
export function errorPage(status: number, message: string, requestId: string, { back }: ErrorPageOptions = {}): string {
  const advice = ADVICE[status]
  const ways =
    back === undefined
      ? '<a class="button" href="/">Start page</a>'
      : html`<a class="button" href="${back}">Go back</a><a class="button quiet" href="/">Start page</a>`
  const body = html`<section class="card">
<p class="status">${status} ${statusText(status)}</p>
<h1>${TITLES[status] ?? statusText(status)}</h1>
<p>${message}</p>
!${advice === undefined ? '' : html`<p>${advice}</p>`}
<p class="actions">!${ways}</p>
<p class="request-id">Request id <code>${requestId}</code></p>
</section>`
  return layout({ title: TITLES[status] ?? `Error ${status}`, body, narrow: true })
}

/** Shows people what went wrong, with a way back to the page of ours that they came from. */
export const errorPages =
  (headers: Readonly<Record<string, string>>) =>
  (reply: FastifyReply, status: number, message: string, requestId: string): void =>
    sendPage(reply, errorPage(status, message, requestId, { back: cameFrom(reply) }), headers)

function cameFrom({ request }: FastifyReply): string | undefined {
  const { referer, host } = request.headers
  if (referer === undefined || host === undefined || !URL.canParse(referer)) return undefined
  const { host: from, pathname, search } = new URL(referer)
  const path = from === host ? localPath(`${pathname}${search}`) : undefined
  return path === request.url ? undefined : path
}
