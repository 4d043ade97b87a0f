import { assert } from '../kernel/assert.ts'
import { dateAt } from '../kernel/exchange-time.ts'
import type { Databases } from '../storage/open.ts'

const NUMBER_END = 100_000_000
export const BLOCK_SIZE = 10_000

/**
 * Order ids: 14 digits, `YYMMDD` of the exchange's date and an 8-digit number that only grows. Numbers are allotted in
 * blocks that are on disk before their first number is used, so that no id comes twice, whatever is killed when.
 * After 99,999,999 the number starts again at 0, by when the date has long changed.
 */
export class OrderIds {
  readonly #databases: Databases
  readonly #series: string
  #next: number
  #end: number
  #refill: Promise<void> | undefined
  #dateAt = -1
  #prefix = ''

  private constructor(databases: Databases, series: string, next: number) {
    this.#databases = databases
    this.#series = series
    this.#next = next
    this.#end = next
  }

  /** Ready for the first order. */
  static async open(databases: Databases): Promise<OrderIds> {
    const ids = await OrderIds.openSeries(databases, 'order')
    await ids.#extend()
    return ids
  }

  /** Numbers of their own for something else than orders; none is allotted yet. */
  static async openSeries(databases: Databases, series: string): Promise<OrderIds> {
    const row = await databases.money.kysely
      .selectFrom('id_block')
      .select('next')
      .where('name', '=', series)
      .executeTakeFirst()
    return new OrderIds(databases, series, row?.next ?? 1)
  }

  /** True when so many ids can be taken without waiting. */
  has(count: number): boolean {
    return this.#end - this.#next >= count
  }

  /** Makes sure that the next `count` ids can be taken without waiting. */
  async prepare(count: number): Promise<void> {
    while (!this.has(count)) await this.#extend()
  }

  /** The next id. Call `prepare` before. */
  take(now: number): string {
    assert(this.#next < this.#end, 'no order id is allotted')
    const number = this.#next % NUMBER_END
    this.#next += 1
    if (this.#end - this.#next < BLOCK_SIZE / 2) void this.#extend()
    return this.#prefixAt(now) + String(number).padStart(8, '0')
  }

  #extend(): Promise<void> {
    this.#refill ??= this.#allot().finally(() => {
      this.#refill = undefined
    })
    return this.#refill
  }

  async #allot(): Promise<void> {
    const { kysely, writer, compile } = this.#databases.money
    const end = this.#end + BLOCK_SIZE
    await writer.write([
      compile(
        kysely
          .insertInto('id_block')
          .values({ name: this.#series, next: end })
          .onConflict((row) => row.column('name').doUpdateSet({ next: end })),
      ),
    ])
    this.#end = end
  }

  #prefixAt(now: number): string {
    const minute = Math.floor(now / 60_000)
    if (minute !== this.#dateAt) {
      this.#dateAt = minute
      this.#prefix = dateAt(now).slice(2).replaceAll('-', '')
    }
    return this.#prefix
  }
}
