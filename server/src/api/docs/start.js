/* global SwaggerUIBundle -- runs in the browser, after Swagger UI */
window.addEventListener('load', () => {
  SwaggerUIBundle({
    url: document.querySelector('#swagger-ui').dataset.document,
    dom_id: '#swagger-ui',
    presets: [SwaggerUIBundle.presets.apis],
    layout: 'BaseLayout',
    validatorUrl: null,
    deepLinking: true,
    docExpansion: 'list',
    tryItOutEnabled: true,
    displayRequestDuration: true,
  })
})
