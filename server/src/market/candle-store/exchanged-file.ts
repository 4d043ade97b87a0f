import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../../kernel/errors.ts'

/** Ways in which candles come from elsewhere and go there. */
export const FILE_FORMATS = ['csv', 'parquet'] as const
export type FileFormat = (typeof FILE_FORMATS)[number]

/** Name of a file that is imported or exported: a name alone, so that it can't lead out of its folder. */
export const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,119}\.(csv|parquet)$/
export const FILE_NAME_RULE =
  'a name such as sbin-2026.csv or sbin-2026.parquet: letters, digits, dots, hyphens and underscores, at most 128'

/** Bytes of a file that may be imported. */
export const IMPORT_BYTES_MAX = 268_435_456

export const formatOf = (name: string): FileFormat => (name.endsWith('.parquet') ? 'parquet' : 'csv')

/** Path of a file that is to be imported. Throws file_not_found, file_unreadable. */
export function importPath(folder: string, name: string): string {
  if (!FILE_NAME.test(name)) throw new Refusal('file_unreadable', `"${name.slice(0, 64)}" isn't ${FILE_NAME_RULE}.`)
  const path = join(folder, name)
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined)
    throw new Refusal(
      'file_not_found',
      `There is no file ${name} in the folder import of Sauda's data: put it there first.`,
    )
  if (!found.isFile()) throw new Refusal('file_unreadable', `${name} isn't a plain file.`)
  if (found.size > IMPORT_BYTES_MAX)
    throw new Refusal(
      'file_unreadable',
      `${name} has ${found.size} bytes; at most ${IMPORT_BYTES_MAX} are read: cut it in two.`,
    )
  return path
}
