import type { IncomingMessage } from 'node:http'
import { Refusal } from '../kernel/errors.ts'
import { shown } from './field-type.ts'

const SLASH = 0x2f
/** Scheme, authority, and what follows them. */
const ABSOLUTE = /^([a-z][a-z\d+.-]*):\/\/([^/?#]*)(.*)$/i
/** A name or address, and a port. No user, which RFC 9110 section 4.2.4 takes for an attempt to deceive. */
const HOST = /^(?:[\w.~!$&'()*+;=%-]+|\[[\da-f:.]+\])(?::\d{0,5})?$/i

/** What is wrong with targets; few requests are in it. */
const problems = new WeakMap<IncomingMessage, Refusal>()

/**
 * Brings a request whose target is a whole URL (absolute-form, which RFC 9112 section 3.2.2 has servers accept) into the
 * form that clients send to servers: a path, and the host in `Host`. All that follows sees nothing else, and no user or
 * password that the URL may hold.
 *
 * Where the two hosts differ, the URL's counts, as the RFC says, and nothing sees the other one. That lets nobody in: the
 * host chooses nothing here, it is only what the origin of a browser's request is compared with, and a browser puts into
 * the URL the host whose cookies it sends; who writes requests by hand writes either as they like. A missing or second
 * `Host` is no better for the URL, and stays.
 */
export function settleTarget(request: IncomingMessage): void {
  const { url = '', method, headers, httpVersion } = request
  if (url.charCodeAt(0) === SLASH) return
  const [, scheme, authority = '', rest = ''] = ABSOLUTE.exec(url) ?? []
  if (scheme === undefined) {
    request.url = url.slice(url.lastIndexOf('@') + 1)
    const isTunnel = method === 'CONNECT'
    refuse(request, isTunnel ? 'CONNECT asks a proxy for a tunnel; this server is none.' : 'The target must be a path.')
    return
  }
  request.url = rest.charCodeAt(0) === SLASH ? rest : `/${rest}`
  if (!/^https?$/i.test(scheme)) {
    refuse(request, `The target of the request has the scheme ${shown(scheme)}; http and https are served here.`)
  } else if (authority.includes('@')) {
    refuse(
      request,
      'The target of the request names a user. Send the address without one, and an API key as X-API-KEY or Authorization: Bearer.',
    )
  } else if (!isHost(authority)) refuse(request, 'The target of the request has no valid host.')
  else if (headers.host === undefined ? httpVersion === '1.0' : !headers.host.includes(',')) headers.host = authority
}

function refuse(request: IncomingMessage, message: string): void {
  problems.set(request, malformed(message))
}

/** Chunks of what was made into something else before. Where chunks aren't the last, node:http finds the request broken. */
const CODED = /,\s*chunked\s*$/i

let lastHost: string | undefined

/** Whether `Host` may have this value. Clients send the same again and again. */
export function isHost(text: string): boolean {
  if (text === lastHost) return true
  if (!HOST.test(text)) return false
  lastHost = text
  return true
}

/** What is wrong with the head of a request that node:http lets pass. */
export function headProblem(request: IncomingMessage): Refusal | undefined {
  const { headers, httpVersion } = request
  const { host, 'transfer-encoding': coding } = headers
  if (host === undefined) {
    if (httpVersion !== '1.0') return malformed('The request has no Host header: HTTP/1.1 asks for one.')
  } else if (host.includes(',')) return malformed('The request has more than one Host header.')
  else if (host !== '' && !isHost(host)) return malformed('The Host header of the request is no host.')
  if (coding !== undefined) {
    if (httpVersion === '1.0') return malformed('HTTP/1.0 has no Transfer-Encoding: send a Content-Length.')
    if (CODED.test(coding)) {
      return new Refusal('not_implemented', `Transfer-Encoding ${shown(coding)} is not understood; send chunked.`)
    }
  }
  return problems.get(request)
}

const malformed = (message: string): Refusal => new Refusal('malformed_request', message)
