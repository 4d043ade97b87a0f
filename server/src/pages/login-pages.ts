import { html } from 'ghtml'
import { PASSWORD_LENGTH_MAX } from '../identity/password.ts'
import { EMAIL_LENGTH_MAX } from '../identity/users.ts'
import { clearChallenge, readChallenge, setChallenge } from './challenge-cookie.ts'
import { form, hidden, input, submit, summary } from './fields.ts'
import { filled } from './form.ts'
import { localPath, pathWith } from './local-path.ts'
import { saying } from './notices.ts'
import type { Page, PageContext, View } from './page.ts'
import { NO_PROBLEMS, orAgain, type Problems } from './problems.ts'

/** Where to go when signed in: what the form carries, or the address. */
const nextOf = ({ form: sent, query }: PageContext): string | undefined =>
  localPath(sent.text('next')) ?? localPath(query.get('next'))

const LABELS = { name: 'Name or e-mail address', password: 'Password', code: 'Code' }

const login: Page = {
  path: '/login',
  for: 'guests',
  get: (context) => loginView(context),
  post(context) {
    const { form: sent, ask } = context
    const next = nextOf(context)
    return orAgain(
      context,
      ['name', 'password'],
      async () => {
        const { data } = await ask('auth/login', filled({ name: sent.text('name'), password: sent.secret('password') }))
        if (data.challenge === null) return { redirect: next ?? '/' }
        setChallenge(context, data.challenge)
        return { redirect: pathWith('/login/totp', { next }) }
      },
      (problems) => loginView(context, problems),
    )
  },
}

function loginView(context: PageContext, problems: Problems = NO_PROBLEMS): View {
  const name = context.form.text('name')
  const body = [
    hidden('next', nextOf(context) ?? ''),
    input(
      {
        name: 'name',
        label: LABELS.name,
        value: name,
        autocomplete: 'username',
        lengthMax: EMAIL_LENGTH_MAX,
        isFirst: name === '',
      },
      problems,
    ),
    input(
      {
        name: 'password',
        label: LABELS.password,
        type: 'password',
        autocomplete: 'current-password',
        lengthMax: PASSWORD_LENGTH_MAX,
        isFirst: name !== '',
      },
      problems,
    ),
    submit('Sign in'),
  ]
  return {
    title: 'Sign in',
    narrow: true,
    data: { authenticated: false },
    body: html`<section class="card">
<h1>Sign in</h1>
!${summary(problems, LABELS)}!${form('/login', context.csrfField(), body.join('\n'))}
<p class="aside"><a href="/forgot">Forgotten your password?</a></p>
</section>`,
  }
}

const secondStep: Page = {
  path: '/login/totp',
  for: 'guests',
  get: (context) =>
    readChallenge(context.visit) === undefined
      ? { redirect: pathWith('/login', { next: nextOf(context) }) }
      : codeView(context),
  async post(context) {
    const { form: sent, ask, visit } = context
    const next = nextOf(context)
    const challenge = readChallenge(visit)
    if (challenge === undefined) return { redirect: pathWith('/login', { next }) }
    return await orAgain(
      context,
      ['code'],
      async () => {
        await ask('auth/login/totp', filled({ challenge, code: sent.text('code') }))
        clearChallenge(context)
        return { redirect: next ?? '/' }
      },
      (problems) => codeView(context, problems),
    )
  },
}

function codeView(context: PageContext, problems: Problems = NO_PROBLEMS): View {
  const next = nextOf(context)
  const body = [
    hidden('next', next ?? ''),
    input(
      {
        name: 'code',
        label: LABELS.code,
        hint: 'Six digits from your authenticator, or one of your recovery codes.',
        autocomplete: 'one-time-code',
        lengthMax: 32,
        isCode: true,
        isFirst: true,
      },
      problems,
    ),
    submit('Sign in'),
  ]
  return {
    title: 'Two-step sign-in',
    narrow: true,
    data: { authenticated: false, totp_required: true },
    body: html`<section class="card">
<h1>Two-step sign-in</h1>
!${summary(problems, LABELS)}!${form('/login/totp', context.csrfField(), body.join('\n'))}
<p class="aside"><a href="${pathWith('/login', { next })}">Start again</a></p>
</section>`,
  }
}

const logout: Page = {
  path: '/logout',
  for: 'members',
  formAt: '/',
  async post({ ask }) {
    await ask('auth/logout')
    return { redirect: saying('/login', 'signed-out') }
  },
}

export const loginPages: readonly Page[] = [login, secondStep, logout]
