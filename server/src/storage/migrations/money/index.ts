import type { Migration } from '../../migrate.ts'
import { accountsAndJournal } from './0001-accounts-and-journal.ts'
import { usersAndBans } from './0002-users-and-bans.ts'
import { approvals } from './0003-approvals.ts'
import { risk } from './0004-risk.ts'
import { idempotency } from './0005-idempotency.ts'
import { approvalIntents } from './0006-approval-intents.ts'
import { calendarOverrides } from './0007-calendar-overrides.ts'
import { idempotencyWork } from './0008-idempotency-work.ts'
import { journalInOrder } from './0009-journal-in-order.ts'
import { keyRequests } from './0010-key-requests.ts'
import { loginChallenges } from './0011-login-challenges.ts'

export const moneyMigrations: readonly Migration[] = [
  accountsAndJournal,
  usersAndBans,
  approvals,
  risk,
  idempotency,
  approvalIntents,
  calendarOverrides,
  idempotencyWork,
  journalInOrder,
  keyRequests,
  loginChallenges,
]
