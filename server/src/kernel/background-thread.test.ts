import { getPriority } from 'node:os'
import { platform } from 'node:process'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { NICER_BY } from './background-thread.ts'

const MODULE = new URL('./background-thread.ts', import.meta.url).href
/** Tells its thread's priority before and after it goes to the background. */
const SCRIPT = `
  const { getPriority } = require('node:os')
  const { readlinkSync } = require('node:fs')
  const { parentPort } = require('node:worker_threads')
  const own = () => getPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)))
  import('${MODULE}').then(({ runInBackground }) => {
    const before = own()
    runInBackground()
    parentPort.postMessage([before, own()])
  })`

test.skipIf(platform !== 'linux')('a thread in the background lets others go first, and only that thread', async () => {
  const process = getPriority()
  const worker = new Worker(SCRIPT, { eval: true })
  const [before, after] = await new Promise<[number, number]>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  expect(before).toBe(process)
  expect(after).toBe(Math.min(process + NICER_BY, 19))
  expect(getPriority()).toBe(process)
})
