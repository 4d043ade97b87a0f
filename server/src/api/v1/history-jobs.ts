import Type from 'typebox'
import { dateOf, dayNumberOf } from '../../kernel/exchange-time.ts'
import { type DownloadJob, isOver, JOB_STATES, progressOf } from '../../market/candle-store/index.ts'
import { choice, flag, integer } from '../field.ts'
import { type Context, defineOperation } from '../operation.ts'
import { actorOf, instantOrNull, success, textOrNull } from './caller.ts'
import { checkDates, checkTwice, endDate, interval, requireListed, startDate, symbols } from './history-fields.ts'
import { belowOf, cursorOf, paging } from './paging.ts'

const partOut = Type.Object({
  done_until: textOrNull,
  exchange: Type.String(),
  missing: Type.Integer({ description: 'Candles that the calendar has and the source hadn’t: see history/coverage.' }),
  problem: Type.String({ description: 'Why it failed; empty unless it did.' }),
  received: Type.Integer({ description: 'Candles that the source gave.' }),
  requests: Type.Integer(),
  state: Type.String({ description: '`waiting`, `running`, `done` or `failed`.' }),
  stored: Type.Integer({ description: 'Of those received, how many are new or changed.' }),
  symbol: Type.String(),
})

const jobOut = {
  created_at: Type.Integer(),
  created_by: Type.String(),
  done: Type.Integer({ description: 'Symbols that are done.' }),
  end_date: Type.String(),
  ended_at: instantOrNull,
  failed: Type.Integer({ description: 'Symbols that failed.' }),
  interval: Type.String(),
  job: Type.Integer(),
  missing: Type.Integer(),
  only_missing: Type.Boolean(),
  progress: Type.Number({ description: 'Percent of all days of all symbols.' }),
  received: Type.Integer(),
  requests: Type.Integer(),
  start_date: Type.String(),
  started_at: instantOrNull,
  state: Type.String({
    description: '`waiting`, `running`, `paused`, `completed`, `completed_with_failures`, `failed` or `cancelled`.',
  }),
  stored: Type.Integer(),
  symbols: Type.Integer({ description: 'How many symbols it has.' }),
}

function shownJob(job: DownloadJob) {
  const sum = (figure: 'missing' | 'received' | 'requests' | 'stored'): number =>
    job.parts.reduce((total, part) => total + part[figure], 0)
  const count = (wanted: string): number => job.parts.filter(({ state }) => state === wanted).length
  return {
    created_at: job.createdAt,
    created_by: job.createdBy,
    done: count('done'),
    end_date: dateOf(job.toDay),
    ended_at: job.endedAt ?? null,
    failed: count('failed'),
    interval: job.interval,
    job: job.id,
    missing: sum('missing'),
    only_missing: job.onlyMissing,
    progress: Math.floor(progressOf(job) * 1000) / 10,
    received: sum('received'),
    requests: sum('requests'),
    start_date: dateOf(job.fromDay),
    started_at: job.startedAt ?? null,
    state: job.state,
    stored: sum('stored'),
    symbols: job.parts.length,
  }
}

const shownParts = (job: DownloadJob) =>
  job.parts.map((part) => ({
    done_until: part.nextDay > job.fromDay ? dateOf(part.nextDay - 1) : null,
    exchange: part.exchange,
    missing: part.missing,
    problem: part.problem,
    received: part.received,
    requests: part.requests,
    state: part.state,
    stored: part.stored,
    symbol: part.symbol,
  }))

const JOB_MAX = 1_000_000_000
const job = () => integer({ min: 1, max: JOB_MAX, description: 'Number of a download job.', example: 1 })

