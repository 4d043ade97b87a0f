import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { EventBus } from '../kernel/bus.ts'
import type { Clock } from '../kernel/clock.ts'
import type { AuditLog } from '../monitor/audit-log.ts'
import type { Alert } from '../monitor/health.ts'
import type { Committed } from '../paper/index.ts'
import type { Databases } from '../storage/open.ts'
import type { Approval } from '../trading/approvals.ts'

/** What the rooms tell each other. */
export type Events = {
  /** A committed command of a paper account, with what it did. */
  paper: Committed
  /** An order that waits for a person, or doesn't any more. */
  approval: Approval
  /** A limit of health was passed, or isn't any more. */
  alert: Alert
}

/** What every part of the platform is built with. */
export interface Ground {
  readonly config: Config
  readonly clock: Clock
  readonly log: Logger
  readonly databases: Databases
  readonly bus: EventBus<Events>
  readonly audit: AuditLog
  /** Logs a failure that nobody waits for, with what could not be done. */
  readonly onError: (what: string) => (error: unknown) => void
}
