import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Checks } from '../checks.ts'
import { seedFrom } from '../random.ts'

const VENV = join(import.meta.dirname, '.venv')
const PYTHON = join(VENV, 'bin/python')
/** Installing pulls pandas and numpy over the network. */
const INSTALL_MS_MAX = 300_000
const CHECKS_MS_MAX = 400_000

/** Makes the virtual environment with the newest client that pip offers; one that works is used again. */
export async function preparePython(): Promise<void> {
  if (!existsSync(PYTHON) || (await run(PYTHON, ['-c', 'import openalgo, pandas'], INSTALL_MS_MAX)) !== 0) {
    await must('python3', ['-m', 'venv', '--clear', VENV])
    await must(PYTHON, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--upgrade', 'openalgo'])
  }
  const version = "import importlib.metadata as m; print('Python client openalgo', m.version('openalgo'))"
  await must(PYTHON, ['-c', version])
}

export const checkPythonClient = (checks: Checks, host: string, key: string): Promise<void> =>
  checkWith('test_clients.py', checks, { SAUDA_HOST: host, SAUDA_KEY: key })

/** `SAUDA_SEED` repeats a run. */
export const checkPythonRoundTrips = (checks: Checks, host: string, key: string): Promise<void> =>
  checkWith('round_trips.py', checks, {
    SAUDA_HOST: host,
    SAUDA_KEY: key,
    SAUDA_SEED: String(seedFrom('SAUDA_SEED')),
  })

/** The same of the methods for market data. */
export const checkPythonMarketTrips = (checks: Checks, host: string, key: string): Promise<void> =>
  checkWith('market_trips.py', checks, {
    SAUDA_HOST: host,
    SAUDA_KEY: key,
    SAUDA_SEED: String(seedFrom('SAUDA_SEED')),
  })

/** The scripts print their lines themselves; here they are only counted. */
async function checkWith(name: string, checks: Checks, env: Readonly<Record<string, string>>): Promise<void> {
  let output = ''
  const script = join(import.meta.dirname, name)
  const code = await run(PYTHON, [script], CHECKS_MS_MAX, env, (text) => {
    output += text
  })
  const passed = output.match(/^ok python: /gm)?.length ?? 0
  const failed = output.match(/^FAILED python: /gm)?.length ?? 0
  checks.passed += passed
  checks.failed += failed
  if (code !== 0 && failed === 0) {
    checks.failed += 1
    console.log(`FAILED python: the script ended with ${code} after ${passed} checks`)
  }
}

async function must(command: string, words: readonly string[]): Promise<void> {
  const code = await run(command, words, INSTALL_MS_MAX)
  if (code !== 0) throw new Error(`${command} ${words.join(' ')} ended with ${code}. Is python3 with venv installed?`)
}

/** Runs a program to its end, its output shown. Answers its exit code, or the signal that ended it. */
function run(
  command: string,
  words: readonly string[],
  timeoutMs: number,
  env: Readonly<Record<string, string>> = {},
  onOutput: (text: string) => void = () => {},
): Promise<number | string> {
  return new Promise((done, failed) => {
    const child = spawn(command, words, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    })
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      process.stdout.write(text)
      onOutput(text)
    })
    child.once('error', failed)
    child.once('close', (code, signal) => done(code ?? signal ?? 'no exit code'))
  })
}
