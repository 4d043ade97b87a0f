import { Worker } from 'node:worker_threads'
import type { Synchronous } from './sqlite.ts'

export interface CheckpointerData {
  readonly file: string
  readonly synchronous: Synchronous
  /** One Int32 that grows with every request to the file's writer: there is nothing to copy while it stays. */
  readonly signal: SharedArrayBuffer
  /** One Int32; 1 ends it. */
  readonly stop: SharedArrayBuffer
}

/**
 * A thread that copies a file's write-ahead log into the file while its writer goes on: of what a commit would wait for,
 * the most is done before. It is a help only; without it the writer copies all by itself.
 */
export class Checkpointer {
  readonly #signal: Int32Array
  readonly #stop: Int32Array
  readonly #exited: Promise<void>

  constructor(file: string, synchronous: Synchronous, signal: SharedArrayBuffer) {
    const stop = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
    this.#signal = new Int32Array(signal)
    this.#stop = new Int32Array(stop)
    const workerData: CheckpointerData = { file, synchronous, signal, stop }
    const worker = new Worker(new URL('./checkpointer-worker.ts', import.meta.url), {
      workerData,
      execArgv: [],
      name: 'checkpointer',
    })
    this.#exited = new Promise((resolve) => {
      worker.once('exit', () => resolve())
      worker.once('error', () => resolve()) // a file that can't be opened again: the writer has it open
    })
  }

  /** Resolves when its connection to the file is closed. */
  async close(): Promise<void> {
    Atomics.store(this.#stop, 0, 1)
    Atomics.notify(this.#stop, 0)
    Atomics.add(this.#signal, 0, 1)
    Atomics.notify(this.#signal, 0)
    await this.#exited
  }
}
