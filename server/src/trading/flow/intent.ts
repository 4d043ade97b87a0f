import type { Alongside, Venue } from '../../brokers/venue.ts'
import type { RefusalCode } from '../../kernel/errors.ts'
import type { Statement } from '../../storage/writer.ts'
import type { Plan } from '../plan.ts'

/** What had been decided about a request when it began, so that whoever goes on with it decides none of it anew. Plain data. */
export interface Work {
  readonly plan?: Plan
  /** With what the limits denied orders, by position in the plan. */
  readonly denied?: Readonly<Record<number, RefusalCode>>
  /** Ids of orders that are to be cancelled. */
  readonly cancels?: readonly string[]
}

/** What a client named, so that asking again doesn't do it again. */
export interface Intent {
  /** Carried by all orders that it leads to. */
  readonly tag: string
  /** Whether it was begun before, by a process that then ended: its orders may exist. */
  readonly isResumed: boolean
  /** With what it was begun; undefined while nothing of it is on disk. */
  readonly work: Work | undefined
  /** Puts on disk that it is begun: before anything leaves that its answer can't be committed with. Replaces earlier work. */
  begin(work: Work): Promise<void>
  /**
   * Its answer (an object), for the commit of what it tells of, so that a crash leaves both or neither. A Refusal that
   * `answer` throws is the answer. To be called once at most.
   */
  keep(answer: () => unknown): Statement
}

/**
 * Does one thing at a venue and words the answer. Under a name both are one commit; where the venue has none, that it is
 * begun is on disk before.
 */
export async function answered<Report, Answer>(
  venue: Pick<Venue, 'commitsAlongside'>,
  intent: Intent | undefined,
  work: Work,
  act: (alongside: Alongside<Report> | undefined) => Promise<Report>,
  answer: (report: Report) => Answer,
): Promise<Answer> {
  if (intent === undefined) return answer(await act(undefined))
  if (venue.commitsAlongside !== true) await intent.begin(work)
  return answer(await act((report) => intent.keep(() => answer(report))))
}
