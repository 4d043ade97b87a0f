import { AccountStore } from '../identity/accounts.ts'
import { ITSELF } from '../identity/audit.ts'
import { BanList } from '../identity/bans.ts'
import { ChartStore } from '../identity/chart-store.ts'
import { Identity } from '../identity/identity.ts'
import { KeyStore } from '../identity/key-store.ts'
import { smtpMailer } from '../identity/mail.ts'
import type { Ground } from './ground.ts'

/** Who may ask, and what is theirs. `openBooks` opens the books of a new account at its venue. */
export async function openPeople(
  { config, clock, databases, audit, onError }: Ground,
  publicUrl: () => string,
  openBooks: (account: string) => Promise<void>,
) {
  const accounts = await AccountStore.open({
    money: databases.money,
    clock,
    audit: audit.record,
    openBooks,
  })
  const bans = await BanList.open({
    money: databases.money,
    clock,
    audit: audit.record,
    rules: {
      automatic: config.autoBan === 'on',
      windowMs: config.banWindowMinutes * 60_000,
      thresholds: {
        not_found: config.banNotFoundThreshold,
        bad_key: config.banKeyThreshold,
        failed_login: config.banLoginThreshold,
      },
      firstMs: config.banHours * 3_600_000,
    },
    proxies: config.trustedProxies,
    onError: onError('a ban could not be written'),
  })
  const charts = new ChartStore({ record: databases.record, clock })
  const identity = await Identity.open({
    databases,
    dataDir: config.dataDir,
    clock,
    sessionRules: {
      idleMs: config.sessionIdleMinutes * 60_000,
      absoluteMs: config.sessionAbsoluteHours * 3_600_000,
    },
    audit: audit.record,
    mailer:
      config.smtpUrl === ''
        ? undefined
        : smtpMailer({ smtpUrl: config.smtpUrl, from: config.smtpFrom }, onError('a mail could not be sent')),
    publicUrl,
    failedLogin: (from) => bans.note(from, 'failed_login'),
    userChanged: (userId) => keys.userChanged(userId),
    openAccount: async (userId) => {
      await accounts.create(userId, 'default', ITSELF)
    },
    adopted: (userId) => {
      accounts.adopt(userId)
      keys.adopt(userId)
      charts.adopt(userId).catch(onError('chart preferences could not be given to the first user'))
    },
    onError: onError('sessions or mails could not be written'),
  })
  const keys = await KeyStore.open({
    money: databases.money,
    dataDir: config.dataDir,
    clock,
    audit: audit.record,
    ownerOf: (userId) => {
      const user = identity.users.find(userId)
      return user === undefined ? undefined : { ...user, disabled: user.disabledAt !== undefined }
    },
    onError: onError('the last use of keys could not be written'),
  })

  // A crash may have come between a user and its first account
  for (const user of identity.users.list())
    if (accounts.defaultOf(user.id) === '') await accounts.create(user.id, 'default', ITSELF)
  return { accounts, bans, charts, identity, keys }
}
