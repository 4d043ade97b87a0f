import formbody from '@fastify/formbody'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { prefersJson } from '../api/errors.ts'
import type { Headers } from '../api/middleware/security-headers.ts'
import { refuseOtherMethods } from '../api/other-methods.ts'
import type { Visit } from '../api/visit.ts'
import { assert } from '../kernel/assert.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { hidden } from './fields.ts'
import { Form } from './form.ts'
import { layout } from './layout.ts'
import { localPath, pathWith } from './local-path.ts'
import { noticeText, saying } from './notices.ts'
import type { AnswerOf, Call, OperationName, Page, PageContext, Reaction, View } from './page.ts'
import { sendPage } from './send.ts'
import { ShownOnce } from './shown-once.ts'
import { statusText } from './status-text.ts'

/** No form has more. */
export const FORM_BYTES_MAX = 16 * 1024
const ORIGIN_HOST = /^[a-z0-9.-]{1,253}(:\d{1,5})?$|^\[[0-9a-f:.]{2,45}\](:\d{1,5})?$/i

/** Part of an address that names what is shown there once. */
const ONCE = 'once'

export interface PagesOptions {
  readonly clock: Clock
  readonly call: Call
  readonly csrf: {
    tokenFor(visit: Visit): string
    /** Throws csrf_failed. */
    check(visit: Visit, token: string | undefined): void
  }
  /** Whether a browser sends this on behalf of another site. */
  readonly isForeign: (headers: Visit['headers']) => boolean
  /** Of pages; and of the files that they load, which say themselves how long they may be kept. */
  readonly headers: Headers
  readonly assetHeaders: Headers
  /** Where browsers find Sauda, without a slash at the end. */
  readonly publicUrl: () => string
}

/** Adds a route for each method of each page, and the answer for the methods that it doesn't have. */
export function mountEach(app: FastifyInstance, pages: readonly Page[], options: PagesOptions): void {
  const shownOnce = new ShownOnce(options.clock)
  app.addHook('onClose', (_app, done) => {
    shownOnce.close()
    done()
  })
  app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (request, _payload, parsed) => {
      parsed(new Refusal('unsupported_media_type', notAForm(request.headers['content-type'])))
    })
    scope.register(formbody, { parser: (text) => ({ fields: new URLSearchParams(text) }) })
    for (const page of pages) mountPage(scope, page, { ...options, shownOnce })
    done()
  })
}

const notAForm = (type = ''): string =>
  `Pages take forms, application/x-www-form-urlencoded, and not "${type.slice(0, 64)}". Programs use /api/v1/.`

interface Mounting extends PagesOptions {
  readonly shownOnce: ShownOnce
}

function mountPage(scope: FastifyInstance, page: Page, options: Mounting): void {
  const { path: url, get, post } = page
  const allowed = [...(get === undefined ? [] : ['GET', 'HEAD']), ...(post === undefined ? [] : ['POST'])]
  if (get !== undefined) {
    scope.get(url, async (request, reply) => {
      const context = await contextOf(page, options, request)
      await answer(options, context, reply, ledElsewhere(page, context) ?? (await get(context)))
      return reply
    })
  }
  if (post !== undefined) {
    scope.post(url, { bodyLimit: FORM_BYTES_MAX }, async (request, reply) => {
      const visit = arrived(page, request)
      if (options.isForeign(visit.headers)) {
        throw new Refusal(
          'cross_origin',
          'This form was sent by another site. Open Sauda’s own page and send it there.',
        )
      }
      const form = formOf(request)
      const context = await contextOf(page, options, request, form)
      const elsewhere = ledElsewhere(page, context)
      // A form of a session that is over, or from before it began, does nothing: it leads on, rather than to an error
      if (elsewhere === undefined) options.csrf.check(visit, form.secret('csrf'))
      await answer(options, context, reply, elsewhere ?? (await posted(page, context, post)))
      return reply
    })
  }
  refuseOtherMethods(scope, url, allowed)
}

function arrived({ path }: Page, { visit }: FastifyRequest): Visit {
  assert(visit !== undefined, 'a request reached its page without arriving')
  visit.route = path
  return visit
}

function formOf({ body }: FastifyRequest): Form {
  const { fields } = (body ?? {}) as { fields?: URLSearchParams } // made by the only parser that these routes have
  return new Form(fields)
}

