import { randomBytes } from 'node:crypto'
import { html } from 'ghtml'
import { STATUS_OF } from '../api/errors.ts'
import { type Role, SCOPES_OF_ROLE } from '../identity/caller.ts'
import { KEY_DAYS_MAX, KEY_NAME_LENGTH_MAX } from '../identity/key-store.ts'
import { PASSWORD_LENGTH_MAX } from '../identity/password.ts'
import type { Scope } from '../identity/scope.ts'
import { Refusal } from '../kernel/errors.ts'
import { checkBoxes, form, hidden, input, select, submit, summary, whose } from './fields.ts'
import { filled } from './form.ts'
import { pathWith } from './local-path.ts'
import { saying } from './notices.ts'
import type { AnswerOf, Page, PageContext, View } from './page.ts'
import { NO_PROBLEMS, orAgain, type Problems } from './problems.ts'
import { copyable, curlFunds, curlOrder, facts, instant, plain, textFact } from './shown.ts'

type Key = AnswerOf<'keys'>['data'][number]
type CreatedKey = AnswerOf<'keys/create'>['data']

const LABELS = {
  name: 'Name',
  scopes: 'What it may do',
  account: 'Account',
  expires_days: 'Days until it expires',
  networks: 'Only from these IP addresses',
  overlap_hours: 'How long the old key still works',
  password: 'Password',
}

const SCOPE_HINTS: Readonly<Record<Scope, string>> = {
  read: 'Prices, orders, positions and funds.',
  trade: 'Place, change and cancel orders, and read.',
  admin: 'Everything, the settings of the instance included.',
}

const list: Page = {
  path: '/keys',
  for: 'members',
  async get({ ask, visit }) {
    const { data: keys } = await ask('keys')
    return listView(keys, visit.at)
  },
}

function listView(keys: readonly Key[], now: number): View {
  const none = '<p>You have no key. Programs, charting tools and spreadsheets sign their requests with one.</p>'
  const rows = html`<ul class="rows">!${keys.map((key) => keyRow(key, now)).join('\n')}</ul>`
  return {
    title: 'API keys',
    data: keys,
    body: html`<div class="heading"><h1>API keys</h1><a class="button" href="/keys/new">New key</a></div>
<section class="card" aria-label="Your keys">
!${keys.length === 0 ? none : rows}
</section>`,
  }
}

function keyRow(key: Key, now: number): string {
  const { id, name } = key
  const isReplaced = key.replaced_by !== null
  const replace = isReplaced
    ? ''
    : html`<a class="button quiet" href="${pathWith('/keys/rotate', { id })}" aria-label="Replace ${name}">Replace</a>`
  return html`<li><div><h2 class="row-name">${name} !${stateOf(key, now)}</h2>
!${keyFacts(key)}</div><div class="actions">!${replace}<a class="button quiet danger" href="${pathWith('/keys/revoke', { id })}" aria-label="Revoke ${name}">Revoke</a></div></li>`
}

function stateOf({ expires_at: expiresAt, revoked_at: revokedAt }: Key, now: number): string {
  if (expiresAt !== null && expiresAt <= now) return '<span class="state state-fail">Expired</span>'
  if (revokedAt !== null) return '<span class="state state-warn">Replaced</span>'
  return '<span class="state state-pass">Active</span>'
}

const keyFacts = (key: Key): string =>
  facts([
    ['Id', html`<code>${key.id}</code>`],
    ['Scopes', plain(key.scopes.join(', '))],
    ['Account', html`<code>${key.account}</code>`],
    ['Created', instant(key.created_at)],
    ['Last used', key.last_used_at === null ? 'Never' : instant(key.last_used_at)],
    ['Expires', key.expires_at === null ? 'Never' : instant(key.expires_at)],
    ...(key.revoked_at === null ? [] : [['Works until', instant(key.revoked_at)] as const]),
    textFact('IP addresses', key.networks === '' ? 'Any' : key.networks.replaceAll(',', ', ')),
  ])

const create: Page = {
  path: '/keys/new',
  for: 'members',
  get: (context) => createView(context),
  post(context) {
    const { form: sent, ask } = context
    return onceOnly(
      context,
      Object.keys(LABELS),
      async () => {
        await confirmIfAsked(context)
        const wanted = {
          name: sent.text('name'),
          account: sent.text('account'),
          expires_days: sent.text('expires_days'),
          networks: sent.text('networks'),
          [REQUEST_ID]: sent.text(REQUEST_ID),
        }
        const { data } = await ask('keys/create', { ...filled(wanted), scopes: sent.all('scopes') })
        return createdView(context, data)
      },
      (problems) => createView(context, ticked(sent.all('scopes'), problems)),
    )
  },
}

/** Name of the field that makes each form its own: sent again, one that made a key makes no second. */
const REQUEST_ID = 'client_request_id'
const REQUEST_ID_BYTES = 16

