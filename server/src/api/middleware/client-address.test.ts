import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Networks } from '../../kernel/networks.ts'
import { clientAddresses, FORWARDED_ENTRIES_MAX } from './client-address.ts'

const networks = (text: string): Networks => {
  const parsed = Networks.parse(text)
  if (typeof parsed === 'string') throw new Error(parsed)
  return parsed
}
const behind = (proxies: string, vendorHeader = '') =>
  clientAddresses({ trustedProxies: networks(proxies), vendorHeader })

describe('without trusted proxies', () => {
  it('the peer is the client, whatever headers say', () => {
    const headers = { 'x-forwarded-for': '127.0.0.1', 'cf-connecting-ip': '127.0.0.1', 'x-real-ip': '127.0.0.1' }
    expect(behind('')('203.0.113.9', headers)).toBe('203.0.113.9')
    expect(behind('', 'cf-connecting-ip')('::ffff:203.0.113.9', headers)).toBe('203.0.113.9')
  })
})

describe('behind a trusted proxy', () => {
  it.each([
    ['nothing forwarded', undefined, '10.0.0.1'],
    ['one entry', '203.0.113.9', '203.0.113.9'],
    ['entries that the client made up', '127.0.0.1, 8.8.8.8, 203.0.113.9', '203.0.113.9'],
    ['a chain of proxies', '1.1.1.1, 203.0.113.9, 10.0.0.7', '203.0.113.9'],
    ['only proxies', '10.0.0.9, 10.0.0.7', '10.0.0.9'],
    ['an entry that is no address', '203.0.113.9, unknown, 10.0.0.7', '10.0.0.7'],
    ['no address at all', 'unknown', '10.0.0.1'],
    ['IPv6', '2001:DB8::1', '2001:db8::1'],
  ])('%s', (_, header, client) => {
    const headers = header === undefined ? {} : { 'x-forwarded-for': header }
    expect(behind('10.0.0.0/8')('10.0.0.1', headers)).toBe(client)
  })

  it('a peer that is none is the client itself', () => {
    expect(behind('10.0.0.0/8')('203.0.113.5', { 'x-forwarded-for': '127.0.0.1' })).toBe('203.0.113.5')
  })

  it("a vendor's header counts when it is named, and only from the proxy", () => {
    const headers = { 'cf-connecting-ip': '203.0.113.9', 'x-forwarded-for': '198.51.100.1' }
    expect(behind('10.0.0.0/8')('10.0.0.1', headers)).toBe('198.51.100.1')
    expect(behind('10.0.0.0/8', 'cf-connecting-ip')('10.0.0.1', headers)).toBe('203.0.113.9')
    expect(behind('10.0.0.0/8', 'cf-connecting-ip')('192.0.2.1', headers)).toBe('192.0.2.1')
  })

  it.each([
    ['none', {}],
    ['no address', { 'cf-connecting-ip': 'x' }],
    ['two addresses', { 'cf-connecting-ip': '127.0.0.1, 203.0.113.9' }],
  ])("a vendor's header of %s leaves the proxy, never what X-Forwarded-For says", (_, vendor) => {
    const headers = { 'x-forwarded-for': '198.51.100.1', ...vendor }
    expect(behind('10.0.0.0/8', 'cf-connecting-ip')('10.0.0.1', headers)).toBe('10.0.0.1')
  })

  const anything = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('', 'unknown', '127.0.0.1', '10.0.0.9', '::1', '%'))

  it('no client can choose what it is taken for, through however many proxies', () => {
    const proxies = fc.array(
      fc.ipV4().map((address) => address.replace(/^\d+/, '10')),
      { maxLength: 4 },
    )
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 40 }), fc.ipV4(), proxies, (madeUp, client, between) => {
        fc.pre(!client.startsWith('10.'))
        const header = [...madeUp, client, ...between].join(', ')
        expect(behind('10.0.0.0/8')('10.0.0.1', { 'x-forwarded-for': header })).toBe(client)
      }),
    )
  })

  it('who is no proxy is itself, whatever it sends', () => {
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 9 }), fc.ipV4(), (madeUp, client) => {
        fc.pre(!client.startsWith('10.'))
        const headers = { 'x-forwarded-for': madeUp.join(), 'x-real-ip': madeUp[0] ?? '', 'cf-connecting-ip': '::1' }
        expect(behind('10.0.0.0/8')(client, headers)).toBe(client)
        expect(behind('10.0.0.0/8', 'cf-connecting-ip')(`::ffff:${client}`, headers)).toBe(client)
        expect(behind('')(client, headers)).toBe(client)
      }),
    )
  })

  it('the peers that it remembers may be more than it keeps', () => {
    const addressOf = behind('10.0.0.0/8')
    for (let peer = 0; peer < 25_000; peer += 1) {
      const address = `172.16.${peer >> 8}.${peer & 255}`
      expect(addressOf(address, { 'x-forwarded-for': '127.0.0.1' })).toBe(address)
    }
    expect(addressOf('10.0.0.1', { 'x-forwarded-for': '203.0.113.9' })).toBe('203.0.113.9')
  })

  it('no more than some entries are looked at', () => {
    const header = ['203.0.113.9', ...Array(FORWARDED_ENTRIES_MAX).fill('10.0.0.2')].join()
    expect(behind('10.0.0.0/8')('10.0.0.1', { 'x-forwarded-for': header })).toBe('10.0.0.2')
  })
})
