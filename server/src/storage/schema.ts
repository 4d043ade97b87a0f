/** What the tables of each database file hold, as Kysely knows them. */
export type * from './money-tables.ts'
export type * from './record-tables.ts'
export type * from './telemetry-tables.ts'
