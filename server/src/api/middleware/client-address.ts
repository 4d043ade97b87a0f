import type { IncomingHttpHeaders } from 'node:http'
import { canonicalAddress, type Networks } from '../../kernel/networks.ts'

export interface ProxyRules {
  /** Peers that are believed about where a request came from. */
  readonly trustedProxies: Networks
  /** Lower-case name of the one header of a vendor that they are believed for; empty for none. */
  readonly vendorHeader: string
}

/** Entries of `X-Forwarded-For` that are looked at, from the right. */
export const FORWARDED_ENTRIES_MAX = 32
/** What was worked out is kept of so many peers and headers, and of no longer ones: clients send the same again. */
const KEPT_MAX = 10_000
const KEPT_LENGTH_MAX = 64

/**
 * Where a request came from: the peer; or, for a peer that is a trusted proxy, what it says: the right-most entry of
 * `X-Forwarded-For` that isn't a trusted proxy itself. Everything left of that entry was written by the client. When a
 * vendor's header is named, only that one counts: a proxy that sets it may pass on any `X-Forwarded-For`.
 */
export function clientAddresses(rules: ProxyRules): (peer: string, headers: IncomingHttpHeaders) => string {
  const { trustedProxies, vendorHeader } = rules
  const peerOf = remembered((text): Peer => {
    const address = canonicalAddress(text) ?? ''
    return { address, isTrusted: trustedProxies.contains(address) }
  })
  const lastUntrusted = remembered((header) => forwardedFor(header, trustedProxies))
  return (text, headers) => {
    const peer = peerOf(text)
    if (!peer.isTrusted) return peer.address
    const told = headers[vendorHeader === '' ? 'x-forwarded-for' : vendorHeader]
    if (told === undefined) return peer.address
    const header = typeof told === 'string' ? told : told.join()
    return (vendorHeader === '' ? lastUntrusted(header) : canonicalAddress(header)) ?? peer.address
  }
}

function remembered<T>(workOut: (text: string) => T): (text: string) => T {
  const kept = new Map<string, T>()
  return (text) => {
    const known = kept.get(text)
    if (known !== undefined) return known
    const found = workOut(text)
    if (text.length > KEPT_LENGTH_MAX) return found
    if (kept.size >= KEPT_MAX) kept.clear()
    kept.set(text, found)
    return found
  }
}

interface Peer {
  readonly address: string
  readonly isTrusted: boolean
}

/** Undefined when the header names nobody. */
function forwardedFor(header: string, trusted: Networks): string | undefined {
  const entries = header.split(',').slice(-FORWARDED_ENTRIES_MAX)
  let nearest: string | undefined
  for (const entry of entries.reverse()) {
    const address = canonicalAddress(entry)
    if (address === undefined) return nearest // what is left of it can't be placed
    nearest = address
    if (!trusted.contains(address)) return address
  }
  return nearest
}
