import { parseArgs } from 'node:util'
import { Refusal } from '../kernel/errors.ts'
import { timestampOf } from '../kernel/exchange-time.ts'
import { StartRefused } from '../kernel/start-refused.ts'
import { scopeName } from '../trading/risk/scope.ts'
import { askServer, ControlFailed } from './control.ts'
import { type KillSwitchResults, killSwitchCommands } from './killswitch-commands.ts'
import { withoutServer } from './offline.ts'

const USAGE = `Usage:
  npm run killswitch -- on [--account ACCOUNT] [--strategy STRATEGY] [--square-off]
      Nothing is sent any more from then on; cancels every working order and trigger and, with --square-off, closes every
      position at market. Of the whole instance, unless an account or a strategy of one is named. When Sauda isn't
      running, the next start is halted and does the rest.
  npm run killswitch -- off [--account ACCOUNT] [--strategy STRATEGY]
      Ends that.
  npm run killswitch -- status
      Shows what is halted.
`

export interface KillSwitchOutput {
  readonly print: (text: string) => void
  readonly printError: (text: string) => void
}

const PROCESS_OUTPUT: KillSwitchOutput = {
  print: (text) => process.stdout.write(text),
  printError: (text) => process.stderr.write(text),
}

/** Accounts are named where there are several. */
interface Wanted {
  readonly command: 'on' | 'off' | 'status'
  readonly account: string | undefined
  readonly strategy: string | undefined
  readonly squareOff: boolean
}

/**
 * `npm run killswitch -- …`, through the running server where there is one. `argv` is what follows `killswitch`. Answers
 * the exit code: 0 done, 1 refused or failed, or done in part (the reason is printed), 2 wrong usage.
 */
export async function runKillSwitchCommand(
  argv: readonly string[],
  config: { readonly dataDir: string },
  output: KillSwitchOutput = PROCESS_OUTPUT,
): Promise<number> {
  const wanted = parse(argv)
  if (typeof wanted === 'string') {
    output.printError(`${wanted}\n\n${USAGE}`)
    return 2
  }
  try {
    return await act(wanted, config.dataDir, output)
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof StartRefused || error instanceof ControlFailed)) throw error
    output.printError(`${error.message}\n`)
    return 1
  }
}

function parse(argv: readonly string[]): Wanted | string {
  const options = {
    account: { type: 'string' },
    strategy: { type: 'string' },
    'square-off': { type: 'boolean' },
  } as const
  let parsed: ReturnType<
    typeof parseArgs<{ args: string[]; options: typeof options; allowPositionals: true; strict: true }>
  >
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true })
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  const [command, ...rest] = parsed.positionals
  if (command === undefined) return 'Say on, off or status.'
  if (command !== 'on' && command !== 'off' && command !== 'status') return `"${command}" is none of on, off, status.`
  if (rest.length > 0) return `"${rest[0]}" is one argument too many.`
  const { account, strategy, 'square-off': squareOff = false } = parsed.values
  if (squareOff && command !== 'on') return `--square-off goes with on, not with ${command}.`
  return { command, account, strategy, squareOff }
}

async function act(wanted: Wanted, dataDir: string, { print, printError }: KillSwitchOutput): Promise<number> {
  const { command, account, strategy, squareOff } = wanted
  const whose = { ...(account === undefined ? {} : { account }), ...(strategy === undefined ? {} : { strategy }) }
  if (command === 'status') {
    const { result } = await run(dataDir, 'killswitch-status', {})
    if (result.doubt !== null)
      printError(`It isn't certain what is halted: ${result.doubt}. Nothing is sent meanwhile.\n`)
    for (const { scope, since, by } of result.halted)
      print(
        `${scopeName(scope)}${scope.kind === 'strategy' ? ` of account ${scope.account}` : ''}: halted since ${timestampOf(since)} IST by ${by}\n`,
      )
    if (result.halted.length === 0) print('Nothing is halted.\n')
    return result.doubt === null ? 0 : 1
  }
  if (command === 'off') {
    await run(dataDir, 'killswitch-off', whose)
    print('Orders pass again.\n')
    return 0
  }
  const { result, isRunning } = await run(dataDir, 'killswitch-on', { ...whose, squareOff })
  if (!isRunning) {
    print('Halted. Sauda is not running: its next start cancels what works')
    print(squareOff ? ' and closes what is held.\n' : '.\n')
    return 0
  }
  const closings = squareOff ? `, closed ${result.closed} positions` : ''
  print(`Halted. Cancelled ${result.orders} orders and ${result.gtts} triggers${closings}.\n`)
  for (const failure of result.failures) printError(`${failure}\n`)
  return result.failures.length === 0 ? 0 : 1
}

async function run<C extends keyof KillSwitchResults>(
  dataDir: string,
  command: C,
  args: object,
): Promise<{ readonly result: KillSwitchResults[C]; readonly isRunning: boolean }> {
  const answer = await askServer(dataDir, command, args)
  if (answer.running) return { result: answer.result as KillSwitchResults[C], isRunning: true } // of this same program
  const result = await withoutServer(dataDir, async ({ limits, accounts }): Promise<KillSwitchResults[C]> => {
    const commands: { readonly [K in keyof KillSwitchResults]: (args: unknown) => Promise<KillSwitchResults[K]> } =
      killSwitchCommands({
        limits,
        engage: async (scope, squareOff, actor) => {
          await limits.halt(scope, { squareOff }, actor)
          return { orders: 0, gtts: 0, closed: 0, failures: [] }
        },
        isAccount: (account) => accounts.find(account) !== undefined,
      })
    return await commands[command](args)
  })
  return { result, isRunning: false }
}
