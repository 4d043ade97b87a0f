import { parentPort, type Transferable, workerData } from 'node:worker_threads'
import { assert } from '../../kernel/assert.ts'
import { Refusal } from '../../kernel/errors.ts'
import { CandleFiles } from './candle-files.ts'
import { startsOf } from './columns.ts'
import { openEngine } from './engine.ts'
import { exportFile } from './export-file.ts'
import { importFile } from './import-file.ts'
import type { CallName, Calls, StoreReply, StoreRequest, StoreWorkerData } from './store-protocol.ts'

const { folders, memoryMib } = workerData as StoreWorkerData
const port = parentPort
assert(port !== null, 'the candle store has a thread of its own')

const engine = await openEngine({ memoryMib, folders: [folders.candles, folders.imports, folders.exports] })
const files = new CandleFiles(folders.candles, engine)

const calls: { readonly [Name in CallName]: (given: Calls[Name]['given']) => Promise<Calls[Name]['answer']> } = {
  read: ({ series, fromAt, toAt, max }) => files.read(series, fromAt, toAt, max),
  starts: async ({ series, fromAt, toAt }) => startsOf(await files.read(series, fromAt, toAt)).slice(),
  put: ({ series, columns }) => files.put(series, columns),
  remove: ({ series }) => files.remove(series),
  summaries: ({ series }) => files.summaries(series),
  importFile: (wanted) => importFile(wanted, { folder: folders.imports, engine, files }),
  exportFile: (wanted) => exportFile(wanted, { candles: folders.candles, folder: folders.exports, engine }),
}

/** Calls under way; the end waits for them. */
const running = new Set<Promise<void>>()

port.on('message', (request: StoreRequest) => {
  if (request.name === 'close') {
    void end()
    return
  }
  const call = answer(request)
  running.add(call)
  void call.finally(() => running.delete(call))
})

async function answer(request: Exclude<StoreRequest, { name: 'close' }>): Promise<void> {
  const { id } = request
  try {
    const result = await act(request)
    say({ id, answer: result }, buffersOf(result))
  } catch (error) {
    if (error instanceof Refusal) say({ id, refusal: { code: error.code, message: error.message } })
    else say({ id, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}

const act = (request: Exclude<StoreRequest, { name: 'close' }>): Promise<unknown> =>
  (calls[request.name] as (given: unknown) => Promise<unknown>)(request.given)

function say(reply: StoreReply, buffers: Transferable[] = []): void {
  port?.postMessage(reply, buffers)
}

function buffersOf(result: unknown): Transferable[] {
  if (result instanceof Float64Array) return [result.buffer as ArrayBuffer]
  if (typeof result !== 'object' || result === null || !('values' in result)) return []
  return result.values instanceof Float64Array && result.values.length > 0 ? [result.values.buffer as ArrayBuffer] : []
}

async function end(): Promise<void> {
  await Promise.allSettled(running)
  engine.close()
  port?.close()
}
