import { existsSync } from 'node:fs'
import { type Config, loadConfig } from '../config.ts'
import { Refusal } from '../kernel/errors.ts'
import { StartRefused } from '../kernel/start-refused.ts'
import { askServer, ControlFailed } from './control.ts'
import type { ServerReading } from './doctor-command.ts'
import { examineDatabases } from './examine-databases.ts'
import { examineDisk, examineEnvFile, examineModes, examineSecret } from './examine-files.ts'
import { type Finding, fine, lineOf, wrong } from './finding.ts'

const USAGE = `Usage: npm run doctor

Looks at the settings, the data folder, the databases, the audit log and the running server, changes nothing, and says
what to do about what is wrong.
`

export interface DoctorInput {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Where `.env` is looked for. */
  readonly directory: string
  readonly print: (text: string) => void
}

/** `argv` is what follows `doctor`. Answers the exit code: 0 all is well, 1 something is wrong, 2 wrong usage. */
export async function runDoctor(argv: readonly string[], input: DoctorInput): Promise<number> {
  if (argv.length > 0) {
    input.print(USAGE)
    return 2
  }
  let count = 0
  const show = (findings: readonly Finding[]) => {
    count += findings.filter(({ isWrong }) => isWrong).length
    for (const finding of findings) input.print(lineOf(finding))
  }
  const config = readSettings(input)
  if (Array.isArray(config)) show(config)
  else {
    show([fine('settings', 'Every setting is known and allowed.')])
    await examine(config, input.directory, show)
  }
  input.print(count === 0 ? 'All is well.\n' : `${count} ${count === 1 ? 'thing is' : 'things are'} wrong.\n`)
  return count === 0 ? 0 : 1
}

/** The settings, or what is wrong with each. */
function readSettings({ environment, directory }: DoctorInput): Config | Finding[] {
  try {
    return loadConfig(environment, directory)
  } catch (error) {
    if (!(error instanceof StartRefused)) throw error
    return error.message
      .split('\n')
      .map((problem) => wrong('settings', problem, 'Change it in .env or in the environment.'))
  }
}

async function examine(config: Config, directory: string, show: (findings: readonly Finding[]) => void) {
  const { dataDir } = config
  show(examineEnvFile(directory, config.smtpUrl !== '' || config.metricsToken !== ''))
  if (!existsSync(dataDir)) {
    show([fine('data folder', `${dataDir} isn't there yet; the first start (npm start) makes it.`)])
    return
  }
  show(examineModes(dataDir))
  show([examineDisk(dataDir, config.healthDiskFreeWarnMib), examineSecret(dataDir)])
  show(await examineDatabases(dataDir))
  show(await examineServer(dataDir))
}

/** The server looks at itself: it knows what no other process can see. */
async function examineServer(dataDir: string): Promise<readonly Finding[]> {
  try {
    const answer = await askServer(dataDir, 'doctor', {})
    if (!answer.running) return [fine('server', 'None runs on this data folder; npm start starts one.')]
    const readings = answer.result as readonly ServerReading[] // the server runs the same program
    const problems = readings.filter(({ state }) => state !== 'pass')
    if (problems.length === 0) return [fine('server', `It runs, and its ${readings.length} checks pass.`)]
    return problems.map(({ name, message }) => wrong('server', `${name}: ${message}`, ''))
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof ControlFailed)) throw error
    return [wrong('server', error.message, 'Restart it; its log says more.')]
  }
}
