import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { TurnsByName } from '../kernel/turns.ts'
import type { Database } from '../storage/open.ts'
import type { RecordDatabase } from '../storage/schema.ts'

/** Preferences that one user may have. */
export const CHART_KEYS_MAX = 500
/** Bytes of all preferences of one user, keys and values. */
export const CHART_BYTES_MAX = 8 * 1024 * 1024

export interface ChartPreference {
  readonly key: string
  /** JSON. */
  readonly value: string
}

export interface ChartStoreOptions {
  readonly record: Database<RecordDatabase>
  readonly clock: Pick<Clock, 'now'>
}

/**
 * What charts remember for each user: any JSON value by key. Preferences that a key without an owner set are the first
 * user's, like the accounts.
 */
export class ChartStore {
  readonly #record: Database<RecordDatabase>
  readonly #clock: Pick<Clock, 'now'>
  /** Of one user: what a change was checked against must still hold when it is written. */
  readonly #turns = new TurnsByName()

  constructor({ record, clock }: ChartStoreOptions) {
    this.#record = record
    this.#clock = clock
  }

  /** Ordered by key. */
  all(userId: string | undefined): Promise<readonly ChartPreference[]> {
    return this.#record.kysely
      .selectFrom('chart_preference')
      .select(['key', 'value'])
      .where('user_id', '=', userId ?? OWNERLESS)
      .orderBy('key')
      .execute()
  }

  /** Sets all of these or none, and keeps the others. Refuses with `too_many_preferences` what would be too much. */
  set(userId: string | undefined, preferences: readonly ChartPreference[]): Promise<void> {
    const user = userId ?? OWNERLESS
    return this.#turns.run(user, async () => {
      await this.#refuseTooMuch(user, preferences)
      const now = this.#clock.now()
      const statements = preferences.map(({ key, value }) => {
        const row = { user_id: user, key, value, bytes: bytesOf(key, value), updated_at: now }
        const { user_id: _user, key: _key, ...changed } = row
        return this.#record.compile(
          this.#record.kysely
            .insertInto('chart_preference')
            .values(row)
            .onConflict((conflict) => conflict.columns(['user_id', 'key']).doUpdateSet(changed)),
        )
      })
      await this.#record.writer.write(statements)
    })
  }

  /** Deletes those of these keys that there are, and names them. */
  delete(userId: string | undefined, keys: readonly string[]): Promise<readonly string[]> {
    const user = userId ?? OWNERLESS
    return this.#turns.run(user, async () => {
      const { kysely, compile, writer } = this.#record
      const found = await kysely
        .selectFrom('chart_preference')
        .select('key')
        .where('user_id', '=', user)
        .where('key', 'in', keys)
        .orderBy('key')
        .execute()
      const there = found.map(({ key }) => key)
      if (there.length > 0) {
        const deleting = kysely.deleteFrom('chart_preference').where('user_id', '=', user).where('key', 'in', there)
        await writer.write([compile(deleting)])
      }
      return there
    })
  }

  /** Gives the first user what keys without an owner have set. */
  adopt(userId: string): Promise<void> {
    const { kysely, compile, writer } = this.#record
    const adopting = kysely.updateTable('chart_preference').set({ user_id: userId }).where('user_id', '=', OWNERLESS)
    return this.#turns.run(OWNERLESS, () => writer.write([compile(adopting)]))
  }

  async #refuseTooMuch(user: string, preferences: readonly ChartPreference[]): Promise<void> {
    const kept = await this.#record.kysely
      .selectFrom('chart_preference')
      .select(({ fn }) => [fn.countAll<number>().as('count'), fn.sum<number | null>('bytes').as('bytes')])
      .where('user_id', '=', user)
      .where(
        'key',
        'not in',
        preferences.map(({ key }) => key),
      )
      .executeTakeFirstOrThrow()
    const count = kept.count + preferences.length
    const bytes = preferences.reduce((sum, { key, value }) => sum + bytesOf(key, value), kept.bytes ?? 0)
    if (count <= CHART_KEYS_MAX && bytes <= CHART_BYTES_MAX) return
    throw new Refusal(
      'too_many_preferences',
      `A user has at most ${CHART_KEYS_MAX} preferences of ${CHART_BYTES_MAX} bytes together; with these there would be ${count} of ${bytes} bytes. Delete some with chart/delete.`,
    )
  }
}

/** Of keys that were made before there was a user. */
const OWNERLESS = ''

const bytesOf = (key: string, value: string): number => Buffer.byteLength(key) + Buffer.byteLength(value)
