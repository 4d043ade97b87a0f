import { Refusal } from '../kernel/errors.ts'
import { askServer, ControlFailed } from './control.ts'

const USAGE = `Usage: npm run reset -- --yes [--account default]

Gives the paper account PAPER_CAPITAL again. Its orders, positions and holdings are gone; earlier sessions' books stay.
`

/** Returns the exit code: 0 done, 1 it couldn't be done, 2 wrong words. */
export async function runResetCommand(argv: readonly string[], config: { readonly dataDir: string }): Promise<number> {
  const account = argv.includes('--account') ? argv[argv.indexOf('--account') + 1] : 'default'
  const known = argv.every((word) => word === '--yes' || word === '--account' || word === account)
  if (!argv.includes('--yes') || account === undefined || !known) {
    process.stderr.write(USAGE)
    return 2
  }
  try {
    const answer = await askServer(config.dataDir, 'paper-reset', { account })
    if (!answer.running) {
      process.stderr.write('Sauda is not running on this data folder. Start it with npm start, then reset.\n')
      return 1
    }
    process.stdout.write(`Paper account ${account} starts again: ${JSON.stringify(answer.result)}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof ControlFailed)) throw error
    process.stderr.write(`${error.message}\n`)
    return 1
  }
}
