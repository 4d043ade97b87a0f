import type { Sources } from './effective.ts'

/** Nothing is set at any scope, for tests. */
export const NO_RULES: Sources = {
  instance: undefined,
  account: undefined,
  key: undefined,
  strategy: undefined,
  exchangeRules: false,
  isBound: true,
}
