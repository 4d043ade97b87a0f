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

window.addEventListener('load', () => {
  const ui = SwaggerUIBundle({
    url: address,
    dom_id: '#swagger-ui',
    presets: [SwaggerUIBundle.presets.apis],
    layout: 'BaseLayout',
    validatorUrl: null,
    deepLinking: true,
    responseInterceptor: withOneKey,
    // All operations at once take a second or more to draw, and again whenever one is opened
    docExpansion: 'none',
    onComplete: () => ui.layoutActions.show(['operations-tag', 'Orders'], true),
    tryItOutEnabled: true,
    displayRequestDuration: true,
  })
})
