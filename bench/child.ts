import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

export interface Child {
  readonly process: ChildProcess
  readonly address: string
  readonly output: string
  /** From spawn to the ready line. */
  readonly readyMs: number
  stop(): Promise<void>
}

const READY_TIMEOUT_MS = 60_000
const LOOK_EVERY_MS = 5
/** For the lines after the address. */
const REST_OF_OUTPUT_MS = 200

/**
 * Starts a node program and waits until it says where it listens. What it prints goes to a file, as that of a service does:
 * through a pipe, the load generator would have to read the log of each request that it sends.
 */
export async function startChild(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
): Promise<Child> {
  const folder = mkdtempSync(join(tmpdir(), 'sauda-bench-output-'))
  const printed = join(folder, 'output')
  const descriptor = openSync(printed, 'a')
  const startedAt = performance.now()
  const child = spawn(process.execPath, [...flags, file, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', descriptor, 'inherit'],
  })
  closeSync(descriptor)
  const exited = new Promise<void>((done) => child.once('exit', () => done()))
  const read = (): string => readFileSync(printed, 'utf8')
  let address: string | undefined
  for (;;) {
    address = /ready at (http:\/\/\S+)\n/.exec(read())?.[1]
    if (address !== undefined) break
    if (child.exitCode !== null) throw new Error(`${file} ended with ${child.exitCode}: ${read()}`)
    if (performance.now() - startedAt > READY_TIMEOUT_MS) {
      child.kill('SIGKILL')
      throw new Error(`${file} wasn't ready after ${READY_TIMEOUT_MS / 1000} s: ${read()}`)
    }
    await setTimeout(LOOK_EVERY_MS)
  }
  const readyMs = performance.now() - startedAt
  await setTimeout(REST_OF_OUTPUT_MS)
  return {
    process: child,
    address,
    output: read(),
    readyMs,
    stop: async () => {
      child.kill('SIGTERM')
      await exited
      rmSync(folder, { recursive: true })
    },
  }
}

/** Resident memory in MB, of Linux's own accounting. */
export function residentMb(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}
