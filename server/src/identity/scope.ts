/** What a key may do: look at things; place and change orders; administer the instance. The API lets `trade` read too, and `admin` do all. */
export const SCOPES = ['read', 'trade', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

export const isScope = (text: string): text is Scope => (SCOPES as readonly string[]).includes(text)

/** Scopes of comma-separated text, in the order of `SCOPES`; undefined when one of them is unknown or there is none. */
export function parseScopes(text: string): readonly Scope[] | undefined {
  const parts = text.split(',').map((part) => part.trim())
  return parts.every(isScope) ? SCOPES.filter((scope) => parts.includes(scope)) : undefined
}
