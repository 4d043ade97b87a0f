import { html } from 'ghtml'
import { ACCOUNT_NAME_LENGTH_MAX, type OrderMode } from '../identity/accounts.ts'
import { isRole, SCOPES_OF_ROLE } from '../identity/caller.ts'
import { Refusal } from '../kernel/errors.ts'
import { form, hidden, input, radioButtons, submit, summary } from './fields.ts'
import { filled } from './form.ts'
import { pathWith } from './local-path.ts'
import { saying } from './notices.ts'
import type { AnswerOf, Page, PageContext, Status, View } from './page.ts'
import { NO_PROBLEMS, orAgain, type Problems } from './problems.ts'
import { facts, plain } from './shown.ts'

type Account = AnswerOf<'accounts'>['data'][number]

const OPEN_AT = '/account/accounts/new'
const MODE_AT = '/account/accounts/order-mode'
const LABELS = { name: 'Name', mode: 'Orders by key' }
const CANCEL = '<a class="button quiet" href="/account">Cancel</a>'

const MODES: Readonly<Record<OrderMode, { readonly label: string; readonly hint: string }>> = {
  auto: { label: 'Sent at once', hint: 'They go to the venue as soon as they are checked.' },
  semi_auto: {
    label: 'Wait for approval',
    hint: 'They are checked, and then wait until a person approves them. Changes and cancellations by key are refused.',
  },
}

/** Whether the role of who is signed in may place orders. */
export function mayTrade({ user }: Status): boolean {
  const role = user?.role ?? ''
  return isRole(role) && SCOPES_OF_ROLE[role].includes('trade')
}

/** The part of the account page about them; HTML. */
export function tradingAccounts(status: Status, accounts: readonly Account[]): string {
  const open = mayTrade(status) ? html`<a class="button quiet" href="${OPEN_AT}">New account</a>` : ''
  return html`<section class="card" aria-labelledby="accounts">
<div class="heading"><h2 id="accounts">Trading accounts</h2>!${open}</div>
<ul class="rows">!${accounts.map((account) => accountRow(account, mayTrade(status))).join('\n')}</ul>
</section>`
}

function accountRow({ id, name, venue, order_mode: mode }: Account, isChangeable: boolean): string {
  const change = isChangeable
    ? html`<a class="button quiet" href="${pathWith(MODE_AT, { account: id })}" aria-label="Change how orders by key are sent from ${name}">Change</a>`
    : ''
  return html`<li><div><h3>${name}</h3>!${facts([
    ['Id', html`<code>${id}</code>`],
    ['Venue', plain(venue)],
    [LABELS.mode, plain(labelOf(mode))],
  ])}</div>!${change}</li>`
}

const labelOf = (mode: string): string => MODES[mode === 'auto' ? 'auto' : 'semi_auto'].label

/** Throws role_missing, as the operations would after the form was filled in. */
function requireTrader(status: Status): void {
  if (!mayTrade(status))
    throw new Refusal('role_missing', `The role ${status.user?.role ?? ''} may not trade: this needs one that may.`)
}

const open: Page = {
  path: OPEN_AT,
  for: 'members',
  get(context) {
    requireTrader(context.status)
    return openView(context)
  },
  post(context) {
    return orAgain(
      context,
      ['name'],
      async () => {
        await context.ask('accounts/create', filled({ name: context.form.text('name') }))
        return { redirect: saying('/account', 'account-opened') }
      },
      (problems) => openView(context, problems),
    )
  },
}

function openView({ form: sent, csrfField }: PageContext, problems: Problems = NO_PROBLEMS): View {
  const body = [
    input(
      {
        name: 'name',
        label: LABELS.name,
        hint: `1 to ${ACCOUNT_NAME_LENGTH_MAX} letters, digits, spaces, dots, hyphens or underscores.`,
        value: sent.text('name'),
        lengthMax: ACCOUNT_NAME_LENGTH_MAX,
        isFirst: true,
      },
      problems,
    ),
    `<p class="actions">${submit('Open account')}${CANCEL}</p>`,
  ]
  return {
    title: 'New trading account',
    narrow: true,
    body: html`<section class="card">
<h1>New trading account</h1>
<p>On the paper exchange, with orders, positions and funds of its own. It can’t be removed again.</p>
!${summary(problems, LABELS)}!${form(OPEN_AT, csrfField(), body.join('\n'))}
</section>`,
  }
}

/** The account that a page is about. Throws account_not_found. */
async function accountOf({ ask }: PageContext, id: string): Promise<Account> {
  const { data: accounts } = await ask('accounts')
  const account = accounts.find((candidate) => candidate.id === id)
  if (account === undefined) throw new Refusal('account_not_found', `You have no account "${id.slice(0, 64)}".`)
  return account
}

const orderMode: Page = {
  path: MODE_AT,
  for: 'members',
  formAt: '/account',
  async get(context) {
    requireTrader(context.status)
    return modeView(context, await accountOf(context, context.query.get('account') ?? ''))
  },
  async post(context) {
    const { form: sent, ask } = context
    const account = await accountOf(context, sent.text('account'))
    return await orAgain(
      context,
      ['mode'],
      async () => {
        const { data } = await ask('accounts/order-mode', filled({ account: account.id, mode: sent.text('mode') }))
        return { redirect: saying('/account', data.order_mode === 'auto' ? 'orders-at-once' : 'orders-wait') }
      },
      (problems) => modeView(context, account, problems),
    )
  },
}

function modeView({ form: sent, csrfField }: PageContext, account: Account, problems: Problems = NO_PROBLEMS): View {
  const body = [
    hidden('account', account.id),
    radioButtons(
      {
        name: 'mode',
        label: LABELS.mode,
        value: sent.text('mode') || account.order_mode,
        options: Object.entries(MODES).map(([value, { label, hint }]) => ({ value, label, hint })),
      },
      problems,
    ),
    `<p class="actions">${submit('Change')}${CANCEL}</p>`,
  ]
  return {
    title: 'Orders by key',
    narrow: true,
    body: html`<section class="card">
<h1>Orders by key from ${account.name}</h1>
<p>What you send yourself, signed in, is never held. Orders that wait are listed and decided with the <code>approvals</code> operations of the <a href="/api/v1/">API</a>.</p>
!${summary(problems, LABELS)}!${form(MODE_AT, csrfField(), body.join('\n'))}
</section>`,
  }
}

export const tradingAccountPages: readonly Page[] = [open, orderMode]
