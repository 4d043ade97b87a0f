import { parseArgs } from 'node:util'
import { Refusal } from '../kernel/errors.ts'
import { timestampOf } from '../kernel/exchange-time.ts'
import { StartRefused } from '../kernel/start-refused.ts'
import { askServer, ControlFailed } from './control.ts'
import { type KeyResults, keyCommands } from './key-commands.ts'
import { withoutServer } from './offline.ts'

const USAGE = `Usage:
  npm run key -- create [--name NAME] [--account ACCOUNT] [--scopes SCOPES] [--expires-days DAYS] [--networks LIST]
      Creates an API key and prints it, this once. SCOPES is any of read,trade,admin; read,trade when left out.
      NAME is "unnamed" and ACCOUNT "default" when left out. LIST is of addresses and networks that the key may be used
      from, such as 10.0.0.0/8,203.0.113.9; from everywhere when left out.
  npm run key -- list
      Shows the keys that aren't revoked, without their text.
  npm run key -- revoke ID
      Makes a key useless at once, also in a running server. ID is as list shows it: key_…
  npm run key -- rotate ID [--overlap-hours HOURS]
      Replaces a key by one with the same rights and prints it, this once. The old one goes on working for HOURS, 0 to
      24; 0 when left out.
`

export interface KeyCommandOutput {
  readonly print: (text: string) => void
  readonly printError: (text: string) => void
}

const PROCESS_OUTPUT: KeyCommandOutput = {
  print: (text) => process.stdout.write(text),
  printError: (text) => process.stderr.write(text),
}

class UsageError extends Error {}

type Run = <C extends keyof KeyResults>(command: C, args: unknown) => Promise<KeyResults[C]>

/**
 * `npm run key -- …`: creates, lists and revokes API keys, through the running server where there is one. `argv` is what
 * follows `key`. Answers the exit code: 0 done, 1 refused or failed (the reason is printed), 2 wrong usage.
 */
export async function runKeyCommand(
  argv: readonly string[],
  config: { readonly dataDir: string },
  output: KeyCommandOutput = PROCESS_OUTPUT,
): Promise<number> {
  try {
    const act = parse(argv)
    output.print(await act((command, args) => runAnywhere(config.dataDir, command, args)))
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      output.printError(`${error.message}\n\n${USAGE}`)
      return 2
    }
    if (!(error instanceof Refusal || error instanceof StartRefused || error instanceof ControlFailed)) throw error
    output.printError(`${error.message}\n`)
    return 1
  }
}

/** What to do, and what to print when it is done. */
function parse([command, ...rest]: readonly string[]): (run: Run) => Promise<string> {
  switch (command) {
    case 'create': {
      const { values } = parseOptions(
        rest,
        {
          name: { type: 'string' },
          account: { type: 'string' },
          scopes: { type: 'string' },
          'expires-days': { type: 'string' },
          networks: { type: 'string' },
        },
        0,
      )
      const { name = 'unnamed', account = 'default', scopes = 'read,trade', networks } = values
      const expiresDays = wholeNumber('--expires-days', values['expires-days'])
      const wanted = { name, account, scopes: scopes.split(',').map((scope) => scope.trim()), expiresDays, networks }
      return (run) => create(run, wanted)
    }
    case 'list':
      parseOptions(rest, {}, 0)
      return list
    case 'revoke': {
      const [id = ''] = parseOptions(rest, {}, 1).positionals
      return (run) => revoke(run, id)
    }
    case 'rotate': {
      const { positionals, values } = parseOptions(rest, { 'overlap-hours': { type: 'string' } }, 1)
      const [id = ''] = positionals
      const overlapHours = wholeNumber('--overlap-hours', values['overlap-hours']) ?? 0
      return (run) => rotate(run, id, overlapHours)
    }
    case undefined:
      throw new UsageError('Say what to do with keys.')
    default:
      throw new UsageError(`"${command}" is no command.`)
  }
}

function parseOptions<const T extends Readonly<Record<string, { readonly type: 'string' }>>>(
  argv: readonly string[],
  options: T,
  positionalCount: number,
) {
  let parsed: ReturnType<typeof parseArgs<{ args: string[]; options: T; allowPositionals: true; strict: true }>>
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
  const { length } = parsed.positionals
  if (length < positionalCount) throw new UsageError('The id of the key is missing.')
  if (length > positionalCount)
    throw new UsageError(`"${parsed.positionals[positionalCount]}" is one argument too many.`)
  return parsed
}

function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,6}$/.test(text)) throw new UsageError(`${option} must be a whole number; got "${text}".`)
  return Number(text)
}

async function rotate(run: Run, id: string, overlapHours: number): Promise<string> {
  const key = await run('key-rotate', { id, overlapHours })
  const old = overlapHours === 0 ? `${id} works no more.` : `${id} works for ${overlapHours} more hours.`
  return `Created ${key.id} in place of ${id}. ${old}\nThe key, shown this once:\n\n${key.text}\n`
}

async function create(run: Run, args: object): Promise<string> {
  const key = await run('key-create', args)
  return `Created ${key.id} "${key.name}" for account ${key.account}, with ${key.scopes.join(', ')}.\nThe key, shown this once:\n\n${key.text}\n`
}

async function list(run: Run): Promise<string> {
  const keys = await run('key-list', {})
  if (keys.length === 0) return 'There are no keys. Create one: npm run key -- create\n'
  const rows = keys.map(({ id, account, scopes, createdAt, expiresAt, revokedAt, networks, name }) => [
    id,
    account,
    scopes.join(','),
    shownInstant(createdAt),
    shownInstant(earliest(expiresAt, revokedAt)),
    networks === '' ? '-' : networks,
    name,
  ])
  return table([['ID', 'ACCOUNT', 'SCOPES', 'CREATED', 'WORKS UNTIL', 'FROM', 'NAME'], ...rows])
}

const shownInstant = (at: number | undefined): string => (at === undefined ? '-' : `${timestampOf(at)} IST`)

function earliest(...instants: readonly (number | undefined)[]): number | undefined {
  const known = instants.filter((at) => at !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

async function revoke(run: Run, id: string): Promise<string> {
  await run('key-revoke', { id })
  return `Revoked ${id}.\n`
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('')
}

async function runAnywhere<C extends keyof KeyResults>(
  dataDir: string,
  command: C,
  args: unknown,
): Promise<KeyResults[C]> {
  const answer = await askServer(dataDir, command, args)
  if (answer.running) return answer.result as KeyResults[C] // the server runs the same commands
  return await withoutServer(dataDir, async ({ keys }) => {
    const commands: { readonly [K in keyof KeyResults]: (args: unknown) => Promise<KeyResults[K]> } = keyCommands(keys)
    return await commands[command](args)
  })
}
