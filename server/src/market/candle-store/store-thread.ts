import { type Transferable, Worker } from 'node:worker_threads'
import { Refusal } from '../../kernel/errors.ts'
import type { CallName, Calls, StoreReply, StoreRequest, StoreWorkerData } from './store-protocol.ts'

/** Calls that are accepted and not yet answered. */
export const CALLS_MAX = 64

interface Waiting {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}

/** The thread that has the database engine: it starts with the first call and ends when it is told to. */
export class StoreThread {
  readonly #data: StoreWorkerData
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #exited: Promise<void> = Promise.resolve()
  #nextId = 1
  #isClosed = false

  constructor(data: StoreWorkerData) {
    this.#data = data
  }

  get isRunning(): boolean {
    return this.#worker !== undefined
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Rejects with what the call throws; overloaded when too many wait; shutting_down after `close`. */
  call<Name extends CallName>(
    name: Name,
    given: Calls[Name]['given'],
    transfer: Transferable[] = [],
  ): Promise<Calls[Name]['answer']> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw new Refusal('shutting_down', 'Sauda is shutting down: try again when it is back.')
      if (this.#waiting.size >= CALLS_MAX)
        throw new Refusal('overloaded', `${CALLS_MAX} calls wait for the candle store already: try again later.`)
      const id = this.#nextId
      this.#nextId += 1
      this.#waiting.set(id, { resolve: (answer) => resolve(answer as Calls[Name]['answer']), reject })
      const request = { id, name, given } as StoreRequest
      this.#running().postMessage(request, transfer)
    })
  }

  /** Gives the engine's memory back when nothing is under way; the next call starts it anew. */
  async rest(): Promise<void> {
    if (this.#waiting.size === 0) await this.#stop()
  }

  /** Lets what was accepted finish, then ends. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#stop()
  }

  async #stop(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    worker?.postMessage({ name: 'close' } satisfies StoreRequest)
    await this.#exited
  }

  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const worker = new Worker(new URL('./store-worker.ts', import.meta.url), {
      workerData: this.#data,
      execArgv: [],
      name: 'candle-store',
    })
    this.#worker = worker
    let reason = 'its thread stopped'
    worker.on('message', (reply: StoreReply) => this.#receive(reply))
    worker.on('error', (error) => {
      reason = error instanceof Error ? error.message : String(error)
    })
    const before = this.#exited
    this.#exited = new Promise((resolve) => {
      worker.once('exit', () => {
        if (this.#worker === worker) this.#break(reason)
        void before.then(resolve)
      })
    })
    return worker
  }

  #receive(reply: StoreReply): void {
    const waiting = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if ('answer' in reply) waiting?.resolve(reply.answer)
    else if ('refusal' in reply) waiting?.reject(new Refusal(reply.refusal.code, reply.refusal.message))
    else waiting?.reject(new Error(`The candle store failed: ${reply.failure}`))
  }

  /** It ended by itself: what waits isn't known to be done, and the next call starts it anew. */
  #break(reason: string): void {
    this.#worker = undefined
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting) reject(new Error(`The candle store failed: ${reason}`))
  }
}
