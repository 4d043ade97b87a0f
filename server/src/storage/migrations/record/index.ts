import type { Migration } from '../../migrate.ts'
import { paperBooks } from './0001-paper-books.ts'

export const recordMigrations: readonly Migration[] = [paperBooks]