/** A new one for a form that is shown anew; the same when it is shown again with what was wrong. */
const requestIdField = ({ form: sent }: PageContext): string =>
  hidden(REQUEST_ID, sent.text(REQUEST_ID) || randomBytes(REQUEST_ID_BYTES).toString('base64url'))

/** As `orAgain`, of a form that makes a key: shows the key that it made when it is sent again. */
const onceOnly: typeof orAgain = (context, shown, act, again) =>
  orAgain(
    context,
    shown,
    async () => {
      try {
        return await act()
      } catch (error) {
        if (context.wantsJson || !(error instanceof Refusal) || error.code !== 'key_exists') throw error
        context.visit.errorCode = error.code
        return await madeView(context, String(error.extra['key_id']))
      }
    },
    again,
  )

/** For who sends a form again that made a key: by a reload, the way back, or because its answer got lost. */
async function madeView({ ask, visit }: PageContext, id: string): Promise<View> {
  const { data: keys } = await ask('keys')
  const key = keys.find((candidate) => candidate.id === id)
  const more =
    key === undefined
      ? html`<p>The key <code>${id}</code> has been revoked or replaced since.</p>`
      : html`<p>If you haven’t copied it, replace the key or revoke it.</p>
<ul class="rows">!${keyRow(key, visit.at)}</ul>`
  return {
    title: 'This form has made its key',
    status: STATUS_OF.key_exists,
    body: html`<h1>This form has made its key</h1>
<section class="card" aria-label="The key">
<p>It was sent again, and made no second one. <strong>The text of the key was shown once and can’t be shown again</strong>: it is kept nowhere.</p>
!${more}
<p class="actions"><a class="button" href="/keys">Your keys</a><a class="button quiet" href="/keys/new">New key</a></p>
</section>`,
  }
}

/** The password, when the form asked for it. */
async function confirmIfAsked({ form: sent, ask }: PageContext): Promise<void> {
  const password = sent.secret('password')
  if (password !== '') await ask('auth/confirm', { password })
}

/** Shown once an operation has said that it wants the password again. */
function passwordAgain({ form: sent, status }: PageContext, problems: Problems): string {
  const isWanted = problems.code === 'reauthentication_required' || sent.secret('password') !== ''
  if (!isWanted) return ''
  const field = input(
    {
      name: 'password',
      label: LABELS.password,
      hint: 'Again, because it is a while since you gave it.',
      type: 'password',
      autocomplete: 'current-password',
      lengthMax: PASSWORD_LENGTH_MAX,
      isFirst: true,
    },
    problems,
  )
  return `${whose(status)}\n${field}`
}

/** With words for a person where the operation counts items. */
function ticked(scopes: readonly string[], problems: Problems): Problems {
  if (scopes.length > 0 || !problems.fields.has('scopes')) return problems
  return { ...problems, fields: new Map([...problems.fields, ['scopes', 'Tick one at least.']]) }
}

async function createView(context: PageContext, problems: Problems = NO_PROBLEMS): Promise<View> {
  const { form: sent, csrfField, status, visit } = context
  const { data: accounts } = await context.ask('accounts')
  const isFirstTime = visit.method !== 'POST'
  const allowed = SCOPES_OF_ROLE[(status.user?.role ?? 'viewer') as Role] ?? []
  const body = [
    requestIdField(context),
    passwordAgain(context, problems),
    input(
      {
        name: 'name',
        label: LABELS.name,
        hint: 'What it is for, such as “chart alerts”.',
        value: sent.text('name'),
        lengthMax: KEY_NAME_LENGTH_MAX,
        isFirst: isFirstTime,
      },
      problems,
    ),
    checkBoxes(
      {
        name: 'scopes',
        label: LABELS.scopes,
        values: isFirstTime ? ['read'] : sent.all('scopes'),
        options: allowed.map((scope) => ({ value: scope, label: scope, hint: SCOPE_HINTS[scope] })),
      },
      problems,
    ),
    accounts.length < 2
      ? ''
      : select(
          {
            name: 'account',
            label: LABELS.account,
            value: sent.text('account') || status.account,
            options: accounts.map(({ id, name, venue }) => ({ value: id, label: `${name} (${venue})` })),
          },
          problems,
        ),
    input(
      {
        name: 'expires_days',
        label: LABELS.expires_days,
        hint: `1 to ${KEY_DAYS_MAX}. Left empty, it works until you revoke it.`,
        value: sent.text('expires_days'),
        inputMode: 'numeric',
        lengthMax: 4,
        isOptional: true,
      },
      problems,
    ),
    input(
      {
        name: 'networks',
        label: LABELS.networks,
        hint: 'Addresses or networks with commas between them, such as 192.0.2.7, 10.0.0.0/8. Left empty, from any.',
        value: sent.text('networks'),
        isOptional: true,
        isCode: true,
      },
      problems,
    ),
    `<p class="actions">${submit('Create key')}<a class="button quiet" href="/keys">Cancel</a></p>`,
  ]
  return {
    title: 'New API key',
    narrow: true,
    body: html`<section class="card">
<h1>New API key</h1>
!${summary(problems, LABELS)}!${form('/keys/new', csrfField(), body.join('\n'))}
</section>`,
  }
}

