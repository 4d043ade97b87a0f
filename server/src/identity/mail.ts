/** Mails on their way at once; one more isn't sent. */
export const MAILS_MAX = 20
const SMTP_TIMEOUT_MS = 20_000

export interface MailSettings {
  /** `smtp://` or `smtps://`, with user and password. */
  readonly smtpUrl: string
  readonly from: string
}

export interface Mailer {
  /** False when too many are on their way; what goes wrong later is told to `onError` only. */
  send(to: string, subject: string, text: string): boolean
}

/** Sends mail by SMTP. Nobody waits for it: how long that takes would tell whether there was anybody to write to. */
export function smtpMailer(settings: MailSettings, onError: (error: unknown) => void): Mailer {
  let sending = 0
  return {
    send(to, subject, text) {
      if (sending >= MAILS_MAX) return false
      sending += 1
      deliver(settings, to, subject, text)
        .catch((error: unknown) => onError(withoutSecrets(error, settings, text)))
        .finally(() => {
          sending -= 1
        })
      return true
    },
  }
}

async function deliver({ smtpUrl, from }: MailSettings, to: string, subject: string, text: string): Promise<void> {
  const { createTransport } = await import('nodemailer')
  const { hostname, password } = new URL(smtpUrl)
  const transport = createTransport({
    url: smtpUrl,
    // A password goes out in clear to this machine only, whatever a server says it can't do
    requireTLS: password !== '' && !isThisMachine(hostname),
    connectionTimeout: SMTP_TIMEOUT_MS,
    greetingTimeout: SMTP_TIMEOUT_MS,
    socketTimeout: SMTP_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  try {
    await transport.sendMail({ from, to: { name: '', address: to }, subject, text })
  } finally {
    transport.close()
  }
}

const isThisMachine = (host: string): boolean => host === 'localhost' || host === '[::1]' || host.startsWith('127.')

/** Servers like to repeat what was sent to them. */
function withoutSecrets(error: unknown, { smtpUrl }: MailSettings, text: string): Error {
  const message = error instanceof Error ? error.message : String(error)
  const shown = [smtpUrl, ...credentialsOf(smtpUrl), ...text.split(/[\s=]+/).filter(isLong)]
    .filter((secret) => secret !== '')
    .reduce((rest, secret) => rest.replaceAll(secret, '[secret]'), message)
  return new Error(`a mail couldn't be sent: ${shown}`)
}

/** As long as a link or its token. */
const isLong = (word: string): boolean => word.length >= 24

/** The password as it may come back: as written in the address, in clear, and as it is sent. */
function credentialsOf(smtpUrl: string): readonly string[] {
  const { username, password } = new URL(smtpUrl)
  if (password === '') return []
  const [user, clear] = [decoded(username), decoded(password)]
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  return [password, clear, base64(clear), base64(`\0${user}\0${clear}`)]
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return text // a % that stands for itself
    throw error
  }
}