export const historyjobs = defineOperation({
  name: 'history/jobs',
  method: 'GET',
  tag: 'Market data',
  summary: 'Downloads of candles into the local store',
  description: 'Newest first. With `job` that one alone, and how far each of its symbols is.',
  access: 'read',
  rateClass: 'read',
  input: {
    job: job().optional(),
    state: choice(JOB_STATES, { description: 'Only jobs in this state.' }).optional(),
    ...paging,
  },
  output: Type.Object({
    data: Type.Array(
      Type.Object({ ...jobOut, parts: Type.Array(partOut, { description: 'Filled with `job` alone.' }) }),
    ),
    next_cursor: textOrNull,
    status: success,
  }),
  example: {},
  refusals: ['job_not_found'],
  handle({ job: wanted, state, limit, cursor }, { services: { candleDownloads } }) {
    if (wanted !== undefined) {
      const found = candleDownloads.find(wanted)
      return { data: [{ ...shownJob(found), parts: shownParts(found) }], next_cursor: null, status: 'success' as const }
    }
    const below = belowOf(cursor) ?? Number.POSITIVE_INFINITY
    const all = candleDownloads.list().filter((one) => one.id < below && (state === undefined || one.state === state))
    const page = all.slice(0, limit)
    return {
      data: page.map((one) => ({ ...shownJob(one), parts: [] })),
      next_cursor: cursorOf(all.length > limit ? page.at(-1)?.id : undefined),
      status: 'success' as const,
    }
  },
})

const answer = Type.Object({ data: Type.Object(jobOut), message: Type.String(), status: success })
const answerOf = (found: DownloadJob, message: string) => ({
  data: shownJob(found),
  message,
  status: 'success' as const,
})

export const historyjobsstart = defineOperation({
  name: 'history/jobs/start',
  method: 'POST',
  tag: 'Market data',
  summary: 'Download candles into the local store',
  description:
    'Puts a job in the queue and answers at once; jobs run one at a time, no faster than CANDLE_DOWNLOAD_RATE_LIMIT, and go on after a restart. Only candles that are over are stored, each in place of one with the same start; `history` with `source` `db` reads them. The source must have the interval itself.',
  access: 'admin',
  rateClass: 'read',
  input: {
    symbols: symbols('What to download; each once.'),
    interval: interval(),
    start_date: startDate(),
    end_date: endDate(),
    only_missing: flag({ description: 'Ask for what isn’t stored alone: to fill holes, or to go on.' }).optional(
      false,
      false,
    ),
  },
  check: (input) => [...checkDates(input), ...checkTwice(input.symbols)],
  output: answer,
  example: {
    symbols: [{ symbol: 'SBIN', exchange: 'NSE' }],
    interval: '1m',
    start_date: '2026-08-03',
    end_date: '2026-08-07',
  },
  refusals: ['symbol_not_found', 'range_too_long', 'too_many_jobs'],
  async handle(input, context) {
    const { instruments, candleDownloads } = context.services
    requireListed(instruments, input.symbols)
    const wanted = {
      symbols: input.symbols,
      interval: input.interval,
      fromDay: dayNumberOf(input.start_date),
      toDay: dayNumberOf(input.end_date),
      onlyMissing: input.only_missing,
    }
    const made = await candleDownloads.create(wanted, actorOf(context))
    const count = made.parts.length === 1 ? '1 symbol' : `${made.parts.length} symbols`
    return answerOf(made, `Job ${made.id} downloads ${count}`)
  },
})

interface Change {
  readonly name: 'pause' | 'resume' | 'cancel'
  readonly summary: string
  readonly description: string
}

const change = <const Name extends string>(name: Name, { name: verb, summary, description }: Change) =>
  defineOperation({
    name,
    method: 'POST',
    tag: 'Market data',
    summary,
    description,
    access: 'admin',
    rateClass: 'read',
    input: { job: job() },
    output: answer,
    example: { job: 1 },
    refusals: ['job_not_found', 'job_over'],
    async handle({ job: id }: { readonly job: number }, context: Context) {
      const found = await context.services.candleDownloads[verb](id, actorOf(context))
      return answerOf(
        found,
        isOver(found.state) && verb !== 'cancel' ? `Job ${id} is over` : `Job ${id} is ${found.state}`,
      )
    },
  })

export const historyjobspause = change('history/jobs/pause', {
  name: 'pause',
  summary: 'Pause a download',
  description: 'It stops where it is when this is answered. A job that is over stays as it is.',
})
export const historyjobsresume = change('history/jobs/resume', {
  name: 'resume',
  summary: 'Continue a download',
  description:
    'A paused job goes on where it was; one that is over tries again what failed. A cancelled one is refused.',
})
export const historyjobscancel = change('history/jobs/cancel', {
  name: 'cancel',
  summary: 'Cancel a download',
  description: 'It ends; what it has stored stays. A job that is over stays as it is.',
})
