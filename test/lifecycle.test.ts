import { execFile } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createClient } from '../client/src/index.ts'
import { request } from './api.ts'
import { filesIn } from './data-folder.ts'
import { ROOT, ServerProcess, sleep } from './server-process.ts'

/** A newcomer waits no longer than this, on a slow machine that does other things too. */
const START_MS_MAX = 10_000
const NPM_MS_MAX = 30_000

const started: ServerProcess[] = []

async function startServer(): Promise<ServerProcess> {
  const server = await ServerProcess.start()
  started.push(server)
  return server
}

afterEach(async () => {
  for (const server of started.splice(0)) await server.remove()
})

const order = {
  strategy: 'lifecycle',
  exchange: 'NSE',
  symbol: 'SBIN',
  action: 'BUY',
  quantity: 1,
  pricetype: 'MARKET',
  product: 'MIS',
} as const

test('a fresh folder is ready, with a key that works, within seconds', async () => {
  const startedAt = performance.now()
  const server = await startServer()
  const startMs = performance.now() - startedAt
  console.log(`ready ${Math.round(startMs)} ms after the start, on a fresh folder`)
  expect(startMs).toBeLessThan(START_MS_MAX)
  expect(server.key).toMatch(/^sk_[\w-]{43}$/)
  const client = createClient({ host: server.address, apiKey: server.key })
  expect((await client.ping()).data.message).toBe('pong')
  expect((await client.funds()).data.availablecash).toBe(10_000_000)
})

test('the first key is shown at the very first start only, also when it was revoked', async () => {
  const server = await startServer()
  await server.stop()
  expect(await server.start()).not.toContain('sk_')
  const listed = await server.command(['key', 'list'])
  const [id = ''] = /key_\S+/.exec(listed.stdout) ?? []
  expect((await server.command(['key', 'revoke', id])).code).toBe(0)
  await server.stop()
  expect(await server.start()).not.toContain('sk_')
  expect((await request(`${server.address}/api/v1/ping`, { body: { apikey: server.key } })).status).toBe(403)
})

test('a second process on the same data folder is refused and the first works on', async () => {
  const server = await startServer()
  const second = await server.command(['serve'])
  expect(second.code).toBe(1)
  expect(second.stderr.trim()).toBe(
    `The data folder ${server.dataDir} is in use by another running Sauda. Stop that one first, or set DATA_DIR to another folder.`,
  )
  expect(second.stdout).not.toContain('ready')
  const client = createClient({ host: server.address, apiKey: server.key })
  expect((await client.placeorder(order)).status).toBe('success')
})

test('a port that is taken is named, and the process ends with 1', async () => {
  const server = await startServer()
  const other = await startServer()
  await other.stop()
  const refused = await other.command(['serve'], { PORT: String(server.port) })
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain(`Port ${server.port} of 127.0.0.1 is taken.`)
  expect(refused.stderr).not.toContain('    at ')
})

test('every wrong setting is named with its value, and the process ends with 1', async () => {
  const server = await startServer()
  await server.stop()
  const refused = await server.command(['serve'], { PORT: '70000', MARKET_HOURS: 'sometimes' })
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('PORT is "70000"')
  expect(refused.stderr).toContain('MARKET_HOURS is "sometimes"')
})

test('SIGTERM lets requests under way finish, and the process ends with 0', async () => {
  const server = await startServer()
  const halves = await Promise.all(Array.from({ length: 10 }, () => halfSent(server)))
  await sleep(300)
  server.askToStop()
  await sleep(300)
  const answers = await Promise.all(halves.map(({ finish }) => finish()))
  const exit = await server.ended()
  expect(exit).toMatchObject({ code: 0, signal: null })
  const ids = answers.map((answer) => {
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    return /"orderid":"(\d{14})"/.exec(answer)?.[1] ?? answer
  })
  expect(new Set(ids).size).toBe(10)
  await server.start()
  const client = createClient({ host: server.address, apiKey: server.key })
  const { orders } = (await client.orderbook()).data
  expect(orders.map(({ orderid }) => orderid).sort()).toEqual(ids.sort())
})

test('SIGTERM under load: what was acknowledged is there after the next start', async () => {
  const server = await startServer()
  const client = createClient({ host: server.address, apiKey: server.key })
  const acknowledged: string[] = []
  const refusals: unknown[] = []
  const load = Array.from({ length: 8 }, async () => {
    for (;;) {
      try {
        acknowledged.push((await client.placeorder(order)).orderid)
      } catch (error) {
        refusals.push(error)
        return
      }
    }
  })
  await sleep(500)
  await server.stop()
  await Promise.all(load)
  for (const refusal of refusals) {
    expect(['shutting_down', 'connection_failed']).toContain((refusal as { code?: string }).code)
  }
  expect(acknowledged.length).toBeGreaterThan(8)
  await server.start()
  const again = createClient({ host: server.address, apiKey: server.key })
  const ids = new Set((await again.orderbook()).data.orders.map(({ orderid }) => orderid))
  expect(acknowledged.filter((id) => !ids.has(id))).toEqual([])
})

