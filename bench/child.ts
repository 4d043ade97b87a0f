import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface Child {
  readonly process: ChildProcess
  readonly address: string
  readonly output: string
  /** From spawn to the ready line. */
  readonly readyMs: number
  stop(): Promise<void>
}

const READY_TIMEOUT_MS = 60_000
/** What is kept of a child's output: more than what it says of itself at its start. */
const OUTPUT_CHARACTERS_MAX = 10_000

/** Starts a node program and waits until it says where it listens. */
export function startChild(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
): Promise<Child> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [...flags, file, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return new Promise((resolve, reject) => {
    let output = ''
    let isReady = false
    const overdue = setTimeout(
      () => reject(new Error(`${file} wasn't ready after ${READY_TIMEOUT_MS / 1000} s: ${output}`)),
      READY_TIMEOUT_MS,
    )
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}: ${output}`)))
    child.stdout.on('data', (chunk: Buffer) => {
      if (output.length > OUTPUT_CHARACTERS_MAX) return // a log under load: reading it must cost the load nothing
      output += chunk.toString()
      const address = /ready at (http:\/\/\S+)/.exec(output)?.[1]
      if (address === undefined || isReady) return
      isReady = true
      const readyMs = performance.now() - startedAt
      clearTimeout(overdue)
      child.removeAllListeners('exit')
      const exited = new Promise<void>((done) => child.once('exit', () => done()))
      setTimeout(() => {
        resolve({
          process: child,
          address,
          get output() {
            return output
          },
          readyMs,
          stop: () => {
            child.kill('SIGTERM')
            return exited
          },
        })
      }, 200) // the lines after the address
    })
  })
}

/** Resident memory in MB, of Linux's own accounting. */
export function residentMb(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}
