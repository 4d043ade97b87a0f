import Fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { errorPage, mountPages } from './index.ts'

describe('the start page', () => {
  it('names the platform, leads to the documentation and needs nothing from elsewhere', async () => {
    const app = Fastify()
    mountPages(app)
    const { statusCode, headers, payload } = await app.inject('/')
    expect([statusCode, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
    expect(payload).toContain('<h1>Sauda</h1>')
    expect(payload).toContain('href="/api/v1/"')
    expect(payload).not.toMatch(/<script|(?:src|href)="(?:https?:)?\/\//)
    await app.close()
  })
})

describe('an error page', () => {
  it('shows text as text, whatever it contains', () => {
    const html = errorPage(404, `There is nothing at "/<img src=x onerror='x'>&".`, 'req-1')
    expect(html).toContain('&quot;/&lt;img src=x onerror=&#39;x&#39;&gt;&amp;&quot;')
    expect(html).toContain('<h1>Not Found</h1>')
    expect(html).toContain('req-1')
  })
})
