/** Mails on their way at once; who asks for one more is told to try again. */
export const MAILS_MAX = 20

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
        .catch((error: unknown) => onError(withoutSecrets(error, settings)))
        .finally(() => {
          sending -= 1
        })
      return true
    },
  }
}

const SMTP_TIMEOUT_MS = 20_000

async function deliver({ smtpUrl, from }: MailSettings, to: string, subject: string, text: string): Promise<void> {
  const { createTransport } = await import('nodemailer')
  const transport = createTransport(smtpUrl, { from })
  transport.set('connectionTimeout', SMTP_TIMEOUT_MS)
  try {
    await transport.sendMail({ from, to, subject, text })
  } finally {
    transport.close()
  }
}

/** Servers like to repeat what was sent to them. */
function withoutSecrets(error: unknown, { smtpUrl }: MailSettings): Error {
  const { password } = new URL(smtpUrl)
  const message = error instanceof Error ? error.message : String(error)
  const secrets = [smtpUrl, password, decodeURIComponent(password)].filter((secret) => secret !== '')
  return new Error(
    `a mail couldn't be sent: ${secrets.reduce((text, secret) => text.replaceAll(secret, '[secret]'), message)}`,
  )
}
