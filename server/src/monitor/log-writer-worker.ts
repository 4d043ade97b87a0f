import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../kernel/assert.ts'
import { runInBackground } from '../kernel/background-thread.ts'
import { DONE_BYTES, LOST_LINES, type LogMessage, type LogWriterData, linesIn } from './log-writer.ts'
import { prettyLines } from './pretty-lines.ts'
import { requestLines } from './request-lines.ts'

const STANDARD_OUTPUT = 1
/** How long a reader that has no room for more is given before it is asked again. */
const FULL_MS = 5

const { isPretty, state } = workerData as LogWriterData
const counts = new Int32Array(state)
const pause = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
assert(parentPort !== null, 'the log is written by a thread')
runInBackground()
const pretty = isPretty ? await prettyLines() : undefined
parentPort.on('message', ({ content, bytes }: LogMessage) => {
  const lines = typeof content === 'string' ? content : requestLines(content)
  write(pretty?.(lines) ?? lines)
  Atomics.add(counts, DONE_BYTES, bytes)
  Atomics.notify(counts, DONE_BYTES)
})

function write(text: string): void {
  let rest = Buffer.from(text)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(STANDARD_OUTPUT, rest))
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') {
        Atomics.wait(pause, 0, 0, FULL_MS)
        continue
      }
      // Nobody reads any more, or the disk is full: the next line may get through
      Atomics.add(counts, LOST_LINES, linesIn(rest.toString()))
      return
    }
  }
}
