import { BlockList, isIP, isIPv4 } from 'node:net'

/** At most so many entries in one list. */
export const NETWORKS_MAX = 256

const MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i

/** An address in its usual form: an IPv4 one that was mapped into IPv6 as IPv4, no zone; undefined when it isn't one. */
export function canonicalAddress(text: string): string | undefined {
  const plain = text.trim()
  if (isIPv4(plain)) return plain
  const inside = plain.startsWith('[') && plain.endsWith(']') ? plain.slice(1, -1) : plain
  const [bare = ''] = inside.split('%', 1)
  if (isIP(bare) !== 6) return undefined
  const short = shortestIpv6(bare)
  return MAPPED.exec(short)?.[1] ?? short
}

/** The same text for every way to write an IPv6 address. */
function shortestIpv6(text: string): string {
  const mapped = MAPPED.exec(text)
  if (mapped !== null) return text.toLowerCase()
  const { hostname } = new URL(`http://[${text}]/`)
  const short = hostname.slice(1, -1)
  const hex = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short)
  if (hex === null) return short
  const [high, low] = [Number.parseInt(hex[1] ?? '', 16), Number.parseInt(hex[2] ?? '', 16)]
  return `::ffff:${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
}

/**
 * Who counts as one client: an address, or, for IPv6, its network of 64 bits, of which one client has all the addresses.
 * Anything else stays as it is.
 */
export function ownerOf(who: string): string {
  let end = who.indexOf(':')
  if (end < 0) return who
  const gap = who.indexOf('::')
  for (let group = 1; group < 4 && end >= 0; group += 1) end = who.indexOf(':', end + 1)
  if (end >= 0 && (gap < 0 || end <= gap)) return `${who.slice(0, end)}::/64`
  const [front = '', back = ''] = who.split('::', 2)
  const first = front === '' ? [] : front.split(':')
  const last = back === '' ? [] : back.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0')
  return `${[...first, ...zeros, ...last].slice(0, 4).join(':')}::/64`
}

/** Addresses and networks, such as `127.0.0.1, 10.0.0.0/8 2001:db8::/32`. */
export class Networks {
  /** As given, canonical, comma-separated. */
  readonly text: string
  readonly #single: ReadonlySet<string>
  /** Apart, since a list of both takes an IPv4 address for its IPv6 form, which is in networks such as ::/64. */
  readonly #ipv4: BlockList | undefined
  readonly #ipv6: BlockList | undefined

  private constructor(entries: readonly Entry[]) {
    this.text = entries.map(({ address, bits }) => (bits === undefined ? address : `${address}/${bits}`)).join(',')
    this.#single = new Set(entries.filter(({ bits }) => bits === undefined).map(({ address }) => address))
    this.#ipv4 = listOf(entries, 'ipv4')
    this.#ipv6 = listOf(entries, 'ipv6')
  }

  /** Of a comma- or space-separated list; of text that isn't one, a sentence that names what is wrong. */
  static parse(text: string): Networks | string {
    const words = text.split(/[\s,]+/).filter((word) => word !== '')
    if (words.length > NETWORKS_MAX) return `there are ${words.length} entries, and at most ${NETWORKS_MAX} may be`
    const entries: Entry[] = []
    for (const word of words) {
      const entry = parseEntry(word)
      if (typeof entry === 'string') return entry
      entries.push(entry)
    }
    return new Networks(entries)
  }

  get isEmpty(): boolean {
    return this.text === ''
  }

  /** Whether a canonical address is one of these or in one of these. */
  contains(address: string): boolean {
    if (this.#single.has(address)) return true
    const list = address.includes(':') ? this.#ipv6 : this.#ipv4
    return list !== undefined && isIP(address) !== 0 && list.check(address, family(address))
  }
}

interface Entry {
  readonly address: string
  /** Length of the prefix of a network; undefined for one address. */
  readonly bits: number | undefined
}

type Family = 'ipv4' | 'ipv6'

const family = (address: string): Family => (address.includes(':') ? 'ipv6' : 'ipv4')

function listOf(entries: readonly Entry[], wanted: Family): BlockList | undefined {
  let list: BlockList | undefined
  for (const { address, bits } of entries) {
    if (bits === undefined || family(address) !== wanted) continue
    list ??= new BlockList()
    list.addSubnet(address, bits, wanted)
  }
  return list
}

function parseEntry(word: string): Entry | string {
  const [host = '', prefix, ...more] = word.split('/')
  const address = canonicalAddress(host)
  if (address === undefined || more.length > 0) return `"${word.slice(0, 64)}" is no address and no network`
  if (prefix === undefined) return { address, bits: undefined }
  // A mapped network of IPv4 counts its bits from the front of the longer address
  const least = isIPv4(address) && !isIPv4(host) ? 96 : 0
  const most = isIPv4(host) ? 32 : 128
  const bits = /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1
  if (bits < least || bits > most) return `"${word.slice(0, 64)}" has no prefix length from ${least} to ${most}`
  return { address, bits: bits - least }
}
