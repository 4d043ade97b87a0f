import type { FastifyInstance } from 'fastify'
import { accountPages } from './account-pages.ts'
import { mountAssets } from './assets.ts'
import { homePage } from './home-page.ts'
import { keyPages } from './key-pages.ts'
import { loginPages } from './login-pages.ts'
import { mountEach, type PagesOptions } from './mount.ts'
import type { Page } from './page.ts'
import { resetPages } from './reset-pages.ts'
import { setUpPage } from './set-up-page.ts'
import { totpPages } from './totp-pages.ts'
import { tradingAccountPages } from './trading-account-pages.ts'

export { errorPage, errorPages } from './error-page.ts'
export type { PagesOptions } from './mount.ts'
export type { Call } from './page.ts'
export { sendPage } from './send.ts'

export const PAGES: readonly Page[] = [
  homePage,
  setUpPage,
  ...loginPages,
  ...resetPages,
  ...accountPages,
  ...tradingAccountPages,
  ...totpPages,
  ...keyPages,
]

/** Adds the pages that a browser shows, and the files that they load. */
export function mountPages(app: FastifyInstance, options: PagesOptions): void {
  mountAssets(app, options.assetHeaders)
  mountEach(app, PAGES, options)
}
