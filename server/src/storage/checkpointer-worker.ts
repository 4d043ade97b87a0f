import { workerData } from 'node:worker_threads'
import { runInBackground } from '../kernel/background-thread.ts'
import type { CheckpointerData } from './checkpointer.ts'
import { openFile } from './sqlite.ts'

/** Often enough that little is left to copy when the writer's own turn comes, and seldom enough to share the disk's waits. */
const EVERY_MS = 250

const { file, synchronous, signal, stop } = workerData as CheckpointerData
runInBackground()
const requests = new Int32Array(signal)
const stopped = new Int32Array(stop)
const database = openFile(file, synchronous, 'read-write')
const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)')

while (Atomics.load(stopped, 0) === 0) {
  const seen = Atomics.load(requests, 0)
  try {
    checkpoint.get()
  } catch {
    // Nothing is lost: it stays in the log, and the writer meets the same disk with the next commit
  }
  if (Atomics.wait(stopped, 0, 0, EVERY_MS) === 'timed-out') Atomics.wait(requests, 0, seen)
}
database.close()
