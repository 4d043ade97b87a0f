/* global SwaggerUIBundle -- runs in the browser, after Swagger UI */
window.addEventListener('load', () => {
  const ui = SwaggerUIBundle({
    url: document.querySelector('#swagger-ui').dataset.document,
    dom_id: '#swagger-ui',
    presets: [SwaggerUIBundle.presets.apis],
    layout: 'BaseLayout',
    validatorUrl: null,
    deepLinking: true,
    // All operations at once take a second or more to draw, and again whenever one is opened
    docExpansion: 'none',
    onComplete: () => ui.layoutActions.show(['operations-tag', 'Orders'], true),
    tryItOutEnabled: true,
    displayRequestDuration: true,
  })
})
