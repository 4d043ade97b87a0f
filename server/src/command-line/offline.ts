import { AccountStore } from '../identity/accounts.ts'
import { ITSELF } from '../identity/audit.ts'
import { Identity } from '../identity/identity.ts'
import { KeyStore } from '../identity/key-store.ts'
import { type Clock, systemClock } from '../kernel/clock.ts'
import { AuditLog } from '../monitor/audit-log.ts'
import { openDatabases } from '../storage/open.ts'
import { LimitStore } from '../trading/risk/limit-store.ts'
import { acquireInstanceLock } from './instance-lock.ts'

export interface IdentityRooms {
  readonly identity: Identity
  readonly keys: KeyStore
  readonly accounts: AccountStore
  readonly limits: LimitStore
}

/** Where a link of the command line leads to when no server says where it listens. */
const UNKNOWN_ADDRESS = 'http://127.0.0.1:5000'

export interface OfflineOptions {
  readonly clock?: Clock
  /** Where browsers will find Sauda, without a slash at the end. */
  readonly publicUrl?: string
}

/**
 * Runs something on the users, keys and limits of a data folder that no server runs on, and brings it to disk. Books of new
 * accounts are opened by the next start.
 */
export async function withoutServer<T>(
  dataDir: string,
  run: (rooms: IdentityRooms) => Promise<T>,
  { clock = systemClock, publicUrl = UNKNOWN_ADDRESS }: OfflineOptions = {},
): Promise<T> {
  const lock = acquireInstanceLock(dataDir)
  try {
    const databases = await openDatabases(dataDir, clock)
    try {
      const fail = (error: unknown): never => {
        throw error
      }
      const audit = await AuditLog.open(databases.record, clock, dataDir, fail)
      const accounts = await AccountStore.open({
        money: databases.money,
        clock,
        audit: audit.record,
        openBooks: () => Promise.resolve(),
      })
      const identity = await Identity.open({
        databases,
        dataDir,
        clock,
        sessionRules: { idleMs: Number.POSITIVE_INFINITY, absoluteMs: Number.POSITIVE_INFINITY }, // the server's affair
        audit: audit.record,
        mailer: undefined,
        publicUrl: () => publicUrl,
        failedLogin: () => undefined,
        userChanged: (userId) => keys.userChanged(userId),
        openAccount: async (userId) => {
          await accounts.create(userId, 'default', ITSELF)
        },
        adopted: (userId) => keys.adopt(userId),
        onError: fail,
      })
      const keys = await KeyStore.open({
        money: databases.money,
        dataDir,
        clock,
        audit: audit.record,
        ownerOf: (userId) => {
          const user = identity.users.find(userId)
          return user === undefined ? undefined : { ...user, disabled: user.disabledAt !== undefined }
        },
        onError: fail,
      })
      const limits = await LimitStore.open({
        money: databases.money,
        clock,
        audit: audit.record,
        exchangeRules: () => false, // nothing is sent from here
        isBound: () => true,
        onError: () => undefined, // what can't be read is the store's doubt, which the kill switch tells
      })
      try {
        return await run({ identity, keys, accounts, limits })
      } finally {
        await Promise.all([identity.close(), keys.close()])
        await audit.close()
      }
    } finally {
      await databases.close()
    }
  } finally {
    lock.release()
  }
}
