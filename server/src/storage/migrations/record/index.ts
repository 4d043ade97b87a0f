import type { Migration } from '../../migrate.ts'
import { paperBooks } from './0001-paper-books.ts'
import { auditAndOrderLog } from './0002-audit-and-order-log.ts'

export const recordMigrations: readonly Migration[] = [paperBooks, auditAndOrderLog]
