/// <reference lib="dom" />
import type { Page } from 'playwright-core'

/** No page has more that can be reached. */
const TABS_MAX = 60

/** Types into what has the focus. */
export async function type(page: Page, text: string): Promise<void> {
  await page.keyboard.type(text)
}

/** Types into the field that has the focus and sends its form. */
export async function enter(page: Page, text: string): Promise<void> {
  await type(page, text)
  await page.keyboard.press('Enter')
}

/** Waits until the field of this name has the focus, as a page gives it a moment after it is there. */
export async function untilFocused(page: Page, field: string): Promise<void> {
  await page.waitForFunction((name) => document.activeElement?.getAttribute('name') === name, field)
}

/** Goes on with the tabulator until a link, button or field of this name or label has the focus. Throws if none gets it. */
export async function tabTo(page: Page, name: string): Promise<void> {
  const passed: string[] = []
  while (passed.length < TABS_MAX) {
    await page.keyboard.press('Tab')
    const reached = await page.evaluate(() => {
      const { activeElement: element } = document
      return element?.getAttribute('aria-label') ?? element?.getAttribute('name') ?? element?.textContent.trim() ?? ''
    })
    if (reached === name) return
    passed.push(reached)
  }
  throw new Error(`The tabulator never reaches "${name}", but ${passed.join(', ')}.`)
}

/** Follows a link, or presses a button, without a mouse. */
export async function press(page: Page, name: string): Promise<void> {
  await tabTo(page, name)
  await page.keyboard.press('Enter')
}
