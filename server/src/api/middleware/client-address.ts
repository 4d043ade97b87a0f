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
 * `X-Forwarded-For` that isn't a trusted proxy itself. Everything left of that entry was written by the client. When a
 * vendor's header is named, only that one counts: a proxy that sets it may pass on any `X-Forwarded-For`.
 */
export function clientAddresses(rules: ProxyRules): (peer: string, headers: IncomingHttpHeaders) => string {
  const { trustedProxies, vendorHeader } = rules
  const peers = new Map<string, Peer>()
  const known = (text: string): Peer => {
    let peer = peers.get(text)
    if (peer === undefined) {
      const address = canonicalAddress(text) ?? ''
      peer = { address, isTrusted: trustedProxies.contains(address) }
      if (peers.size >= PEERS_KEPT_MAX) peers.clear()
      peers.set(text, peer)
    }
    return peer
  }
  return (text, headers) => {
    const peer = known(text)
    if (!peer.isTrusted) return peer.address
    if (vendorHeader === '') return forwardedFor(headers['x-forwarded-for'], peer.address, trustedProxies)
    const told = headers[vendorHeader]
    return (typeof told === 'string' ? canonicalAddress(told) : undefined) ?? peer.address
  }
}

interface Peer {
  readonly address: string
  readonly isTrusted: boolean
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