async function contextOf(
  page: Page,
  { call, csrf, publicUrl, shownOnce }: Mounting,
  request: FastifyRequest,
  form = new Form(),
): Promise<PageContext> {
  const visit = arrived(page, request)
  const ask = async <Name extends OperationName>(name: Name, input: object = {}): Promise<AnswerOf<Name>> =>
    (await call(name, input, visit)) as AnswerOf<Name> // what the operation's own types say
  const { data: status } = await ask('auth/status') // which finds out who asks
  const query = new URLSearchParams(visit.url.slice(visit.path.length))
  const wantsJson = prefersJson(visit.headers.accept)
  return {
    visit,
    form,
    ask,
    status,
    query,
    wantsJson,
    origin: originOf(publicUrl(), visit),
    showOnce(path, view) {
      if (wantsJson) return view
      const { sessionId } = visit.caller
      assert(sessionId !== undefined, 'a secret is shown to somebody who is not signed in')
      return { redirect: pathWith(path, { [ONCE]: shownOnce.keep(sessionId, view) }) }
    },
    takeOnce() {
      const { sessionId } = visit.caller
      const name = query.get(ONCE)
      if (name === null || sessionId === undefined || visit.method !== 'GET') return undefined
      return shownOnce.take(sessionId, name)
    },
    csrfField: () => hidden('csrf', csrf.tokenFor(visit)),
  }
}

/** Where this browser finds us: by the name it used, unless there is a proxy between that may use another one. */
function originOf(publicUrl: string, { headers: { host = '' } }: Visit): string {
  return publicUrl.startsWith('https:') || !ORIGIN_HOST.test(host) ? publicUrl : `http://${host}`
}

/** Where who may not see a page now is led instead; a program is told why. */
function ledElsewhere(page: Page, { status, visit, form, query, wantsJson }: PageContext): Reaction | undefined {
  if (!status.set_up && page.isSetUp !== true) {
    if (wantsJson) throw new Refusal('not_set_up', 'Set the instance up first, with the link that its start prints.')
    return { redirect: '/setup' }
  }
  if (status.set_up && page.isSetUp === true) return { redirect: status.authenticated ? '/' : '/login' }
  if (page.for === 'guests' && status.authenticated) {
    return { redirect: localPath(form.text('next')) ?? localPath(query.get('next')) ?? '/' }
  }
  if (page.for === 'members' && !status.authenticated) {
    if (wantsJson) throw new Refusal('session_missing', 'Sign in first: this needs a signed-in person.')
    return toLogin(page, visit)
  }
  return undefined
}

/** To sign in, and from there back to what was asked for. */
function toLogin(page: Page, visit: Visit): Reaction {
  const back = visit.method === 'POST' ? (page.formAt ?? page.path) : visit.url
  const next = back === '/' || back === '/logout' ? undefined : localPath(back)
  const login = pathWith('/login', { next })
  return { redirect: visit.method === 'POST' ? saying(login, 'session-over') : login }
}

/** A session may end between the first look at it and the operation. */
async function posted(page: Page, context: PageContext, post: NonNullable<Page['post']>): Promise<Reaction> {
  try {
    return await post(context)
  } catch (error) {
    if (context.wantsJson || !(error instanceof Refusal) || error.code !== 'session_missing') throw error
    return toLogin(page, context.visit)
  }
}

async function answer(
  options: PagesOptions,
  context: PageContext,
  reply: FastifyReply,
  reaction: Reaction,
): Promise<void> {
  const { headers } = options
  if ('redirect' in reaction) {
    reply.headers(headers)
    if (context.wantsJson)
      reply.send({ status: 'success', message: noticeOf(reaction.redirect), next: reaction.redirect })
    else reply.redirect(reaction.redirect, 303)
    return
  }
  reply.code(reaction.status ?? 200).headers(reaction.headers ?? {})
  if (context.wantsJson) reply.headers(headers).send({ status: 'success', data: dataOf(reaction) })
  else sendPage(reply, layout(reaction, context, noticeText(context.query.get('done'))), headers)
}

const dataOf = ({ data, title }: View): unknown => data ?? { title }

const noticeOf = (path: string): string =>
  noticeText(new URL(path, 'http://sauda.invalid').searchParams.get('done')) || statusText(303)
