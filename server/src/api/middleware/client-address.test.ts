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
    expect(behind('10.0.0.0/8', 'cf-connecting-ip')('10.0.0.1', { 'cf-connecting-ip': 'x' })).toBe('10.0.0.1')
  })

  it('no client can choose what it is taken for', () => {
    fc.assert(
      fc.property(fc.array(fc.ipV4(), { maxLength: 40 }), fc.ipV4(), (madeUp, client) => {
        fc.pre(!client.startsWith('10.'))
        const header = [...madeUp, client].join(', ')
        expect(behind('10.0.0.0/8')('10.0.0.1', { 'x-forwarded-for': header })).toBe(client)
      }),
    )
  })

  it('no more than some entries are looked at', () => {
    const header = ['203.0.113.9', ...Array(FORWARDED_ENTRIES_MAX).fill('10.0.0.2')].join()
    expect(behind('10.0.0.0/8')('10.0.0.1', { 'x-forwarded-for': header })).toBe('10.0.0.2')
  })
})
