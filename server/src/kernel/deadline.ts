import type { Clock } from './clock.ts'

/** How often it is looked whether time is up: deadlines are kept to within this. */
export const DEADLINE_CHECK_MS = 100

/**
 * What `work` gives. After `deadlineMs` it is `late()` that is thrown instead, and the signal tells the work to stop; what
 * becomes of it then concerns nobody.
 */
export async function withDeadline<T>(
  clock: Clock,
  deadlineMs: number,
  work: (signal: AbortSignal) => Promise<T>,
  late: () => Error,
): Promise<T> {
  const controller = new AbortController()
  const dueMs = clock.elapsedMs() + deadlineMs
  const { promise: timeIsUp, reject } = Promise.withResolvers<never>()
  const stop = clock.every(Math.min(DEADLINE_CHECK_MS, deadlineMs), () => {
    if (clock.elapsedMs() < dueMs) return
    reject(late())
    controller.abort()
  })
  try {
    return await Promise.race([work(controller.signal), timeIsUp])
  } finally {
    stop()
  }
}
