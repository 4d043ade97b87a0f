import type { Ban } from '../../identity/bans.ts'
import { Refusal } from '../../kernel/errors.ts'
import { timestampOf } from '../../kernel/exchange-time.ts'
import type { Visit } from '../visit.ts'

/** Refuses who is banned, before anything of the request but its headers is read. */
export function refuseBanned(banOf: (address: string) => Ban | undefined) {
  return (visit: Visit): void => {
    const ban = banOf(visit.address)
    if (ban === undefined) return
    const until = ban.expiresAt === undefined ? '' : ` until ${timestampOf(ban.expiresAt)} IST`
    throw new Refusal('address_banned', `Your address ${visit.address} is banned${until}.`)
  }
}
