import type { FastifyReply } from 'fastify'

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (char) => ESCAPES[char] ?? char)

const STYLE = `
:root{color-scheme:light dark;--ink:#1a2230;--soft:#5b6675;--paper:#f6f7f9;--card:#fff;--line:#e1e5ea;--link:#0a5bd3}
@media(prefers-color-scheme:dark){:root{--ink:#e7ebf0;--soft:#9aa6b5;--paper:#0f141b;--card:#171e28;--line:#28323f;--link:#7db4ff}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--paper);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{width:100%;max-width:36rem;padding:2.25rem;background:var(--card);border:1px solid var(--line);border-radius:14px}
h1{margin:0 0 .5rem;font-size:1.6rem;letter-spacing:-.01em}
p{margin:.5rem 0;color:var(--soft)}
ul{margin:1.25rem 0 0;padding:0;list-style:none;border-top:1px solid var(--line)}
li{padding:.7rem 0;border-bottom:1px solid var(--line)}
li:last-child{border-bottom:0;padding-bottom:0}
a{color:var(--link);text-decoration:none;font-weight:600}
a:hover,a:focus-visible{text-decoration:underline}
code{font:.875em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;color:var(--soft);overflow-wrap:anywhere}
small{display:block;color:var(--soft)}
.status{margin:0;font-size:.85rem;font-weight:600;letter-spacing:.06em;color:var(--soft)}
`

/** A whole HTML page without scripts or anything to fetch. `body` is HTML. */
export const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body><main>${body}</main></body>
</html>
`

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'content-type': 'text/html; charset=utf-8',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** Answers with a page that may load nothing and be framed by nobody. */
export const sendPage = (reply: FastifyReply, html: string): void => {
  reply.headers(HEADERS).send(html)
}
