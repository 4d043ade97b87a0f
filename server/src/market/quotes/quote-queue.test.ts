import { expect, it } from 'vitest'
import { QuoteQueue } from './quote-queue.ts'
import { noPrice } from './source-failure.ts'
import { listedAs, markets } from './test-listed.ts'

const sbin = listedAs('SBIN', 'NSE')
const quote = markets().simulator.quoteNow(sbin)
const queue = () =>
  new QuoteQueue(
    () => undefined,
    () => undefined,
  )

it('a quote that is older than one before is dropped, also when that one was taken', () => {
  const updates = queue()
  updates.offer(sbin, quote)
  updates.offer(sbin, { ...quote, at: quote.at - 1 })
  expect(updates.take()).toEqual([{ instrument: sbin, quote }])
  updates.offer(sbin, { ...quote, at: quote.at - 1 })
  expect(updates.take()).toEqual([])
  updates.offer(sbin, quote) // the same instant may have another price
  expect(updates.take()).toHaveLength(1)
})

it('a refusal takes the place of a quote, and a quote that of a refusal', () => {
  const updates = queue()
  const refusal = noPrice('test', sbin)
  updates.offer(sbin, quote)
  updates.offer(sbin, refusal)
  expect(updates.take()).toEqual([{ instrument: sbin, quote: refusal }])
  updates.offer(sbin, refusal)
  updates.offer(sbin, quote)
  expect(updates.take()).toEqual([{ instrument: sbin, quote }])
})

it('what is offered after the end is nobody’s', () => {
  const updates = queue()
  updates.close()
  updates.offer(sbin, quote)
  expect(updates.take()).toEqual([])
})
