import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'

/** What a command of the command line writes to and asks. */
export interface Terminal {
  readonly print: (text: string) => void
  readonly printError: (text: string) => void
  /** Text that isn't shown while it is typed; a line of standard input when that is no terminal. */
  readonly readSecret: (question: string) => Promise<string>
}

export const PROCESS_TERMINAL: Terminal = {
  print: (text) => process.stdout.write(text),
  printError: (text) => process.stderr.write(text),
  readSecret: (question) => (process.stdin.isTTY ? readHidden(question) : readLine()),
}

/** The words of a command line make no sense. */
export class UsageError extends Error {}

type Options = Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>

/** Reads words by `options`; `positionals` names each word that must be there besides. Throws UsageError. */
export function parseWords<const T extends Options>(
  argv: readonly string[],
  options: T,
  positionals: readonly string[],
) {
  let parsed: ReturnType<typeof parseArgs<{ args: string[]; options: T; allowPositionals: true; strict: true }>>
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
  const missing = positionals[parsed.positionals.length]
  if (missing !== undefined) throw new UsageError(`${missing} is missing.`)
  const spare = parsed.positionals[positionals.length]
  if (spare !== undefined) throw new UsageError(`"${spare}" is one argument too many.`)
  return parsed
}

/** Lines of columns that are as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('')
}

async function readLine(): Promise<string> {
  for await (const line of createInterface(process.stdin)) return line
  return ''
}

const SECRET_LENGTH_MAX = 1_000

function readHidden(question: string): Promise<string> {
  const { stdin, stderr } = process
  stderr.write(question)
  stdin.setRawMode(true)
  stdin.setEncoding('utf8').resume()
  return new Promise((resolve, reject) => {
    let typed: string[] = []
    const finish = (act: () => void): void => {
      stdin.off('data', read).pause()
      stdin.setRawMode(false)
      stderr.write('\n')
      act()
    }
    const read = (keys: Buffer | string): void => {
      for (const key of String(keys)) {
        if (key === '\r' || key === '\n') {
          finish(() => resolve(typed.join('')))
          return
        }
        if (key === '\u0003' || key === '\u0004') {
          finish(() => reject(new UsageError('No password was given.')))
          return
        }
        if (key === '\u007f' || key === '\b') typed = typed.slice(0, -1)
        else if (key >= ' ' && typed.length < SECRET_LENGTH_MAX) typed.push(key)
      }
    }
    stdin.on('data', read)
  })
}
