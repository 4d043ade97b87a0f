import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { type App, createApp } from './app.ts'
import { startControl } from './command-line/control.ts'
import { doctorCommand } from './command-line/doctor-command.ts'
import { acquireInstanceLock } from './command-line/instance-lock.ts'
import { keyCommands } from './command-line/key-commands.ts'
import { haltResult, killSwitchCommands } from './command-line/killswitch-commands.ts'
import { resetCommand } from './command-line/reset-command.ts'
import { userCommands } from './command-line/user-commands.ts'
import type { Config } from './config.ts'
import { OWNER } from './identity/audit.ts'
import type { Clock } from './kernel/clock.ts'
import { StartRefused } from './kernel/start-refused.ts'
import { createLog } from './monitor/logging.ts'
import { RequestRows } from './monitor/request-rows.ts'

/** Requests under way get this long to finish after SIGTERM. */
const DRAIN_MS = 10_000

/** Runs the platform until SIGTERM or SIGINT, then drains. Throws StartRefused when it can't start. */
export async function serve(config: Config, clock: Clock): Promise<number> {
  const stop = stopSignal() // from here on: a signal that comes during the start ends it in order
  const lock = acquireInstanceLock(config.dataDir)
  const requests = new RequestRows(clock)
  const { log, flush, lost } = createLog(config, requests)
  const app = await createApp(config, clock, log, requests, lost)
  try {
    const address = await listen(app, config)
    const commands = {
      ...keyCommands(app.keys),
      ...userCommands(app.identity),
      ...resetCommand(app.paper, config),
      ...killSwitchCommands({
        limits: app.limits,
        engage: async (scope, squareOff, actor) => haltResult(await app.killSwitch.engage(scope, squareOff, actor)),
        isAccount: (account) => app.accounts.find(account) !== undefined,
      }),
      ...doctorCommand(app.health),
    }
    const control = await startControl(config.dataDir, commands, (error) =>
      log.error({ err: error }, 'a command failed'),
    )
    app.start()
    app.listensAt(address)
    await greet(app, config.publicUrl || address)
    const signal = await stop
    log.info(`${signal}: finishing what is under way`)
    await control.close()
  } finally {
    await drain(app, log)
    flush()
    lock.release()
  }
  return 0
}

async function listen(app: App, config: Config): Promise<string> {
  try {
    await app.http.listen({ host: config.host === 'localhost' ? LOCALHOST : config.host, port: config.port })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EADDRINUSE')
      throw new StartRefused(
        `Port ${config.port} of ${config.host} is taken. Stop what uses it, or set PORT to another one.`,
      )
    if (code === 'EADDRNOTAVAIL' || code === 'EACCES' || code === 'ENOTFOUND') {
      throw new StartRefused(
        `Can't listen on ${config.host} port ${config.port} (${String(code)}). Set HOST and PORT to an address of this machine.`,
      )
    }
    throw error
  }
  const { address, family, port } = app.http.server.address() as AddressInfo // it listens on TCP
  const reached = REACHED_AT[address] ?? address
  return `http://${family === 'IPv6' ? `[${reached}]` : reached}:${port}`
}

/** Under the name, Fastify would add a second server for ::1, which has none of our listeners: what they take or refuse differs. */
const LOCALHOST = '127.0.0.1'

/** Addresses that mean every one of this machine can be listened on, but not be gone to. */
const REACHED_AT: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** What a person needs to begin. The first key is shown here and never again. */
async function greet(app: App, address: string): Promise<void> {
  const lines = [`Sauda is ready at ${address}`, `API documentation: ${address}/api/v1/`]
  const first = await app.keys.createFirstKey(OWNER)
  if (first !== undefined) {
    lines.push(`Your API key, shown this once: ${first.text}`, 'More keys: npm run key -- create')
  }
  const token = await app.identity.newSetUpToken()
  if (token !== undefined) lines.push(`Set up users within 30 minutes: ${address}/setup?token=${token}`)
  process.stdout.write(`${lines.join('\n')}\n`)
}

function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve)
  })
}

/** A connection that doesn't end in time is cut: what it asked for is on disk or was never acknowledged. */
async function drain(app: App, log: Logger): Promise<void> {
  const overdue = setTimeout(() => {
    log.warn(`connections were still open after ${DRAIN_MS / 1000} s and are cut`)
    app.http.server.closeAllConnections()
  }, DRAIN_MS)
  try {
    await app.close()
  } finally {
    clearTimeout(overdue)
  }
}
