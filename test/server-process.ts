import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { dayNumberAt, dayStartAt } from '../server/src/kernel/exchange-time.ts'

/** How long each step of a server's life may take before the test fails with the server's output. */
const START_MS_MAX = 30_000
const STOP_MS_MAX = 20_000
const COMMAND_MS_MAX = 30_000
/** Output that is kept for error messages and for checks on what was logged. */
const OUTPUT_CHARACTERS_MAX = 4_000_000

/** Tests ask faster than anybody; those of the limits set their own. */
const UNLIMITED: Readonly<Record<string, string>> = {
  ADDRESS_RATE_LIMIT: '1000000 per second',
  API_RATE_LIMIT: '1000000 per second',
  HEAVY_RATE_LIMIT: '1000000 per second',
  ORDER_RATE_LIMIT: '1000000 per second',
  SMART_ORDER_RATE_LIMIT: '1000000 per second',
  LOGIN_RATE_LIMIT: '1000000 per second',
  RESET_RATE_LIMIT: '1000000 per second',
}

export const ROOT = resolve(import.meta.dirname, '..')
/** The runtime that npm scripts of this project run. */
export const NODE = join(ROOT, 'node_modules/.bin/node')
const MAIN = join(ROOT, 'server/src/main.ts')
const START = 'server/start.js'

/** The words that follow `node` in `npm start`, with what they run made absolute. */
function startWords(): string[] {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: { start: string } }
  const [runtime, ...words] = scripts.start.split(' ')
  if (runtime !== 'node' || !words.includes(START)) {
    throw new Error(`npm start runs "${scripts.start}", which is not a node that runs ${START}.`)
  }
  return words.map((word) => (word === START ? join(ROOT, START) : word))
}

export interface Exit {
  /** Null when a signal ended the process. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** No test on one fresh server takes longer. */
const TEST_MS_MAX = 30_000

async function untilTheDayLasts(ms: number): Promise<void> {
  const now = Date.now()
  const midnightAt = dayStartAt(dayNumberAt(now) + 1)
  if (midnightAt - now < ms) await new Promise((resolve) => setTimeout(resolve, midnightAt - now + 100))
}

/** What a person starts: the same command, on a data folder of its own. */
export class ServerProcess {
  readonly dataDir: string
  readonly #folder: string
  readonly #settings: Readonly<Record<string, string>>
  #running: RunningProcess | undefined
  #address = ''
  #key = ''
  #output = ''

  private constructor(folder: string, settings: Readonly<Record<string, string>>) {
    this.#folder = folder
    this.dataDir = join(folder, 'data')
    this.#settings = settings
  }

  /**
   * Starts a server on a fresh data folder, not so shortly before midnight of the exchange's zone that the trading day
   * would change under a test, and waits until it is ready. `settings` are environment variables.
   */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
    await untilTheDayLasts(TEST_MS_MAX)
    const server = new ServerProcess(mkdtempSync(join(tmpdir(), 'sauda-test-')), settings)
    try {
      await server.start()
    } catch (error) {
      await server.remove()
      throw error
    }
    return server
  }

  /** `http://127.0.0.1:PORT`; another one after each start. */
  get address(): string {
    return this.#address
  }

