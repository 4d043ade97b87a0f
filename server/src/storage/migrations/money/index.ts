import type { Migration } from '../../migrate.ts'
import { accountsAndJournal } from './0001-accounts-and-journal.ts'

export const moneyMigrations: readonly Migration[] = [accountsAndJournal]
