import { readlinkSync } from 'node:fs'
import { constants, getPriority, setPriority } from 'node:os'
import { platform } from 'node:process'

/** A third of the weight of others: enough to keep up with what a busy server has to write behind. */
export const NICER_BY = 5

/**
 * Lets other threads go before the one that calls this, where processors are scarce: for work that nobody waits for.
 * Only Linux has priorities of threads.
 */
export function runInBackground(): void {
  if (platform !== 'linux') return
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1))
    setPriority(thread, Math.min(getPriority(thread) + NICER_BY, constants.priority.PRIORITY_LOW))
  } catch {
    // Without /proc nobody knows which thread it is; it works all the same
  }
}
