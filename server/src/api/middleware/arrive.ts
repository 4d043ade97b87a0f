import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Clock } from '../../kernel/clock.ts'
import { requestIdFrom } from '../request-id.ts'
import { Visit } from '../visit.ts'
import { WholeRequest } from '../whole-messages.ts'

export interface ArriveOptions {
  readonly clock: Clock
  /** Address of the client, given the peer's and the headers. */
  readonly addressOf: (peer: string, headers: IncomingHttpHeaders) => string
}

/** The first step of every request: what it is called, when it came and from where. */
export function arrivals({ clock, addressOf }: ArriveOptions): (request: IncomingMessage) => Visit {
  const elapsedMs = () => clock.elapsedMs()
  return (request) => {
    const { headers, method = '', url = '', socket } = request
    const visit = new Visit({
      id: requestIdFrom(headers),
      at: clock.now(),
      elapsedMs,
      method,
      url,
      headers,
      address: addressOf(socket.remoteAddress ?? '', headers),
    })
    if (request instanceof WholeRequest) request.visit = visit
    return visit
  }
}