test('SIGTERM during the start ends the process in order', async () => {
  const server = await startServer()
  await server.stop()
  for (const laterMs of [0, 50, 300, 1_000]) {
    rmSync(server.dataDir, { recursive: true })
    // Once it holds the folder it has something to put in order.
    const exit = await server.startAndSignal('SIGTERM', async () => {
      while (!existsSync(join(server.dataDir, 'instance.lock'))) await sleep(5)
      await sleep(laterMs)
    })
    expect(exit).toMatchObject({ code: 0, signal: null })
  }
})

test('an idle connection does not hold up the end', async () => {
  const server = await startServer()
  const socket = await connected(server.port)
  const stopping = performance.now()
  await server.stop()
  expect(performance.now() - stopping).toBeLessThan(5_000)
  socket.destroy()
})

test('npm run key lists, creates and revokes keys while the server runs', async () => {
  const server = await startServer()
  expect(await npmKey(server, 'list')).toMatch(
    /^ID +ACCOUNT +SCOPES +CREATED +WORKS UNTIL +FROM +NAME\nkey_\S+ +default +\S+ +.* first\n$/,
  )
  const created = await npmKey(server, 'create', '--name', 'desk', '--scopes', 'read')
  const [key = ''] = /^sk_\S+$/m.exec(created) ?? []
  const [id = ''] = /key_\w+/.exec(created) ?? []
  const client = createClient({ host: server.address, apiKey: key })
  expect((await client.ping()).status).toBe('success')
  expect(await npmKey(server, 'list')).toMatch(new RegExp(`^${id} +default +read +.* desk$`, 'm'))
  await npmKey(server, 'revoke', id)
  await expect(client.ping()).rejects.toMatchObject({ code: 'api_key_invalid', status: 403 })
})

test('no file of the data folder has the text of a key, and nobody else may read them', async () => {
  const server = await startServer()
  const keys = [server.key, (await server.createKey()).key]
  const client = createClient({ host: server.address, apiKey: server.key })
  await client.placeorder(order)
  await client.placeorder({ ...order, strategy: 'second' })
  expectNoKeyIn(server.dataDir, keys)
  await server.stop()
  expectNoKeyIn(server.dataDir, keys)
})

test('no line of the log has the text of a key', async () => {
  const server = await ServerProcess.start({ LOG_LEVEL: 'trace' })
  started.push(server)
  const { key } = server
  for (const body of [{ apikey: key }, { apikey: key, nope: key }, `${key}`, { apikey: `${key}x` }]) {
    await request(`${server.address}/api/v1/funds`, { body })
    await request(`${server.address}/api/v1/${key}`, { body, headers: { 'x-api-key': key } })
    await request(`${server.address}/${key}?apikey=${key}`, {
      method: 'GET',
      headers: { authorization: `Bearer ${key}` },
    })
  }
  await server.stop()
  expect(server.output.split(key).length - 1, 'times that the key was written').toBe(1)
})

function expectNoKeyIn(folder: string, keys: readonly string[]): void {
  const files = filesIn(folder)
  expect(files.length).toBeGreaterThan(2)
  for (const { path: name, mode, bytes } of files) {
    expect(mode & 0o077, `rights of others on ${name}`).toBe(0)
    for (const key of keys) {
      const random = key.slice('sk_'.length)
      expect(bytes.includes(random), `${name} has a key`).toBe(false)
      expect(bytes.includes(Buffer.from(random, 'base64url')), `${name} has the bytes of a key`).toBe(false)
    }
  }
}

function npmKey(server: ServerProcess, ...words: string[]): Promise<string> {
  return new Promise((done, failed) => {
    const env = { ...process.env, DATA_DIR: server.dataDir }
    execFile(
      'npm',
      ['run', '--silent', 'key', '--', ...words],
      { cwd: ROOT, env, timeout: NPM_MS_MAX },
      (error, stdout, stderr) => {
        if (error === null) done(stdout)
        else failed(new Error(`npm run key -- ${words.join(' ')} failed: ${error.message}\n${stdout}\n${stderr}`))
      },
    )
  })
}

/** A request of which the headers and half of the body are sent. */
async function halfSent(server: ServerProcess): Promise<{ finish(): Promise<string> }> {
  const body = JSON.stringify({ apikey: server.key, ...order })
  const socket = await connected(server.port)
  let answer = ''
  const ended = new Promise<string>((done, failed) => {
    socket.setEncoding('utf8')
    socket.on('data', (text) => {
      answer += text
    })
    socket.once('close', () => done(answer))
    socket.once('error', failed)
  })
  socket.write(
    `POST /api/v1/placeorder HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 40)}`,
  )
  return {
    finish: () => {
      socket.write(body.slice(40))
      return ended
    },
  }
}

function connected(port: number): Promise<Socket> {
  return new Promise((done, failed) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => done(socket))
    socket.once('error', failed)
  })
}
