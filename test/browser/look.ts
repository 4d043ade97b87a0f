/// <reference lib="dom" />
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Page } from 'playwright-core'

const pictures = process.env['SCREENSHOTS']
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** The other rules have nothing to do with colours, which are all that differs in the dark. */
const RULES_OF_COLOURS = ['color-contrast', 'link-in-text-block']

/** As wide as a screen of 1280 pixels at 400 %: https://www.w3.org/TR/WCAG22/#reflow */
const REFLOW_WIDTH = 320

/** No barrier for anybody, and nothing wider than the screen, however much it is enlarged; pictures if wanted. */
export async function look(page: Page, name: string): Promise<void> {
  // Through the debugger, which the page's policy against foreign script doesn't concern
  await page.evaluate(axe)
  for (const [scheme, width] of [
    ['light', 1280],
    ['dark', 1280],
    ['dark', 390],
    ['light', 390],
  ] as const) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    await page.setViewportSize({ width, height: width === 390 ? 844 : 1000 })
    const violations = await violationsOn(page, scheme === 'dark' ? RULES_OF_COLOURS : undefined)
    assert.deepEqual(violations, [], `${name}, ${scheme}, ${width} px wide`)
    await expectNoOverflow(page, name, width)
    await picture(page, `${name}-${scheme}-${width}`)
  }
  await page.setViewportSize({ width: REFLOW_WIDTH, height: 844 })
  await expectNoOverflow(page, name, REFLOW_WIDTH)
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize({ width: 1280, height: 1000 })
}

async function expectNoOverflow(page: Page, name: string, width: number): Promise<void> {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  assert.ok(overflow <= 0, `${name} is ${overflow} px wider than a screen of ${width} px`)
}

async function violationsOn(page: Page, rules: readonly string[] | undefined): Promise<string[]> {
  return await page.evaluate(async (values) => {
    const { axe: scanner } = window as unknown as {
      axe: {
        run: (
          options: object,
        ) => Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>
      }
    }
    const { violations } = await scanner.run(values === undefined ? {} : { runOnly: { type: 'rule', values } })
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    )
  }, rules)
}

/** With SCREENSHOTS=folder, leaves a picture of the whole page there. */
export async function picture(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })
}
