import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { MAILS_MAX, smtpMailer } from './mail.ts'

let server: Server | undefined
const sockets = new Set<Socket>()
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  server?.close()
})

/** A mail server that takes everything, or answers `answer` to the login. */
async function start(answer = '235 welcome'): Promise<{ readonly port: number; readonly received: string[] }> {
  const received: string[] = []
  const running = createServer((socket) => {
    sockets.add(socket)
    let isBody = false
    socket.setEncoding('utf8').write('220 test\r\n')
    socket.on('data', (chunk: string) => {
      received.push(chunk)
      if (isBody) {
        if (!chunk.endsWith('\r\n.\r\n')) return
        isBody = false
        socket.write('250 taken\r\n')
      } else if (/^EHLO/i.test(chunk)) socket.write('250-test\r\n250 AUTH PLAIN\r\n')
      else if (/^AUTH/i.test(chunk)) socket.write(`${answer}\r\n`)
      else if (/^DATA/i.test(chunk)) {
        isBody = true
        socket.write('354 go on\r\n')
      } else socket.write('250 ok\r\n')
    })
    socket.on('error', () => socket.destroy())
  })
  server = running
  await new Promise<void>((resolve) => running.listen(0, '127.0.0.1', resolve))
  const address = running.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { port: address.port, received }
}

test('a mail goes to its receiver from the sender of the setting', async () => {
  const { port, received } = await start()
  const errors: unknown[] = []
  const mailer = smtpMailer(
    { smtpUrl: `smtp://user:pass%20word@127.0.0.1:${port}`, from: 'Sauda <sauda@example.com>' },
    (error) => errors.push(error),
  )
  expect(mailer.send('asha@example.com', 'A subject', 'Some text\n')).toBe(true)
  await expect.poll(() => received.join('')).toContain('\r\n.\r\n')
  const all = received.join('')
  expect(all).toContain(Buffer.from('\0user\0pass word').toString('base64'))
  expect(all).toContain('MAIL FROM:<sauda@example.com>')
  expect(all).toMatch(/^From: Sauda <sauda@example\.com>\r$/m)
  expect(all).toContain('RCPT TO:<asha@example.com>')
  expect(all).toMatch(/^Subject: A subject\r?$/m)
  expect(all).toContain('Some text')
  expect(errors).toEqual([])
})

test('what goes wrong is told without the password and the link, even when the server repeats them', async () => {
  const token = 'https://sauda.example/reset?token=abcdefghijklmnopqrstuvwxyz'
  const sent = Buffer.from('\0user\0s3cr3t!').toString('base64')
  const { port } = await start(`535 no such password s3cr3t%21 or s3cr3t! or ${sent} for ${token}`)
  const errors: unknown[] = []
  const mailer = smtpMailer({ smtpUrl: `smtp://user:s3cr3t%21@127.0.0.1:${port}`, from: 'a@example.com' }, (error) =>
    errors.push(error),
  )
  mailer.send('asha@example.com', 'A subject', `Open ${token} now`)
  await expect.poll(() => errors.length).toBe(1)
  expect(String(errors[0])).toContain("a mail couldn't be sent")
  for (const secret of ['s3cr3t', sent, 'abcdefghijkl']) expect(String(errors[0])).not.toContain(secret)
})

test('a password goes to another machine under TLS only', async () => {
  const { port, received } = await start()
  const errors: unknown[] = []
  // Any address of this machine that isn't written as one
  const mailer = smtpMailer({ smtpUrl: `smtp://user:s3cr3t@0.0.0.0:${port}`, from: 'a@example.com' }, (error) =>
    errors.push(error),
  )
  mailer.send('asha@example.com', 'A subject', 'Some text')
  await expect.poll(() => errors.length).toBe(1)
  expect(received.join('')).not.toContain('AUTH')
})

test('so many are on their way at once, and no more are sent', async () => {
  const errors: unknown[] = []
  const silent = createServer((socket) => sockets.add(socket))
  server = silent
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const address = silent.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const mailer = smtpMailer({ smtpUrl: `smtp://127.0.0.1:${address.port}`, from: 'a@example.com' }, (error) =>
    errors.push(error),
  )
  const sent = Array.from({ length: MAILS_MAX + 2 }, () => mailer.send('asha@example.com', 'A subject', 'Some text'))
  expect(sent.filter(Boolean)).toHaveLength(MAILS_MAX)
  await expect.poll(() => sockets.size, { timeout: 10_000 }).toBeGreaterThanOrEqual(MAILS_MAX)
  for (const socket of sockets) socket.destroy()
  await expect.poll(() => errors.length, { timeout: 10_000 }).toBe(MAILS_MAX)
  expect(mailer.send('asha@example.com', 'A subject', 'Some text')).toBe(true)
})