  get port(): number {
    return Number(new URL(this.#address).port)
  }

  /** The key that was shown at the very first start. */
  get key(): string {
    return this.#key
  }

  /** All that the server wrote, over all its starts. */
  get output(): string {
    return this.#output
  }

  /** Starts it again on the same folder. Returns what it wrote until it was ready. */
  async start(): Promise<string> {
    if (this.#running !== undefined) throw new Error('The server is already running.')
    const process = this.#spawn()
    const ready = await process.waitFor(/^Sauda is ready at (http:\/\/\S+)\n.*API documentation: \S+\n/ms, START_MS_MAX)
    this.#address = ready[1] ?? ''
    if (this.#key === '') {
      this.#key = (await process.waitFor(/^Your API key, shown this once: (sk_\S+)$/m, START_MS_MAX))[1] ?? ''
    }
    return process.stdout
  }

  /** Starts it and sends it a signal at some moment, ready or not; waits until it is gone. */
  async startAndSignal(signal: NodeJS.Signals, moment: () => Promise<void>): Promise<Exit> {
    this.#spawn()
    await moment()
    return await this.kill(signal)
  }

  #spawn(): RunningProcess {
    const process = new RunningProcess(startWords(), this.#environment(), this.#folder, (text) => {
      this.#output = (this.#output + text).slice(-OUTPUT_CHARACTERS_MAX)
    })
    this.#running = process
    return process
  }

  /** Ends the process with a signal that it can't answer, and waits until it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    const process = this.#current()
    process.send(signal)
    const exit = await process.exit(STOP_MS_MAX)
    this.#running = undefined
    return exit
  }

  /** Asks the server to end. Throws unless it exits with 0 in time. */
  async stop(): Promise<Exit> {
    const exit = await this.kill('SIGTERM')
    if (exit.code !== 0) {
      throw new Error(`After SIGTERM the server ended with ${exit.signal ?? exit.code} instead of 0.\n${texts(exit)}`)
    }
    return exit
  }

  /** Sends SIGTERM without waiting; `ended` waits. */
  askToStop(): void {
    this.#current().send('SIGTERM')
  }

  async ended(): Promise<Exit> {
    const exit = await this.#current().exit(STOP_MS_MAX)
    this.#running = undefined
    return exit
  }

  /** Runs `server/src/main.ts` with other words on the same data folder, to its end. */
  async command(words: readonly string[], settings: Readonly<Record<string, string>> = {}): Promise<Exit> {
    const process = new RunningProcess([MAIN, ...words], { ...this.#environment(), ...settings }, this.#folder)
    return await process.exit(COMMAND_MS_MAX)
  }

  /** Creates a key through the command line and returns its text and id. */
  async createKey(
    options: { scopes?: string; account?: string; name?: string } = {},
  ): Promise<{ key: string; id: string }> {
    const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
    const exit = await this.command(['key', 'create', ...flags])
    const key = /^(sk_\S+)$/m.exec(exit.stdout)?.[1]
    const id = /^Created (key_\S+) /m.exec(exit.stdout)?.[1]
    if (exit.code !== 0 || key === undefined || id === undefined) {
      throw new Error(`key create failed with ${exit.code}.\n${texts(exit)}`)
    }
    return { key, id }
  }

  /** Ends the process if it runs, and deletes its data. */
  async remove(): Promise<void> {
    if (this.#running !== undefined) await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #current(): RunningProcess {
    if (this.#running === undefined) throw new Error('The server is not running.')
    return this.#running
  }

  /** Nothing of the developer's own settings reaches the server; it runs in a folder without .env. */
  #environment(): Record<string, string> {
    const { PATH = '', HOME = '', TZ } = process.env
    const zone = TZ === undefined ? {} : { TZ }
    return { PATH, HOME, ...zone, ...UNLIMITED, DATA_DIR: this.dataDir, PORT: '0', ...this.#settings }
  }
}

/** A child process, its output so far, and its end. */
class RunningProcess {
  readonly #child: ChildProcess
  readonly #ended: Promise<Exit>
  stdout = ''
  stderr = ''

  constructor(
    words: readonly string[],
    env: Record<string, string>,
    cwd: string,
    onOutput = (_text: string): void => {},
  ) {
    const child = spawn(NODE, words, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout = (this.stdout + text).slice(-OUTPUT_CHARACTERS_MAX)
      onOutput(text)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-OUTPUT_CHARACTERS_MAX)
      onOutput(text)
    })
    this.#ended = new Promise((ended, failed) => {
      child.once('error', failed)
      child.once('close', (code, signal) => ended({ code, signal, stdout: this.stdout, stderr: this.stderr }))
    })
    // Whoever waits for the end hears of a failed start; until then it isn't an unhandled rejection.
    this.#ended.catch(() => undefined)
  }

  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async waitFor(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    const deadlineAt = performance.now() + timeoutMs
    let exit: Exit | undefined
    const ended = this.#ended.then((value) => {
      exit = value
    })
    for (;;) {
      const match = pattern.exec(this.stdout)
      if (match !== null) return match
      if (exit !== undefined) {
        throw new Error(`The server ended with ${exit.signal ?? exit.code} before it wrote ${pattern}.\n${texts(this)}`)
      }
      if (performance.now() > deadlineAt) {
        throw new Error(`The server didn't write ${pattern} within ${timeoutMs} ms.\n${texts(this)}`)
      }
      await Promise.race([ended, sleep(10)])
    }
  }

  async exit(timeoutMs: number): Promise<Exit> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, failed) => {
      timer = setTimeout(() => {
        this.#child.kill('SIGKILL')
        failed(new Error(`The process didn't end within ${timeoutMs} ms and was killed.\n${texts(this)}`))
      }, timeoutMs)
    })
    try {
      return await Promise.race([this.#ended, late])
    } finally {
      clearTimeout(timer)
    }
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms))

const texts = ({ stdout, stderr }: { stdout: string; stderr: string }): string =>
  `--- its output:\n${stdout}\n--- its errors:\n${stderr}`
