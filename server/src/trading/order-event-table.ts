import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import type { VenueChange } from '../brokers/venue-event.ts'
import type { Database } from '../storage/open.ts'
import type { RecordDatabase } from '../storage/schema.ts'
import type { FedChange } from './order-event-feed.ts'
import { eventsOf, type Written } from './order-event-text.ts'

/** Rows read at once; each holds some hundred events. */
const READ_ROWS = 2
/** Rows deleted by one commit when they are too old. */
const DELETED_ROWS_MAX = 1_000

export interface StoredChanges {
  readonly firstSeq: number
  readonly changes: readonly VenueChange[]
}

const decompress = promisify(zstdDecompress)

/** Written out: it is a part of every order. */
const INSERT = 'INSERT INTO order_event (account, first_seq, last_seq, at, body) VALUES (?, ?, ?, ?, zstd(?))'

type Body = readonly (readonly [seq: number, at: number, events: readonly Written[]])[]

/** What accounts did, on disk: rows of some changes in a row. */
export class OrderEventTable {
  readonly #record: Database<RecordDatabase>

  constructor(record: Database<RecordDatabase>) {
    this.#record = record
  }

  /** Of the last change that is kept; 0 when none is. */
  async lastSeq(account: string): Promise<number> {
    const row = await this.#record.kysely
      .selectFrom('order_event')
      .select('last_seq')
      .where('account', '=', account)
      .orderBy('last_seq', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row?.last_seq ?? 0
  }

  /** Changes from the one numbered `seq` on, some of them; undefined when there are none. The first may be a later one. */
  async from(account: string, seq: number): Promise<StoredChanges | undefined> {
    const rows = await this.#record.kysely
      .selectFrom('order_event')
      .select(['first_seq', 'body'])
      .where('account', '=', account)
      .where('last_seq', '>=', seq)
      .orderBy('last_seq')
      .limit(READ_ROWS)
      .execute()
    const [first] = rows
    if (first === undefined) return undefined
    const changes: VenueChange[] = []
    for (const { body } of rows) {
      const text = typeof body === 'string' ? body : (await decompress(body)).toString()
      for (const [number, at, events] of JSON.parse(text) as Body)
        changes.push({ seq: number, at, events: eventsOf(events) })
    }
    return { firstSeq: first.first_seq, changes }
  }

  /** Adds one row, compressed by the writer: events of many orders say nearly the same, and come to a twentieth. */
  async append(account: string, changes: readonly FedChange[]): Promise<void> {
    const [first, last] = [changes[0], changes.at(-1)]
    if (first === undefined || last === undefined) return
    let text = ''
    for (const change of changes) text += `${text === '' ? '[' : ','}[${change.seq},${change.at},${change.text}]`
    const parameters = [account, first.seq, last.seq, last.at, `${text}]`]
    await this.#record.writer.write([{ sql: INSERT, parameters }])
  }

  /** Removes what never happened: events of changes after `seq`, which a restored backup doesn't know. */
  forgetAfter(account: string, seq: number): Promise<void> {
    return this.#write(
      this.#record.kysely.deleteFrom('order_event').where('account', '=', account).where('last_seq', '>', seq),
    )
  }

  /** Removes the oldest that are from before an instant, some at a time; the newest row stays. */
  async retain(account: string, before: number): Promise<void> {
    const { kysely } = this.#record
    const old = await kysely
      .selectFrom('order_event')
      .select('last_seq')
      .where('account', '=', account)
      .where('at', '<', before)
      .where('last_seq', '<', (newest) =>
        newest
          .selectFrom('order_event')
          .select(({ fn }) => fn.max('last_seq').as('newest'))
          .where('account', '=', account),
      )
      .orderBy('at')
      .limit(DELETED_ROWS_MAX)
      .execute()
    const until = old.at(-1)?.last_seq
    if (until === undefined) return
    await this.#write(kysely.deleteFrom('order_event').where('account', '=', account).where('last_seq', '<=', until))
  }

  #write(query: Parameters<Database<RecordDatabase>['compile']>[0]): Promise<void> {
    return this.#record.writer.write([this.#record.compile(query)])
  }
}
