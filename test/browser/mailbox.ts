import { createServer, type Server, type Socket } from 'node:net'

const ARRIVES_MS_MAX = 10_000
const LINES_END = '\r\n.\r\n'

/** A mail server that takes every mail, and whoever reads them. */
export class Mailbox {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #mails: string[] = []
  #arrived: () => void = () => undefined

  private constructor() {
    this.#server = createServer((socket) => this.#serve(socket))
  }

  static async open(): Promise<Mailbox> {
    const mailbox = new Mailbox()
    await new Promise<void>((listening) => mailbox.#server.listen(0, '127.0.0.1', listening))
    return mailbox
  }

  /** Settings of a server that sends its mails here. */
  get settings(): Readonly<Record<string, string>> {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the mail server has no port')
    return { SMTP_URL: `smtp://127.0.0.1:${address.port}`, SMTP_FROM: 'Sauda <sauda@example.com>' }
  }

  /** The only link of the next mail that nobody has read, once it is there. */
  async link(): Promise<string> {
    if (this.#mails.length === 0) await this.#nextMail()
    const mail = (this.#mails.shift() ?? '').replaceAll('=\r\n', '').replaceAll('=3D', '=')
    const [link, ...others] = mail.match(/https?:\/\/\S+/g) ?? []
    if (link === undefined || others.length > 0) throw new Error(`a mail has not one link:\n${mail}`)
    return link
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }

  #nextMail(): Promise<void> {
    return new Promise((arrived, failed) => {
      const timer = setTimeout(() => failed(new Error(`no mail came within ${ARRIVES_MS_MAX} ms`)), ARRIVES_MS_MAX)
      this.#arrived = () => {
        clearTimeout(timer)
        arrived()
      }
    })
  }

  #serve(socket: Socket): void {
    let mail: string | undefined
    this.#sockets.add(socket)
    socket.setEncoding('utf8').write('220 test\r\n')
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: string) => {
      if (mail === undefined) {
        if (/^DATA/i.test(chunk)) mail = ''
        socket.write(mail === undefined ? '250 ok\r\n' : '354 go on\r\n')
        return
      }
      mail += chunk
      if (!mail.endsWith(LINES_END)) return
      this.#mails.push(mail)
      mail = undefined
      socket.write('250 taken\r\n')
      this.#arrived()
    })
  }
}
