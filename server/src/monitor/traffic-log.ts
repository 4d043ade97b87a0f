import type { PackedRows } from '../storage/packed-rows.ts'
import { Batches } from './batches.ts'
import type { FinishedRequest } from './finished-request.ts'
import { type Page, pagesOf } from './log-table.ts'
import { Losses } from './losses.ts'
import { type RequestRows, ROWS_MAX } from './request-rows.ts'
import { RouteTotals, type Totals } from './route-totals.ts'
import { TrafficPacks, type TrafficPacksOptions } from './traffic-packs.ts'
import type { TrafficFilter, TrafficRow } from './traffic-row.ts'

/** Rows are written when they fill a pack, or after so long. */
const WRITE_MS = 1_000
const WAITING_MAX = 20_000
const PAGE_ROWS = 1_000
const RETENTION_EVERY_MS = 10_000

export interface TrafficLogOptions extends TrafficPacksOptions {
  /** Where its rows come from, and what else wants them. */
  readonly requests: RequestRows
}

/**
 * One row for each request, written in batches behind it, and totals of each route, kept as they grow. When rows come
 * faster than the disk takes them, the oldest that wait are dropped and counted.
 */
export class TrafficLog {
  readonly #requests: RequestRows
  readonly #batches: Batches<PackedRows>
  readonly #losses: Losses
  readonly #packs: TrafficPacks
  readonly #totals: RouteTotals
  readonly #stopFollowing: () => void
  readonly #stopRetention: () => void
  #retaining: Promise<void> | undefined

  private constructor({ clock, requests, onError }: TrafficLogOptions, totals: RouteTotals, packs: TrafficPacks) {
    this.#totals = totals
    this.#packs = packs
    this.#losses = new Losses('the traffic log', clock, onError)
    this.#batches = new Batches({
      clock,
      everyMs: WRITE_MS,
      waitingMax: WAITING_MAX,
      batchMax: ROWS_MAX,
      rowsOf: ({ count }) => count,
      write: ([first, ...more]) =>
        totals.written(async (statements) => {
          if (first !== undefined) await packs.add([first, ...more], statements)
        }),
      onLost: (lost, error) => {
        for (const { count } of lost) this.#losses.note(count, error)
      },
    })
    this.#requests = requests
    this.#stopFollowing = requests.follow((rows) => this.#batches.add(rows))
    this.#stopRetention = clock.every(RETENTION_EVERY_MS, () => {
      this.#retaining ??= packs
        .retain()
        .catch(onError)
        .finally(() => {
          this.#retaining = undefined
        })
    })
  }

  static async open(options: TrafficLogOptions): Promise<TrafficLog> {
    const packs = await TrafficPacks.open(options)
    return new TrafficLog(options, await RouteTotals.open(options.telemetry), packs)
  }

  /** Rows that were lost since the start. */
  get dropped(): number {
    return this.#batches.dropped
  }

  get waiting(): number {
    return this.#batches.waiting + this.#requests.waiting
  }

  record(request: FinishedRequest): void {
    this.#totals.add(request)
    this.#requests.add(request)
  }

  /** Newest first, from below an id. */
  async list(filter: TrafficFilter, limit: number, below?: number): Promise<Page<TrafficRow>> {
    await this.#flush()
    return this.#packs.page(filter, limit, below)
  }

  /** Everything that fits, newest first, some at a time. */
  async *pages(filter: TrafficFilter): AsyncGenerator<readonly TrafficRow[]> {
    await this.#flush()
    yield* pagesOf((below) => this.#packs.page(filter, PAGE_ROWS, below))
  }

  /** Of each route, busiest first: since the instance exists, or since this process started. */
  totals(since: 'ever' | 'start' = 'ever'): readonly Totals[] {
    return this.#totals.read(since)
  }

  async close(): Promise<void> {
    this.#stopRetention()
    this.#requests.flush()
    this.#stopFollowing()
    await this.#batches.close()
    await this.#retaining
    this.#losses.close()
  }

  async #flush(): Promise<void> {
    this.#requests.flush()
    await this.#batches.flush()
  }
}
