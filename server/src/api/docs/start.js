/* global SwaggerUIBundle -- runs in the browser, after Swagger UI */
const dark = matchMedia('(prefers-color-scheme: dark)')
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', follow)
follow()

const address = document.querySelector('#swagger-ui').dataset.document

/**
 * *Authorize* asks for one thing, a key. The browser sends the cookie of who is signed in by itself, and lets no page set it;
 * a key as a bearer token would be the same key again.
 */
function withOneKey(response) {
  if (new URL(response.url).pathname !== address) return response
  const description = JSON.parse(response.text)
  const { session: _, bearer: __, ...schemes } = description.components.securitySchemes
  description.components.securitySchemes = schemes
  description.security = [{ apiKeyHeader: [] }]
  for (const operation of Object.values(description.paths).flatMap((path) => Object.values(path)))
    if (operation.security !== undefined) operation.security = []
  return { ...response, text: JSON.stringify(description) }
}

/** What screen readers need and Swagger UI leaves out, or says otherwise than it shows. */
const SAID = [
  ['#servers', 'aria-label', 'Server'],
  ['.body-param textarea', 'aria-label', 'Body of the request'],
  ['.close-modal', 'aria-label', 'Close'],
  ['.auth-container button.authorize', 'aria-label', 'Authorize with this key'],
  ['h3.opblock-tag, .modal-ux-header > h3, .models > h4', 'aria-level', '2'],
  ['.opblock-title, .auth-container h4', 'aria-level', '3'],
  ['.responses-table[role]', 'role', 'table'],
  ['pre.microlight', 'tabindex', '0'],
  ['.information-container', 'role', 'banner'],
  ['.scheme-container', 'role', 'region'],
  ['.scheme-container', 'aria-label', 'Server and key'],
]

function sayAll() {
  for (const [selector, attribute, value] of SAID)
    for (const element of document.querySelectorAll(`:is(${selector}):not([${attribute}="${value}"])`))
      element.setAttribute(attribute, value)
}

/** The name of an operation is part of a button, in which no link may be; the address still follows what is opened. */
const withoutNestedLinks = () => ({ components: { DeepLink: ({ text }) => text } })

window.addEventListener('load', () => {
  new MutationObserver(sayAll).observe(document.querySelector('#swagger-ui'), { childList: true, subtree: true })
  const ui = SwaggerUIBundle({
    url: address,
    dom_id: '#swagger-ui',
    presets: [SwaggerUIBundle.presets.apis],
    plugins: [withoutNestedLinks],
    layout: 'BaseLayout',
    validatorUrl: null,
    deepLinking: true,
    responseInterceptor: withOneKey,
    // All operations at once take a second or more to draw, and again whenever one is opened
    docExpansion: 'none',
    onComplete: () => ui.layoutActions.show(['operations-tag', 'Orders'], true),
    tryItOutEnabled: true,
    displayRequestDuration: true,
    // The colours of the usual one are too faint
    syntaxHighlight: { theme: 'monokai' },
  })
})
