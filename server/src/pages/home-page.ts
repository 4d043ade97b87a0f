import { html } from 'ghtml'
import { Refusal } from '../kernel/errors.ts'
import type { AnswerOf, OperationName, Page, PageContext, View } from './page.ts'
import { copyable, curlFunds, curlOrder, facts, plain, rupees } from './shown.ts'
import { mayTrade } from './trading-account-pages.ts'

/** How things stand, where everything is, and what to do first. */
export const homePage: Page = {
  path: '/',
  for: 'everybody',
  get: (context) => (context.status.user === null ? welcomeView() : overview(context, context.status.user)),
}

const DOCS_LINKS = `<li><a href="/api/v1/">API documentation</a><small>Every operation, with requests to try from the browser</small></li>
<li><a href="/api/v1/openapi.json">OpenAPI document</a><small>For code generators and API tools</small></li>`

const welcomeView = (): View => ({
  title: 'Welcome',
  narrow: true,
  data: { set_up: true, authenticated: false },
  body: html`<section class="card">
<h1>Sauda</h1>
<p>A self-hosted trading API platform with a built-in paper exchange. Programs that speak OpenAlgo’s API work by changing only the host.</p>
<p class="actions"><a class="button" href="/login">Sign in</a></p>
<ul class="links">!${DOCS_LINKS}</ul>
</section>`,
})

/** An answer, or in its place why there is none. */
async function orWhyNot<Name extends OperationName>(
  context: PageContext,
  name: Name,
): Promise<AnswerOf<Name> | Refusal> {
  try {
    return await context.ask(name)
  } catch (error) {
    if (error instanceof Refusal && error.code !== 'session_missing') return error
    throw error
  }
}

const HEALTH: Readonly<Record<string, string>> = {
  pass: 'All checks pass',
  warn: 'Running, with warnings',
  fail: 'A check fails',
}

async function overview(context: PageContext, user: { readonly name: string; readonly role: string }): Promise<View> {
  const { status, origin } = context
  const { data: keys } = await context.ask('keys')
  const funds = await orWhyNot(context, 'funds')
  const health = user.role === 'admin' ? await orWhyNot(context, 'health') : undefined
  const cash = funds instanceof Refusal ? plain(funds.message) : plain(rupees(funds.data.availablecash))
  const rows: [string, string][] = [
    ['Signed in as', html`${user.name} <span class="tag">${user.role}</span>`],
    ['Account', html`<code>${status.account}</code>`],
    ['Available cash', cash],
  ]
  if (health !== undefined && !(health instanceof Refusal)) {
    const { state } = health.data
    rows.push(['Instance', html`<span class="state state-${state}">${HEALTH[state] ?? state}</span>`])
  }
  return {
    title: 'Home',
    data: {
      ...status,
      api_keys: keys.length,
      available_cash: funds instanceof Refusal ? null : funds.data.availablecash,
      links: { documentation: '/api/v1/', openapi: '/api/v1/openapi.json' },
    },
    body: html`<h1>Home</h1>
<section class="card" aria-labelledby="status">
<h2 id="status">Status</h2>
!${facts(rows)}
</section>
<section class="card" aria-labelledby="first-steps">
<h2 id="first-steps">First steps</h2>
<ol class="steps">
!${step('Turn on two-step sign-in', status.totp_enabled, '/account/totp', 'A password alone can be guessed or stolen.')}
!${step('Create an API key', keys.length > 0, '/keys/new', `You have ${keys.length === 1 ? '1 key' : `${keys.length} keys`}. A key’s text is shown once, when it is made.`)}
!${firstCall(origin, mayTrade(status))}
</ol>
</section>
<section class="card" aria-labelledby="more">
<h2 id="more">For programs</h2>
<p>Address of the API, for client libraries and charting tools: <code>${origin}</code></p>
<ul class="links">!${DOCS_LINKS}</ul>
</section>`,
  }
}

/** From a terminal, with a key; who may not trade asks for the funds. */
function firstCall(origin: string, isTrader: boolean): string {
  const [name, where] = isTrader
    ? ['Send your first order', 'On the paper exchange, at any hour.']
    : ['Ask for your funds', 'From a terminal.']
  const command = isTrader
    ? copyable('the command of the first order', curlOrder(origin, 'sk_…'))
    : copyable('a command that shows your funds', curlFunds(origin, 'sk_…'))
  return html`<li><strong>${name}</strong><p>${where} Put your key in place of <code>sk_…</code>.</p>
!${command}</li>`
}

function step(name: string, isDone: boolean, path: string, why: string): string {
  const done = isDone ? ' <span class="state state-pass">Done</span>' : ''
  return html`<li><strong><a href="${path}">${name}</a></strong>!${done}<p>${why}</p></li>`
}
