import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalAddress, NETWORKS_MAX, Networks, ownerOf } from './networks.ts'

const networks = (text: string): Networks => {
  const parsed = Networks.parse(text)
  if (typeof parsed === 'string') throw new Error(parsed)
  return parsed
}

describe('an address', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    [' 10.1.2.3 ', '10.1.2.3'],
    ['::1', '::1'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['::FFFF:10.1.2.3', '10.1.2.3'],
    ['::ffff:0a01:0203', '10.1.2.3'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['2001:DB8:0::0001', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[::1]', '::1'],
    ['[fe80::1%eth0]', 'fe80::1'],
    ['0:0:0:0:0:FFFF:10.1.2.3', '10.1.2.3'],
    ['[10.1.2.3]', undefined],
    ['10.1.2.3%eth0', undefined],
    ['[::1', undefined],
    ['[::1]:443', undefined],
    ['', undefined],
    ['localhost', undefined],
    ['1.2.3', undefined],
    ['256.0.0.1', undefined],
    ['010.0.0.1', undefined],
    ['1.2.3.4:80', undefined],
    ['::1::', undefined],
    ["1.2.3.4' or 1", undefined],
  ])('%j is %j', (text, canonical) => {
    expect(canonicalAddress(text)).toBe(canonical)
  })
})

const bitsOf = (address: string): bigint =>
  address.split('.').reduce((bits, octet) => (bits << 8n) | BigInt(Number(octet)), 0n)

describe('networks', () => {
  it('contain what a comparison of the first bits says', () => {
    const ipv4 = fc.ipV4()
    fc.assert(
      fc.property(
        ipv4,
        fc.integer({ min: 0, max: 32 }),
        ipv4,
        fc.integer({ min: 0, max: 31 }),
        (base, bits, other, flip) => {
          const list = networks(`${base}/${bits}`)
          const shift = BigInt(32 - bits)
          expect(list.contains(other)).toBe(bitsOf(other) >> shift === bitsOf(base) >> shift)
          const near = bitsOf(base) ^ (1n << BigInt(flip))
          const text = [24n, 16n, 8n, 0n].map((by) => String((near >> by) & 255n)).join('.')
          expect(list.contains(text)).toBe(flip < 32 - bits)
          expect(networks(`::ffff:${base}/${96 + bits}`).contains(other)).toBe(list.contains(other))
        },
      ),
    )
  })

  const ipv6 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n })
  const textOf = (bits: bigint): string =>
    Array.from({ length: 8 }, (_, group) => ((bits >> BigInt(112 - 16 * group)) & 0xffffn).toString(16)).join(':')
  const mappedOf = (bits: bigint): boolean => bits >> 32n === 0xffffn

  it('of IPv6 too', () => {
    fc.assert(
      fc.property(
        ipv6,
        fc.integer({ min: 0, max: 128 }),
        ipv6,
        fc.integer({ min: 0, max: 127 }),
        (base, bits, other, flip) => {
          fc.pre(![base, other].some(mappedOf))
          const list = networks(`${textOf(base)}/${bits}`)
          const shift = BigInt(128 - bits)
          const isIn = (address: bigint) => list.contains(canonicalAddress(textOf(address)) ?? '')
          expect(isIn(other)).toBe(other >> shift === base >> shift)
          expect(isIn(base ^ (1n << BigInt(flip)))).toBe(flip < 128 - bits)
        },
      ),
    )
  })

  it('of 64 bits are one client each, and an IPv4 address is one', () => {
    const interesting = fc.array(fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 0xffffn })), {
      minLength: 8,
      maxLength: 8,
    })
    const addresses = interesting.map((groups) => groups.reduce((bits, group) => (bits << 16n) | group, 0n))
    fc.assert(
      fc.property(addresses, addresses, fc.boolean(), (one, other, isNear) => {
        const near = isNear ? ((one >> 64n) << 64n) | (other & ((1n << 64n) - 1n)) : other
        fc.pre(![one, near].some(mappedOf))
        const [first = '', second = ''] = [one, near].map((bits) => canonicalAddress(textOf(bits)))
        expect(ownerOf(first) === ownerOf(second)).toBe(one >> 64n === near >> 64n)
        expect(networks(ownerOf(first)).contains(first)).toBe(true)
        expect(ownerOf(ownerOf(first))).toBe(ownerOf(first))
      }),
    )
    expect(ownerOf('203.0.113.9')).toBe('203.0.113.9')
  })

  it('of one kind have no address of the other', () => {
    const list = networks('::/0')
    expect(['::1', '2001:db8::1', '10.1.2.3', '0.0.0.1'].map((address) => list.contains(address))).toEqual([
      true,
      true,
      false,
      false,
    ])
    expect(networks('0.0.0.0/0').contains('::1')).toBe(false)
    expect(networks('::ffff:0:0/96').contains('10.1.2.3')).toBe(true)
  })

  it('are read again as they are shown', () => {
    const entry = fc.oneof(
      fc.ipV4(),
      ipv6.map(textOf),
      fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([address, bits]) => `${address}/${bits}`),
      fc.tuple(ipv6.map(textOf), fc.integer({ min: 96, max: 128 })).map(([address, bits]) => `${address}/${bits}`),
    )
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 9 }), fc.constantFrom(',', ' ', ', ', '\n'), (entries, between) => {
        const { text } = networks(entries.join(between))
        expect(networks(text).text).toBe(text)
        expect(text === '' ? [] : text.split(',')).toHaveLength(entries.length)
      }),
    )
  })

  it('may be many, of both kinds, and single addresses', () => {
    const list = networks('127.0.0.1, 10.0.0.0/8 2001:db8::/32,::1')
    expect(['127.0.0.1', '10.255.0.1', '2001:db8:1::5', '::1'].map((address) => list.contains(address))).toEqual([
      true,
      true,
      true,
      true,
    ])
    expect(['127.0.0.2', '11.0.0.1', '2001:db9::1', '::2', '', 'x'].map((address) => list.contains(address))).toEqual(
      Array(6).fill(false),
    )
    expect(list.text).toBe('127.0.0.1,10.0.0.0/8,2001:db8::/32,::1')
    expect([networks('').isEmpty, networks('').contains('127.0.0.1')]).toEqual([true, false])
  })

  it.each([
    ['10.0.0.0/33', 'has no prefix length from 0 to 32'],
    ['::/129', 'has no prefix length from 0 to 128'],
    ['::ffff:10.0.0.0/8', 'has no prefix length from 96 to 128'],
    ['10.0.0.0/-1', 'has no prefix length from 0 to 32'],
    ['10.0.0.0/', 'has no prefix length'],
    ['10.0.0.0/8/8', 'is no address and no network'],
    ['10.0.0.1, example.com', '"example.com" is no address'],
    [
      Array(NETWORKS_MAX + 1)
        .fill('10.0.0.1')
        .join(),
      `at most ${NETWORKS_MAX}`,
    ],
  ])('%.30j is refused, and why', (text, problem) => {
    expect(Networks.parse(text)).toContain(problem)
  })
})
