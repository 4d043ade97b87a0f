import { html } from 'ghtml'
import { assetUrl } from './assets.ts'
import type { PageContext, View } from './page.ts'

const MARK = `<svg width="32" height="32" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
<rect class="mark-ground" width="32" height="32" rx="8"/>
<g fill="none" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round">
<path class="mark-line" d="M23 10h-9.5a3 3 0 0 0 0 6h5a3 3 0 0 1 0 6H9"/>
<path class="mark-tips" d="m20 6.8 3.2 3.2L20 13.2M12 18.8 8.8 22l3.2 3.2"/>
</g>
</svg>`

const LINKS = [
  { path: '/', name: 'Home' },
  { path: '/keys', name: 'API keys' },
  { path: '/account', name: 'Account' },
  { path: '/api/v1/', name: 'API docs' },
] as const

/** A whole page. `header` and `view.body` are HTML; everything else is text. */
function whole(view: View, header: string, notice: string): string {
  const said = notice === '' ? '' : html`<p class="notice" role="status">${notice}</p>`
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${view.title} · Sauda</title>
<link rel="icon" type="image/svg+xml" href="!${assetUrl('mark')}">
<link rel="stylesheet" href="!${assetUrl('style')}">
<script src="!${assetUrl('script')}" defer></script>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
!${header}
<main id="main" class="${view.narrow ? 'narrow' : 'wide'}">
!${said}!${view.body}
</main>
</body>
</html>
`
}

const wordmark = (): string => html`<a class="wordmark" href="/">!${MARK}<span>Sauda</span></a>`

/** A page for who is signed in has the way to the others and out; for anybody else, just our name. */
export function layout(view: View, context?: PageContext, notice = ''): string {
  const user = context?.status.user ?? null
  if (context === undefined || user === null) {
    return whole(view, html`<header class="bar bar-plain">!${wordmark()}</header>`, notice)
  }
  const here = context.visit.path
  const links = LINKS.map(({ path, name }) => {
    const isHere = path === '/' ? here === '/' : here === path || here.startsWith(`${path}/`)
    return html`<li><a href="${path}"!${isHere ? ' aria-current="page"' : ''}>${name}</a></li>`
  })
  const header = html`<header class="bar">
!${wordmark()}
<nav aria-label="Main"><ul>!${links.join('')}</ul></nav>
<form class="who" method="post" action="/logout">
!${context.csrfField()}<span title="${user.email}">${user.name}</span>
<button class="quiet" type="submit">Sign out</button>
</form>
</header>`
  return whole(view, header, notice)
}
