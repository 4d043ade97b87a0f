import { page } from './page.ts'

/** The start page: what this is and where to go. */
export const homePage = (): string =>
  page(
    'Sauda',
    `<h1>Sauda</h1>
<p>A self-hosted trading API platform with a built-in paper exchange. Programs that speak OpenAlgo’s API work by changing only the host.</p>
<ul>
<li><a href="/api/v1/">API documentation</a><small>Every operation, with requests to try from the browser</small></li>
<li><a href="/api/v1/openapi.json">OpenAPI document</a><small>For code generators and API tools</small></li>
</ul>`,
  )
