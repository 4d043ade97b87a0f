import { BlockList, isIP, isIPv4 } from 'node:net'

/** At most so many entries in one list. */
export const NETWORKS_MAX = 256

const MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i

/** An address in its usual form: an IPv4 one that was mapped into IPv6 as IPv4, no zone; undefined when it isn't one. */
export function canonicalAddress(text: string): string | undefined {
  const [plain = ''] = text.trim().split('%', 1)
  const bare = plain.startsWith('[') && plain.endsWith(']') ? plain.slice(1, -1) : plain
  if (isIPv4(bare)) return bare
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

/** Addresses and networks, such as `127.0.0.1, 10.0.0.0/8 2001:db8::/32`. */
export class Networks {
  /** As given, canonical, comma-separated. */
  readonly text: string
  readonly #list: BlockList | undefined
  readonly #single: ReadonlySet<string>

  private constructor(entries: readonly Entry[]) {
    this.text = entries.map(({ address, bits }) => (bits === undefined ? address : `${address}/${bits}`)).join(',')
    this.#single = new Set(entries.filter(({ bits }) => bits === undefined).map(({ address }) => address))
    const networks = entries.filter(({ bits }) => bits !== undefined)
    if (networks.length === 0) return
    this.#list = new BlockList()
    for (const { address, bits } of networks) this.#list.addSubnet(address, bits ?? 0, family(address))
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
    return this.#list !== undefined && isIP(address) !== 0 && this.#list.check(address, family(address))
  }
}

interface Entry {
  readonly address: string
  /** Length of the prefix of a network; undefined for one address. */
  readonly bits: number | undefined
}

const family = (address: string): 'ipv4' | 'ipv6' => (isIPv4(address) ? 'ipv4' : 'ipv6')

function parseEntry(word: string): Entry | string {
  const [host = '', prefix, ...more] = word.split('/')
  const address = canonicalAddress(host)
  if (address === undefined || more.length > 0) return `"${word.slice(0, 64)}" is no address and no network`
  if (prefix === undefined) return { address, bits: undefined }
  const most = isIPv4(address) ? 32 : 128
  // A mapped network of IPv4 counts its bits from the front of the longer address
  const shift = isIPv4(address) && !isIPv4(host) ? 96 : 0
  const bits = /^\d{1,3}$/.test(prefix) ? Number(prefix) - shift : -1
  if (bits < 0 || bits > most) return `"${word.slice(0, 64)}" has no prefix length from 0 to ${most}`
  return { address, bits }
}
