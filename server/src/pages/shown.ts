import { html } from 'ghtml'
import { timestampOf } from '../kernel/exchange-time.ts'

/** An instant to the minute, in the exchange's zone; HTML. */
export function instant(at: number): string {
  const text = timestampOf(at)
  return html`<time datetime="${text.replace(' ', 'T')}+05:30">${text.slice(0, -3)} IST</time>`
}

const RUPEES = new Intl.NumberFormat('en-IN', { style: 'currency', currency: 'INR' })

/** An amount in rupees, with Indian grouping. */
export const rupees = (amount: number): string => RUPEES.format(amount)

/** A name and a value, HTML each; a `wide` one has a line of its own. */
export type Fact = readonly [name: string, value: string, width?: 'wide' | undefined]

/** Facts as a list of terms. */
export const facts = (rows: readonly Fact[]): string => {
  const items = rows.map(([name, value, width]) => {
    const wide = width === undefined ? '' : ` class="${width}"`
    return `<div${wide}><dt>${name}</dt><dd>${value}</dd></div>`
  })
  return html`<dl class="facts">!${items.join('')}</dl>`
}

/** More doesn't fit into the column of a fact. */
const COLUMN_CHARACTERS = 24

/** A text of any length as a fact. */
export const textFact = (name: string, text: string): Fact => [
  name,
  plain(text),
  text.length > COLUMN_CHARACTERS ? 'wide' : undefined,
]

/** Text as HTML. */
export const plain = (text: string): string => html`${text}`

/** Text to be copied, such as a command; `what` says what it is. */
export const copyable = (what: string, text: string): string =>
  html`<div class="copyable"><pre tabindex="0" role="group" aria-label="${what}"><code data-copy="${what}">${text}</code></pre></div>`

/** The first order, ready for a terminal. */
export const curlOrder = (origin: string, key: string): string =>
  curl(origin, 'placeorder', {
    apikey: key,
    strategy: 'first',
    exchange: 'NSE',
    symbol: 'SBIN',
    action: 'BUY',
    quantity: 10,
    pricetype: 'MARKET',
    product: 'MIS',
  })

export const curlFunds = (origin: string, key: string): string => curl(origin, 'funds', { apikey: key })

function curl(origin: string, operation: string, body: Readonly<Record<string, string | number>>): string {
  const fields = Object.entries(body).map(([name, value]) => `"${name}": ${JSON.stringify(value)}`)
  return [
    `curl -X POST ${origin}/api/v1/${operation}`,
    `-H 'Content-Type: application/json'`,
    `-d '{${fields.join(', ')}}'`,
  ].join(' \\\n  ')
}
