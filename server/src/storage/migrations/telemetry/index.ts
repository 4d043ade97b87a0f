import type { Migration } from '../../migrate.ts'
import { traffic } from './0001-traffic.ts'
import { requestBlocks } from './0002-request-blocks.ts'
import { traceIds } from './0003-trace-ids.ts'
import { unanswered } from './0004-unanswered.ts'
import { traceBlocks } from './0005-trace-blocks.ts'
import { lateRows } from './0006-late-rows.ts'
import { trafficPacks } from './0007-traffic-packs.ts'

export const telemetryMigrations: readonly Migration[] = [
  traffic,
  requestBlocks,
  traceIds,
  unanswered,
  traceBlocks,
  lateRows,
  trafficPacks,
]
