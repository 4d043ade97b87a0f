import { chmodSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { Refusal, type RefusalCode } from '../kernel/errors.ts'
import { controlPath } from './control-path.ts'

/**
 * Commands to the running server from its own machine, one per connection: a line of JSON `{"command", "args"}`, answered
 * by a line of JSON. Who may open the socket is who may read the data folder: the user that Sauda runs as.
 */
export type ControlCommands = Readonly<Record<string, (args: unknown) => Promise<unknown>>>

export interface ControlServer {
  readonly path: string
  close(): Promise<void>
}

export const CONTROL_LINE_BYTES_MAX = 1_048_576
export const CONTROL_REQUEST_BYTES_MAX = 65_536
export const CONTROL_CONNECTIONS_MAX = 16
export const CONTROL_TIMEOUT_MS = 10_000

type Reply =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly code: RefusalCode | 'failed'; readonly message: string }

/** The server had an error of its own; its log says more. */
export class ControlFailed extends Error {
  override readonly name = 'ControlFailed'
}

/**
 * Listens for commands. The caller holds the instance lock of the folder, so a socket that lies there is left over from
 * a process that died. `onError` is told what a command threw that is no Refusal.
 */
export async function startControl(
  dataDir: string,
  commands: ControlCommands,
  onError: (error: unknown) => void,
): Promise<ControlServer> {
  const path = controlPath(dataDir)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    serve(socket, commands, onError)
  })
  server.maxConnections = CONTROL_CONNECTIONS_MAX
  if (process.platform !== 'win32') rmSync(path, { force: true })
  await listen(server, path)
  server.on('error', onError)
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  return { path, close }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', () => {
      server.off('error', reject)
      resolve()
    })
    server.listen(path)
    // The socket is bound by now, and nobody's connection has been taken yet
    if (process.platform !== 'win32' && server.listening) chmodSync(path, 0o600)
  })
}

function serve(socket: Socket, commands: ControlCommands, onError: (error: unknown) => void): void {
  socket.setTimeout(CONTROL_TIMEOUT_MS, () => socket.destroy())
  socket.on('error', () => socket.destroy()) // the other side went away; there is nobody to tell
  readLine(socket, CONTROL_REQUEST_BYTES_MAX, (line) => {
    void answer(line, commands, onError).then((reply) => socket.end(`${JSON.stringify(reply)}\n`))
  })
}

async function answer(
  line: string | undefined,
  commands: ControlCommands,
  onError: (error: unknown) => void,
): Promise<Reply> {
  try {
    const { command, args } = parseRequest(line)
    const run = Object.hasOwn(commands, command) ? commands[command] : undefined
    if (run === undefined) {
      throw new Refusal(
        'not_found',
        `There is no command "${command}": choose from ${Object.keys(commands).join(', ')}.`,
      )
    }
    return { ok: true, result: (await run(args)) ?? null }
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, code: error.code, message: error.message }
    onError(error)
    return { ok: false, code: 'failed', message: 'The server failed to run the command; its log says why.' }
  }
}

function parseRequest(line: string | undefined): { readonly command: string; readonly args: unknown } {
  if (line === undefined) {
    throw new Refusal('body_too_large', `The request is longer than ${CONTROL_REQUEST_BYTES_MAX} bytes.`)
  }
  const request = parseJson(line)
  if (
    typeof request !== 'object' ||
    request === null ||
    !('command' in request) ||
    typeof request.command !== 'string'
  ) {
    throw new Refusal('validation_failed', 'The request must be an object with the text field command.')
  }
  return { command: request.command, args: 'args' in request ? request.args : undefined }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    throw new Refusal(
      'malformed_json',
      `The request is no JSON: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

/** Calls `take` once, with the first line, or with undefined when it is too long. */
function readLine(socket: Socket, bytesMax: number, take: (line: string | undefined) => void): void {
  let received = Buffer.alloc(0)
  const onData = (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    const end = received.indexOf('\n')
    if (end < 0 && received.length <= bytesMax) return
    socket.off('data', onData)
    socket.resume()
    take(end < 0 || end > bytesMax ? undefined : received.toString('utf8', 0, end))
  }
  socket.on('data', onData)
}

export type Answer = { readonly running: false } | { readonly running: true; readonly result: unknown }

/**
 * Has the running server of a data folder run a command; `running` is false when none listens. Throws the Refusal that
 * the server answered, or ControlFailed when it failed or didn't answer in time.
 */
export function askServer(dataDir: string, command: string, args: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect(controlPath(dataDir))
    socket.setTimeout(CONTROL_TIMEOUT_MS, () => {
      socket.destroy(new ControlFailed(`The running server didn't answer within ${CONTROL_TIMEOUT_MS / 1000} seconds.`))
    })
    socket.once('connect', () => socket.write(`${JSON.stringify({ command, args })}\n`))
    socket.once('error', (error) => {
      if (isNobodyThere(error)) resolve({ running: false })
      else if (error instanceof ControlFailed) reject(error)
      else reject(new ControlFailed(`The running server can't be reached: ${error.message}`))
    })
    socket.once('close', () => reject(new ControlFailed('The running server closed the connection without an answer.')))
    readLine(socket, CONTROL_LINE_BYTES_MAX, (line) => {
      socket.destroy()
      if (line === undefined)
        return reject(new ControlFailed(`The answer is longer than ${CONTROL_LINE_BYTES_MAX} bytes.`))
      const reply = JSON.parse(line) as Reply // written by the same program, under the same user
      if (reply.ok) resolve({ running: true, result: reply.result })
      else if (reply.code === 'failed') reject(new ControlFailed(reply.message))
      else reject(new Refusal(reply.code, reply.message))
    })
  })
}

function isNobodyThere(error: Error): boolean {
  return 'code' in error && (error.code === 'ENOENT' || error.code === 'ECONNREFUSED')
}