function createdView({ origin }: PageContext, created: CreatedKey, old?: Key | 'refused'): View {
  const { key, name, scopes, replaced_by: _, ...rest } = created
  const order = scopes.includes('read') && scopes.length === 1 ? '' : curlOrder(origin, key)
  return {
    title: 'Your new key',
    data: created,
    body: html`<h1>Your new key</h1>
<section class="card" aria-label="The key">
<p><strong>It is shown this once.</strong> Copy it to where <strong>${name}</strong> runs. Whoever has it can act for you: treat it like a password.</p>
!${copyable('the key', key)}
!${old === undefined ? '' : replacedNote(old)}
<p class="actions"><a class="button" href="/keys">I have copied it</a></p>
</section>
<section class="card" aria-labelledby="try">
<h2 id="try">Try it</h2>
!${order === '' ? copyable('a command that shows your funds', curlFunds(origin, key)) : copyable('the command of the first order', order)}
</section>
<section class="card" aria-label="About the key">!${keyFacts({ ...rest, name, scopes, replaced_by: null })}</section>`,
  }
}

const replacedNote = (old: Key | 'refused'): string =>
  old === 'refused' || old.revoked_at === null
    ? '<p>The old key is refused from now on.</p>'
    : html`<p>The old key works until !${instant(old.revoked_at)}.</p>`

/** The key that a page is about. Throws not_found. */
async function keyOf({ ask }: PageContext, id: string): Promise<Key> {
  const { data: keys } = await ask('keys')
  const key = keys.find((candidate) => candidate.id === id)
  if (key === undefined) throw new Refusal('not_found', `You have no key with the id "${id.slice(0, 32)}".`)
  return key
}

const rotate: Page = {
  path: '/keys/rotate',
  for: 'members',
  formAt: '/keys',
  get: async (context) => rotateView(context, await keyOf(context, context.query.get('id') ?? '')),
  async post(context) {
    const { form: sent, ask } = context
    const id = sent.text('id')
    return await onceOnly(
      context,
      ['overlap_hours', 'password'],
      async () => {
        await confirmIfAsked(context)
        const wanted = { id, overlap_hours: sent.text('overlap_hours') || '0', [REQUEST_ID]: sent.text(REQUEST_ID) }
        const { data } = await ask('keys/rotate', filled(wanted))
        const { data: keys } = await ask('keys')
        return createdView(context, data, keys.find((key) => key.id === id) ?? 'refused')
      },
      async (problems) => rotateView(context, await keyOf(context, id), problems),
    )
  },
}

const OVERLAPS = [
  { value: '0', label: 'Not at all: refuse it at once' },
  { value: '1', label: '1 hour' },
  { value: '4', label: '4 hours' },
  { value: '24', label: '24 hours' },
]

function rotateView(context: PageContext, { id, name }: Key, problems: Problems = NO_PROBLEMS): View {
  const body = [
    hidden('id', id),
    requestIdField(context),
    passwordAgain(context, problems),
    select(
      {
        name: 'overlap_hours',
        label: LABELS.overlap_hours,
        value: context.form.text('overlap_hours') || '1',
        options: OVERLAPS,
      },
      problems,
    ),
    `<p class="actions">${submit('Replace key')}<a class="button quiet" href="/keys">Cancel</a></p>`,
  ]
  return {
    title: 'Replace key',
    narrow: true,
    body: html`<section class="card">
<h1>Replace “${name}”</h1>
<p>You get a new key with the same rights. The old one can go on working while you change the programs that use it.</p>
!${summary(problems, LABELS)}!${form('/keys/rotate', context.csrfField(), body.join('\n'))}
</section>`,
  }
}

const revoke: Page = {
  path: '/keys/revoke',
  for: 'members',
  formAt: '/keys',
  get: async (context) => revokeView(context, await keyOf(context, context.query.get('id') ?? '')),
  async post({ form: sent, ask }) {
    await ask('keys/revoke', { id: sent.text('id') })
    return { redirect: saying('/keys', 'key-revoked') }
  },
}

function revokeView({ csrfField }: PageContext, key: Key): View {
  const body = `${hidden('id', key.id)}
<p class="actions">${submit('Revoke key', 'danger')}<a class="button quiet" href="/keys">Cancel</a></p>`
  return {
    title: 'Revoke key',
    narrow: true,
    body: html`<section class="card">
<h1>Revoke “${key.name}”</h1>
<p>Programs that use it are refused at once, and it can’t be brought back.</p>
!${keyFacts(key)}
!${form('/keys/revoke', csrfField(), body)}
</section>`,
  }
}

export const keyPages: readonly Page[] = [list, create, rotate, revoke]
