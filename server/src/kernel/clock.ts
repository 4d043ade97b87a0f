import { performance } from 'node:perf_hooks' // the global of that name is a getter, which takes longer than the reading

/** The only source of time. Instants are epoch milliseconds. */
export interface Clock {
  now(): number
  /** Milliseconds since some fixed point, with fractions, never going back: for durations. */
  elapsedMs(): number
  /** Calls `task` every `intervalMs` until the returned function is called. Runs never overlap in one turn. */
  every(intervalMs: number, task: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsedMs: () => performance.now(),
  every(intervalMs, task) {
    const timer = setInterval(task, intervalMs)
    return () => clearInterval(timer)
  },
}

/** A clock that stands still until it is moved; tasks run while it moves, in order of their time. */
export class ManualClock implements Clock {
  #now: number
  readonly #tasks = new Set<{ dueAt: number; readonly intervalMs: number; readonly task: () => void }>()

  constructor(now: number | string) {
    this.#now = typeof now === 'string' ? Temporal.Instant.from(now).epochMilliseconds : now
  }

  now(): number {
    return this.#now
  }

  elapsedMs(): number {
    return this.#now
  }

  every(intervalMs: number, task: () => void): () => void {
    const entry = { dueAt: this.#now + intervalMs, intervalMs, task }
    this.#tasks.add(entry)
    return () => this.#tasks.delete(entry)
  }

  advance(ms: number): void {
    this.moveTo(this.#now + ms)
  }

  moveTo(at: number): void {
    for (;;) {
      let next: { dueAt: number; readonly intervalMs: number; readonly task: () => void } | undefined
      for (const entry of this.#tasks) {
        if (entry.dueAt <= at && (next === undefined || entry.dueAt < next.dueAt)) next = entry
      }
      if (next === undefined) break
      this.#now = Math.max(this.#now, next.dueAt)
      next.dueAt += next.intervalMs
      next.task()
    }
    this.#now = at
  }
}
