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
const PEERS_KEPT_MAX = 10_000

/**
 * Where a request came from: the peer; or, for a peer that is a trusted proxy, what it says: the right-most entry of
 * `X-Forwarded-For` that isn't a trusted proxy itself. Everything left of that entry was written by the client.
 */
export function clientAddresses(rules: ProxyRules): (peer: string, headers: IncomingHttpHeaders) => string {
  const { trustedProxies, vendorHeader } = rules
  const canonicalPeers = new Map<string, string>()
  const canonicalPeer = (peer: string): string => {
    let canonical = canonicalPeers.get(peer)
    if (canonical === undefined) {
      canonical = canonicalAddress(peer) ?? ''
      if (canonicalPeers.size >= PEERS_KEPT_MAX) canonicalPeers.clear()
      canonicalPeers.set(peer, canonical)
    }
    return canonical
  }
  if (trustedProxies.isEmpty) return canonicalPeer
  return (peer, headers) => {
    const address = canonicalPeer(peer)
    if (!trustedProxies.contains(address)) return address
    const vendor = vendorHeader === '' ? undefined : headers[vendorHeader]
    const told = typeof vendor === 'string' ? canonicalAddress(vendor) : undefined
    return told ?? forwardedFor(headers['x-forwarded-for'], address, trustedProxies)
  }
}

function forwardedFor(header: string | string[] | undefined, peer: string, trusted: Networks): string {
  if (header === undefined) return peer
  const entries = [header].flat().join(',').split(',').slice(-FORWARDED_ENTRIES_MAX)
  let nearest = peer
  for (const entry of entries.reverse()) {
    const address = canonicalAddress(entry)
    if (address === undefined) return nearest // what is left of it can't be placed
    nearest = address
    if (!trusted.contains(address)) return address
  }
  return nearest
}
