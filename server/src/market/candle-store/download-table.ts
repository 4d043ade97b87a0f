import type { Database } from '../../storage/open.ts'
import type { RecordDatabase } from '../../storage/schema.ts'
import { type DownloadJob, type JobPart, jobOf } from './download-job.ts'

/** Downloads on the disk. What a job does is idempotent, so a lost last write costs nothing but the work again. */
export class DownloadTable {
  readonly #record: Database<RecordDatabase>

  constructor(record: Database<RecordDatabase>) {
    this.#record = record
  }

  /** All jobs, oldest first. */
  async all(): Promise<DownloadJob[]> {
    const { kysely } = this.#record
    const rows = await kysely.selectFrom('candle_job').selectAll().orderBy('id').execute()
    const parts = await kysely.selectFrom('candle_job_part').selectAll().orderBy('job').orderBy('position').execute()
    const byJob = Map.groupBy(parts, ({ job }) => job)
    return rows.map((row) => jobOf(row, byJob.get(row.id) ?? []))
  }

  /** Adds a job, and forgets others. */
  async add(job: DownloadJob, forgotten: readonly number[]): Promise<void> {
    const { kysely, compile, writer } = this.#record
    const jobRow = {
      id: job.id,
      state: job.state,
      interval: job.interval,
      from_day: job.fromDay,
      to_day: job.toDay,
      only_missing: job.onlyMissing ? 1 : 0,
      created_at: job.createdAt,
      created_by: job.createdBy,
      started_at: job.startedAt ?? null,
      ended_at: job.endedAt ?? null,
    }
    await writer.write([
      ...forgotten.flatMap((id) => [
        compile(kysely.deleteFrom('candle_job_part').where('job', '=', id)),
        compile(kysely.deleteFrom('candle_job').where('id', '=', id)),
      ]),
      compile(kysely.insertInto('candle_job').values(jobRow)),
      ...job.parts.map((part) =>
        compile(
          kysely.insertInto('candle_job_part').values({
            ...columnsOf(part),
            job: job.id,
            position: part.position,
            symbol: part.symbol,
            exchange: part.exchange,
          }),
        ),
      ),
    ])
  }

  /** Writes how a job stands, and some of its parts. */
  async update(job: DownloadJob, parts: readonly JobPart[]): Promise<void> {
    const { kysely, compile, writer } = this.#record
    const state = { state: job.state, started_at: job.startedAt ?? null, ended_at: job.endedAt ?? null }
    await writer.write([
      compile(kysely.updateTable('candle_job').set(state).where('id', '=', job.id)),
      ...parts.map((part) =>
        compile(
          kysely
            .updateTable('candle_job_part')
            .set(columnsOf(part))
            .where('job', '=', job.id)
            .where('position', '=', part.position),
        ),
      ),
    ])
  }
}

const columnsOf = (part: JobPart) => ({
  state: part.state,
  next_day: part.nextDay,
  requests: part.requests,
  received: part.received,
  stored: part.stored,
  missing: part.missing,
  problem: part.problem,
})
