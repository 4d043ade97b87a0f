import type { Migration } from '../../migrate.ts'
import { traffic } from './0001-traffic.ts'

export const telemetryMigrations: readonly Migration[] = [traffic]
