import { beforeEach, describe, expect, it } from 'vitest'
import { Refusal } from '../../kernel/errors.ts'
import { priceOf } from '../../kernel/fixed.ts'
import type { Quote } from '../market-data.ts'
import { Quotes, STALE_AFTER_MS } from './quotes.ts'
import { REQUESTS_AT_ONCE, WAITING_MAX } from './shared-requests.ts'
import { notSubscribed, sourceDown } from './source-failure.ts'
import { equities, listedAs, markets } from './test-listed.ts'

const sbin = listedAs('SBIN', 'NSE')
const reliance = listedAs('RELIANCE', 'NSE')
const DEADLINE_MS = 2_000
const BATCH = 3

/** Lets everything happen that waits for nothing but its turn. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

let scene: ReturnType<typeof markets>
let quotes: Quotes
beforeEach(() => {
  scene = markets(BATCH)
  const { counting: clock, calendar, remote: source } = scene
  quotes = new Quotes({ source, calendar, clock, deadlineMs: DEADLINE_MS })
})

const ltp = (quote: Quote | Refusal): number | string => (quote instanceof Refusal ? quote.code : quote.ltp)

describe('quotes of a remote source', () => {
  it('are those of the source', async () => {
    expect(await quotes.quote(sbin)).toEqual(scene.simulator.quoteNow(sbin))
    expect(await quotes.depth(sbin)).toEqual(scene.simulator.depthNow(sbin))
  })

  it('that are asked for at the same time are one request, whoever asks', async () => {
    const { remote } = scene
    remote.hold()
    const first = [quotes.quote(sbin), quotes.quotes([sbin, reliance, sbin]), quotes.quote(reliance)]
    await settled()
    const later = [quotes.quote(sbin), quotes.quotes([reliance])] // while the request is under way
    await settled()
    expect(remote.asked).toEqual([['SBIN', 'RELIANCE']])
    remote.release()
    const [a, b] = [sbin, reliance].map((instrument) => scene.simulator.quoteNow(instrument))
    expect(await Promise.all(first)).toEqual([a, [a, b, a], b])
    expect(await Promise.all(later)).toEqual([a, [b]])
  })

  it('are given again for a second of their data’s age, and not longer', async () => {
    const { clock, remote } = scene
    const first = await quotes.quote(sbin)
    clock.advance(999)
    expect(quotes.quote(sbin)).toBe(first) // at once
    clock.advance(1)
    expect(await quotes.quote(sbin)).not.toBe(first)
    expect(remote.asked).toEqual([['SBIN'], ['SBIN']])
  })

  it('that came late are no younger for it', async () => {
    const { clock, remote } = scene
    remote.hold()
    const slow = quotes.quote(sbin)
    await settled()
    clock.advance(900)
    remote.change = (quote) => ({ ...quote, at: quote.at - 900 }) // it looked when it was asked
    remote.release()
    await slow
    clock.advance(99)
    await quotes.quote(sbin)
    expect(remote.asked).toHaveLength(1)
    clock.advance(1)
    await quotes.quote(sbin)
    expect(remote.asked).toHaveLength(2)
  })

  it('are asked for again when the clock was set back', async () => {
    const { clock, remote } = scene
    await quotes.quote(sbin)
    clock.moveTo(clock.now() - 60_000)
    await quotes.quote(sbin)
    expect(remote.asked).toHaveLength(2)
  })

  it('are asked for in requests of the source’s size, a few at a time, and come in order', async () => {
    const { remote, simulator } = scene
    const wanted = equities(20)
    remote.hold()
    const answer = quotes.quotes([...wanted].reverse())
    await settled()
    expect(remote.asked.map((symbols) => symbols.length)).toEqual(Array<number>(REQUESTS_AT_ONCE).fill(BATCH))
    remote.release()
    expect(await answer).toEqual([...wanted].reverse().map((instrument) => simulator.quoteNow(instrument)))
    expect(remote.asked.map((symbols) => symbols.length)).toEqual([3, 3, 3, 3, 3, 3, 2])
    expect(new Set(remote.asked.flat()).size).toBe(20)
  })

  it('of a request that fails in part have the reason in their places', async () => {
    const { remote } = scene
    const wanted = equities(9)
    const failing = wanted[4]?.symbol ?? ''
    remote.failure = (symbols) => (symbols.includes(failing) ? sourceDown('remote', 'it answered 500') : undefined)
    const found = await quotes.quotes(wanted)
    expect(found.map((quote) => quote instanceof Refusal)).toEqual([0, 0, 0, 1, 1, 1, 0, 0, 0].map(Boolean))
    expect(found[4]).toMatchObject({
      code: 'source_down',
      message: 'The market data source remote is not available: it answered 500. Try again in a few seconds.',
    })
    remote.failure = () => undefined
    expect((await quotes.quotes(wanted)).map(ltp)).not.toContain('source_down') // a failure isn't kept
  })

  it('without a price are refused, never 0', async () => {
    const { remote } = scene
    remote.change = (quote) => ({ ...quote, ltp: priceOf(0) })
    expect(await quotes.quote(sbin)).toMatchObject({
      code: 'quote_unavailable',
      message: 'No quote data available: remote has no price of SBIN on NSE.',
    })
    remote.change = () => notSubscribed('remote', 'NSE')
    expect(ltp(await quotes.quote(sbin))).toBe('not_subscribed')
  })

  it('of a source with a bug are no quotes', async () => {
    const { remote } = scene
    remote.failure = () => new TypeError('a bug')
    await expect(quotes.quote(sbin)).rejects.toThrow('a bug')
    remote.failure = () => undefined
    remote.change = () => new TypeError('another bug')
    await expect(quotes.quotes([sbin, reliance])).rejects.toThrow('another bug')
    scene.remote.quotes = async () => []
    await expect(quotes.quotes([sbin, reliance])).rejects.toThrow('asked for 2 instruments and answered 0')
  })
})

describe('a source that doesn’t answer', () => {
  it('is slow after its time, for all who wait; then it is asked again', async () => {
    const { clock, counting, remote } = scene
    remote.hold()
    const early = quotes.quotes([sbin, reliance])
    await settled()
    clock.advance(DEADLINE_MS - 100)
    const late = quotes.quote(sbin) // waits with the others
    const depth = quotes.depth(sbin)
    await settled()
    clock.advance(100)
    expect((await early).map(ltp)).toEqual(['source_slow', 'source_slow'])
    expect(await late).toMatchObject({
      code: 'source_slow',
      message: 'The market data source remote has not answered within 2000 ms. Try again in a few seconds.',
    })
    clock.advance(DEADLINE_MS)
    expect(ltp((await depth) as Quote | Refusal)).toBe('source_slow')
    expect(remote.aborted).toBe(2)
    expect(counting.tasks).toBe(0)
    remote.release() // an answer that comes now is nobody's
    await settled()
    expect((await quotes.quotes([sbin, reliance])).map(ltp)).toEqual(
      [sbin, reliance].map((instrument) => scene.simulator.quoteNow(instrument).ltp),
    )
  })

  it('that answers when it is asked again already is not heard', async () => {
    const { clock, remote } = scene
    remote.hold()
    const early = quotes.quote(sbin)
    await settled()
    clock.advance(DEADLINE_MS)
    await early
    const again = quotes.quote(sbin)
    let isAnswered = false
    void Promise.resolve(again).then(() => {
      isAnswered = true
    })
    await settled()
    remote.releaseFirst()
    await settled()
    expect(isAnswered).toBe(false)
    remote.release()
    expect(ltp(await again)).toBe(scene.simulator.quoteNow(sbin).ltp)
  })

  it('that answers a request of which a part was given up doesn’t answer who asks for that part again', async () => {
    const { clock, remote } = scene
    remote.hold()
    const busy = quotes.quotes(equities(REQUESTS_AT_ONCE * BATCH + 2).slice(2))
    await settled()
    const [early, late] = equities(2)
    if (early === undefined || late === undefined) throw new Error('two are listed')
    const first = quotes.quote(early)
    clock.advance(DEADLINE_MS - 100)
    const second = quotes.quote(late)
    remote.releaseFirst()
    await settled()
    expect(remote.asked.at(-1)).toEqual([early.symbol, late.symbol])
    clock.advance(100)
    expect([ltp(await first), (await busy).map(ltp).includes('source_slow')]).toEqual(['source_slow', true])
    const again = quotes.quote(early)
    await settled()
    for (let left = REQUESTS_AT_ONCE; left > 0; left -= 1) remote.releaseFirst()
    expect(ltp(await second)).toBe(scene.simulator.quoteNow(late).ltp)
    expect(scene.counting.tasks).toBe(1) // it still has a deadline
    remote.release()
    await settled()
    expect(await Promise.race([again, settled()])).toEqual(scene.simulator.quoteNow(early))
  })

  it('is not sent what nobody waits for any more, and never more at once than agreed', async () => {
    const { clock, remote } = scene
    remote.hold()
    const wanted = equities(60)
    const given = quotes.quotes(wanted)
    await settled()
    clock.advance(DEADLINE_MS)
    expect(new Set((await given).map(ltp))).toEqual(new Set(['source_slow']))
    await settled()
    expect(remote.asked).toHaveLength(REQUESTS_AT_ONCE)
    expect(remote.aborted).toBe(REQUESTS_AT_ONCE)
  })

  it('is waited for by so many and no more', async () => {
    const { remote, clock } = scene
    remote.hold()
    const many = Array.from({ length: WAITING_MAX + 1 }, (_, id) => ({ ...sbin, id }))
    const answer = quotes.quotes(many)
    await settled()
    clock.advance(DEADLINE_MS)
    expect((await answer).map(ltp).slice(-2)).toEqual(['source_slow', 'overloaded'])
  })

  it('does not keep a shutdown waiting', async () => {
    const { counting, remote } = scene
    remote.hold()
    const answer = Promise.all([quotes.quote(sbin), quotes.depth(reliance)])
    await settled()
    quotes.close()
    expect((await answer).map((one) => ltp(one))).toEqual(['shutting_down', 'shutting_down'])
    expect([counting.tasks, remote.aborted]).toEqual([0, 2])
  })
})

describe('a source in this process', () => {
  it('is asked directly, and answers at once', () => {
    const { counting: clock, calendar, simulator: source } = scene
    const direct = new Quotes({ source, calendar, clock })
    expect(direct.quote(sbin)).toEqual(source.quoteNow(sbin))
    expect(direct.quotes([sbin, reliance, sbin])).toEqual([sbin, reliance, sbin].map((one) => source.quoteNow(one)))
    expect(direct.depth(sbin)).toEqual(source.depthNow(sbin))
    const nobody = { ...sbin, id: 1e9, symbol: 'NOBODY', name: 'NOBODY' }
    expect(ltp(direct.quote(nobody) as Quote | Refusal)).toBe('quote_unavailable')
    expect(direct.depth(nobody)).toBeInstanceOf(Refusal)
  })
})

describe('a quote', () => {
  it.each([
    ['within its session', '2026-03-10T13:00:00+05:30', STALE_AFTER_MS, false],
    ['too old within its session', '2026-03-10T13:00:00+05:30', STALE_AFTER_MS + 1, true],
    ['of yesterday, when the session has just begun', '2026-03-10T09:15:05+05:30', 60_000_000, false],
    ['of yesterday, when it has begun for good', '2026-03-10T09:15:10.001+05:30', 60_000_000, true],
    ['of the day, after the close', '2026-03-10T20:00:00+05:30', 16_000_000, false],
    ['of Friday, on Sunday', '2026-03-08T12:00:00+05:30', 160_000_000, false],
  ])('%s is told as what it is', (_when, now, ageMs, stale) => {
    const { clock } = scene
    clock.moveTo(Temporal.Instant.from(now).epochMilliseconds)
    expect(quotes.isStale(sbin, { at: clock.now() - ageMs })).toBe(stale)
  })
})
