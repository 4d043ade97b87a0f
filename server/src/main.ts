import { enableCompileCache, flushCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'
import { joinPackages, useJoinedPackages } from './command-line/joined-packages.ts'
import { loadConfig } from './config.ts'
import { systemClock } from './kernel/clock.ts'
import { StartRefused } from './kernel/start-refused.ts'

/** Beside the code that it belongs to: who may write there may change the code. */
const COMPILE_CACHE = fileURLToPath(new URL('../../node_modules/.cache/sauda', import.meta.url))
const JOINED_PACKAGES = fileURLToPath(new URL('../../node_modules/.cache/sauda-packages', import.meta.url))

/** Time that is left for the log and the disk after a failure. */
const LAST_WORDS_MS = 2_000

const USAGE = `Usage: node server/src/main.ts <command>

  serve                 run the platform (npm start)
  key create|list|revoke   manage API keys (npm run key -- …)
  user create|list|reset-password|disable|enable   manage users (npm run user -- …)
  killswitch on|off|status   stop all trading at once (npm run killswitch -- …)
  doctor                look for what is wrong and say what to do (npm run doctor)
  reset                 start the paper account again with fresh capital (npm run reset)
`

/** Returns the exit code; `serve` returns when it was told to stop. */
async function main(argv: readonly string[]): Promise<number> {
  const [command = 'serve', ...rest] = argv
  enableCompileCache(COMPILE_CACHE)
  process.env['NODE_COMPILE_CACHE'] = COMPILE_CACHE // for the threads that this process starts
  if (command === 'compile') return await compile()
  useJoinedPackages(JOINED_PACKAGES)
  if (command === 'doctor') {
    const { runDoctor } = await import('./command-line/doctor.ts') // it looks at the settings too
    return await runDoctor(rest, {
      environment: process.env,
      directory: process.cwd(),
      print: (text) => process.stdout.write(text),
    })
  }
  const config = loadConfig(process.env, process.cwd())
  // Each command loads only what it needs, so that the small ones start at once.
  switch (command) {
    case 'serve': {
      const { serve } = await import('./serve.ts')
      return await serve(config, systemClock)
    }
    case 'key': {
      const { runKeyCommand } = await import('./command-line/key.ts')
      return await runKeyCommand(rest, config)
    }
    case 'user': {
      const { runUserCommand } = await import('./command-line/user.ts')
      return await runUserCommand(rest, config)
    }
    case 'killswitch': {
      const { runKillSwitchCommand } = await import('./command-line/killswitch.ts')
      return await runKillSwitchCommand(rest, config)
    }
    case 'reset': {
      const { runResetCommand } = await import('./command-line/reset.ts')
      return await runResetCommand(rest, config)
    }
    default:
      process.stderr.write(`There is no command "${command}".\n\n${USAGE}`)
      return 2
  }
}

/** Compiles what `serve` runs, at installation, so that the first start takes no longer than later ones. */
async function compile(): Promise<number> {
  await joinPackages(JOINED_PACKAGES)
  useJoinedPackages(JOINED_PACKAGES)
  await import('./serve.ts')
  flushCompileCache()
  return 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  // A refused start tells its reason; anything else is a bug and shows where.
  const text =
    error instanceof StartRefused
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error)
  process.stderr.write(`${text}\n`)
  process.exitCode = 1
  // What had begun before it failed, timers for one, must not keep a process that is of no use
  setTimeout(() => process.exit(), LAST_WORDS_MS).unref()
}
