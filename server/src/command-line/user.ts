import { Refusal } from '../kernel/errors.ts'
import { timestampOf } from '../kernel/exchange-time.ts'
import { StartRefused } from '../kernel/start-refused.ts'
import { askServer, ControlFailed } from './control.ts'
import { withoutServer } from './offline.ts'
import { PROCESS_TERMINAL, parseWords, type Terminal, table, UsageError } from './terminal.ts'
import { type ShownUser, type UserResults, userCommands } from './user-commands.ts'

const USAGE = `Usage:
  npm run user -- create --name NAME --email EMAIL [--role ROLE]
      Creates a user with an account on paper and asks for the password. ROLE is admin, trader or viewer; trader when
      left out, admin for the first user.
  npm run user -- list
      Shows the users.
  npm run user -- reset-password NAME [--password] [--remove-totp]
      Prints a link at which the user sets a new password: once, within 15 minutes. With --password asks for the new
      password instead. --remove-totp takes the second factor away too. NAME may be the e-mail address.
  npm run user -- disable NAME
      Ends all sessions of the user at once; sign-in and keys are refused until enable.
  npm run user -- enable NAME

Passwords are typed, or read from standard input, and never given on the command line, where others could see them.
`

export interface UserCommandConfig {
  readonly dataDir: string
  /** Front of links when no server runs; empty for an address of this machine. */
  readonly publicUrl: string
  readonly port: number
}

type Run = <C extends keyof UserResults>(command: C, args: unknown) => Promise<UserResults[C]>
type Act = (run: Run, terminal: Terminal) => Promise<string>

/**
 * `npm run user -- …`: what the owner of the machine may do with users, through the running server where there is one.
 * `argv` is what follows `user`. Answers the exit code: 0 done, 1 refused or failed (the reason is printed), 2 wrong
 * usage.
 */
export async function runUserCommand(
  argv: readonly string[],
  config: UserCommandConfig,
  terminal: Terminal = PROCESS_TERMINAL,
): Promise<number> {
  try {
    const act = parse(argv)
    terminal.print(await act((command, args) => runAnywhere(config, command, args), terminal))
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.printError(`${error.message}\n\n${USAGE}`)
      return 2
    }
    if (!(error instanceof Refusal || error instanceof StartRefused || error instanceof ControlFailed)) throw error
    terminal.printError(`${error.message}\n`)
    return 1
  }
}

/** What to do, and what to print when it is done. */
function parse([command, ...rest]: readonly string[]): Act {
  switch (command) {
    case 'create': {
      const options = { name: { type: 'string' }, email: { type: 'string' }, role: { type: 'string' } } as const
      const { name, email, role } = parseWords(rest, options, []).values
      if (name === undefined) throw new UsageError('--name is missing.')
      if (email === undefined) throw new UsageError('--email is missing.')
      return (run, terminal) => create(run, terminal, { name, email, role })
    }
    case 'list':
      parseWords(rest, {}, [])
      return list
    case 'reset-password': {
      const options = { password: { type: 'boolean' }, 'remove-totp': { type: 'boolean' } } as const
      const { positionals, values } = parseWords(rest, options, ['The name of the user'])
      const [name = ''] = positionals
      const { password: asks = false, 'remove-totp': removeTotp = false } = values
      return (run, terminal) => resetPassword(run, terminal, { name, asks, removeTotp })
    }
    case 'disable':
    case 'enable': {
      const [name = ''] = parseWords(rest, {}, ['The name of the user']).positionals
      return async (run) => {
        const user = await run(`user-${command}`, { name })
        return command === 'disable'
          ? `Disabled ${user.name}: every session is over, and keys are refused.\n`
          : `Enabled ${user.name}.\n`
      }
    }
    case undefined:
      throw new UsageError('Say what to do with users.')
    default:
      throw new UsageError(`"${command}" is no command.`)
  }
}

async function create(
  run: Run,
  terminal: Terminal,
  wanted: { readonly name: string; readonly email: string; readonly role: string | undefined },
): Promise<string> {
  const isFirst = (await run('user-list', {})).length === 0
  const password = await newPassword(terminal)
  const role = wanted.role ?? (isFirst ? 'admin' : 'trader')
  const user = await run('user-create', { ...wanted, role, password })
  return `Created ${user.id} "${user.name}", ${user.role}.\n`
}

async function resetPassword(
  run: Run,
  terminal: Terminal,
  { name, asks, removeTotp }: { readonly name: string; readonly asks: boolean; readonly removeTotp: boolean },
): Promise<string> {
  const given = asks ? { password: await newPassword(terminal) } : {}
  const { user, url } = await run('user-reset-password', { name, removeTotp, ...given })
  const factor = removeTotp
    ? 'There is no second factor any more.\n'
    : user.hasTotp
      ? 'The second factor stays; --remove-totp takes it away.\n'
      : ''
  if (url === undefined) return `Set the password of ${user.name}; every session is over.\n${factor}`
  return `${factor}${user.name} sets a new password here, once, within 15 minutes:\n\n${url}\n`
}

const newPassword = (terminal: Terminal): Promise<string> => terminal.readSecret('New password: ')

async function list(run: Run): Promise<string> {
  const users = await run('user-list', {})
  if (users.length === 0) return 'There are no users. Open the link that npm start prints, or: npm run user -- create\n'
  const rows = users.map((user) => [
    user.id,
    user.name,
    user.email,
    user.role,
    stateOf(user),
    user.hasTotp ? 'yes' : 'no',
    `${timestampOf(user.createdAt)} IST`,
  ])
  return table([['ID', 'NAME', 'E-MAIL', 'ROLE', 'STATE', 'TOTP', 'CREATED'], ...rows])
}

const stateOf = ({ isDisabled }: ShownUser): string => (isDisabled ? 'disabled' : 'enabled')

async function runAnywhere<C extends keyof UserResults>(
  { dataDir, publicUrl, port }: UserCommandConfig,
  command: C,
  args: unknown,
): Promise<UserResults[C]> {
  const answer = await askServer(dataDir, command, args)
  if (answer.running) return answer.result as UserResults[C] // the server runs the same commands
  const run = async ({ identity }: { readonly identity: Parameters<typeof userCommands>[0] }) => {
    const commands: { readonly [K in keyof UserResults]: (args: unknown) => Promise<UserResults[K]> } =
      userCommands(identity)
    return await commands[command](args)
  }
  return await withoutServer(dataDir, run, { publicUrl: publicUrl || `http://127.0.0.1:${port}` })
}
