import type { Migration } from '../../migrate.ts'
import { paperBooks } from './0001-paper-books.ts'
import { auditAndOrderLog } from './0002-audit-and-order-log.ts'
import { orderTags } from './0003-order-tags.ts'
import { paperGtts } from './0004-paper-gtts.ts'
import { orderEvents } from './0005-order-events.ts'
import { orderRoots } from './0006-order-roots.ts'
import { chartPreferences } from './0007-chart-preferences.ts'
import { candleJobs } from './0008-candle-jobs.ts'
import { loginFailures } from './0009-login-failures.ts'
import { packedEvents } from './0010-packed-events.ts'

export const recordMigrations: readonly Migration[] = [
  paperBooks,
  auditAndOrderLog,
  orderTags,
  paperGtts,
  orderEvents,
  orderRoots,
  chartPreferences,
  candleJobs,
  loginFailures,
  packedEvents,
]
