import { mkdirSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { type LoadedConfig, loadConfig } from './config.ts'
import { systemClock } from './kernel/clock.ts'
import { StartRefused } from './kernel/start-refused.ts'

const USAGE = `Usage: node server/src/main.ts <command>

  serve                 run the platform (npm start)
  key create|list|revoke   manage API keys (npm run key -- …)
  reset                 start the paper account again with fresh capital (npm run reset)
`

/** Returns the exit code; `serve` returns when it was told to stop. */
async function main(argv: readonly string[]): Promise<number> {
  const [command = 'serve', ...rest] = argv
  const { config, hints }: LoadedConfig = loadConfig(process.env, process.cwd())
  // Each command loads only what it needs, so that the small ones start at once.
  switch (command) {
    case 'serve': {
      cacheCompiled(config.dataDir)
      const { serve } = await import('./serve.ts')
      return await serve(config, hints, systemClock)
    }
    case 'key': {
      const { runKeyCommand } = await import('./command-line/key.ts')
      return await runKeyCommand(rest, config)
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

/** After a clean stop the next start takes a third less. In the data folder, where nobody else can put code. */
function cacheCompiled(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  enableCompileCache(join(dataDir, 'compile-cache'))
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
}
