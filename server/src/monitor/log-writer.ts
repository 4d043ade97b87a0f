import { Worker } from 'node:worker_threads'
import type { PackedRows } from '../storage/packed-rows.ts'

/** Lines are handed over together, at most so long after they were written. */
const HAND_OVER_MS = 200
const GATHERED_LENGTH = 65_536
/** Whoever reads the log may be so far behind; then lines are lost rather than requests held up. */
export const UNREAD_BYTES_MAX = 8_388_608
/** About what the line of a request takes. */
const REQUEST_LINE_BYTES = 450
/** Who waits for the thread gives up when nothing has come of it for so long. */
const NO_PROGRESS_MS = 1_000

/** Lines of JSON, or requests that become one each. */
export interface LogMessage {
  readonly content: string | PackedRows
  /** About how much there is to write, in bytes. */
  readonly bytes: number
}

export interface LogWriterData {
  readonly isPretty: boolean
  /** Int32: bytes that were written or lost, which may run over, and lines that were lost. */
  readonly state: SharedArrayBuffer
}
export const DONE_BYTES = 0
export const LOST_LINES = 1

/**
 * Standard output, written by a thread of its own: neither making lines of requests nor a slow reader holds up the server.
 * What waits is bounded; what is too much is lost and counted.
 */
export class LogWriter {
  readonly #isPretty: boolean
  readonly #state = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT))
  /** Started with the first line. */
  #worker: Worker | undefined
  #sentBytes = 0
  #lost = 0
  #gathered = ''
  #timer: NodeJS.Timeout | undefined
  #hasStopped = false

  constructor(isPretty: boolean) {
    this.#isPretty = isPretty
  }

  /** Lines that were lost because nobody read them in time, or that could not be written. */
  get lost(): number {
    return this.#lost + Atomics.load(this.#state, LOST_LINES)
  }

  /** A line of JSON, with its end. */
  line(json: string): void {
    this.#gathered += json
    if (this.#gathered.length >= GATHERED_LENGTH) this.#handOver()
    else this.#timer ??= setTimeout(() => this.#handOver(), HAND_OVER_MS).unref()
  }

  requests(rows: PackedRows): void {
    this.#handOver()
    this.#send(rows, rows.text.length + rows.count * REQUEST_LINE_BYTES, rows.count)
  }

  /** Hands over what there is, and waits until it is written. */
  flush(): void {
    this.#handOver()
    let done = Atomics.load(this.#state, DONE_BYTES)
    while (done !== this.#sentBytes && !this.#hasStopped) {
      if (Atomics.wait(this.#state, DONE_BYTES, done, NO_PROGRESS_MS) === 'timed-out') return
      done = Atomics.load(this.#state, DONE_BYTES)
    }
  }

  #handOver(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const lines = this.#gathered
    if (lines === '') return
    this.#gathered = ''
    this.#send(lines, lines.length, linesIn(lines))
  }

  #send(content: string | PackedRows, bytes: number, lines: number): void {
    const unread = (this.#sentBytes - Atomics.load(this.#state, DONE_BYTES)) | 0
    if (unread + bytes > UNREAD_BYTES_MAX || this.#hasStopped) {
      this.#lost += lines
      return
    }
    this.#sentBytes = (this.#sentBytes + bytes) | 0
    const message: LogMessage = { content, bytes }
    this.#worker ??= this.#start()
    this.#worker.postMessage(message)
  }

  #start(): Worker {
    const workerData: LogWriterData = { isPretty: this.#isPretty, state: this.#state.buffer }
    const worker = new Worker(new URL('./log-writer-worker.ts', import.meta.url), {
      workerData,
      execArgv: [],
      name: 'log-writer',
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    })
    worker.unref()
    worker.once('error', (error) => {
      this.#hasStopped = true
      process.stderr.write(`The log can't be written any more: ${error instanceof Error ? error.stack : error}\n`)
    })
    return worker
  }
}

export const linesIn = (text: string): number => text.split('\n').length - 1
