import { mkdirSync } from 'node:fs'
import type { DuckDBConnection } from '@duckdb/node-api'
import { InTurn } from '../../kernel/turns.ts'

export interface EngineOptions {
  readonly memoryMib: number
  /** All that it may read and write. */
  readonly folders: readonly string[]
}

/** With one thread what is long passes through in order, however little memory there is; and orders come first. */
const THREADS = 1

/** One thing at a time on a connection. */
export interface Lane {
  run<T>(act: (connection: DuckDBConnection) => Promise<T>): Promise<T>
}

/** DuckDB in memory: it keeps nothing, reads and writes files of the given folders, and can reach nothing else. */
export interface Engine {
  readonly reading: Lane
  readonly writing: Lane
  close(): void
}

/** Loads the engine, a fifth of a second and some 60 MB, so only when there is something to read or write. */
export async function openEngine({ memoryMib, folders }: EngineOptions): Promise<Engine> {
  for (const folder of folders) mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(THREADS),
    memory_limit: `${memoryMib}MiB`,
    temp_directory: '', // what doesn't fit is refused: nothing grows on the disk unseen
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    enable_external_file_cache: 'false', // a file that was replaced is read anew
  })
  const connect = async (): Promise<DuckDBConnection> => {
    const connection = await instance.connect()
    await connection.run(`SET TimeZone = 'UTC'`)
    return connection
  }
  const [reader, writer] = [await connect(), await connect()]
  // Where a folder's name needs escaping, what is asked for is checked as it is written
  const allowed = new Set(folders.flatMap((folder) => [quoted(`${folder}/`), quotedPath(`${folder}/`)]))
  await writer.run(`SET allowed_directories = [${[...allowed].join(', ')}]`)
  await writer.run('SET enable_external_access = false')
  await writer.run('SET lock_configuration = true')
  const close = () => {
    reader.closeSync()
    writer.closeSync()
    instance.closeSync()
  }
  return { reading: laneOf(reader), writing: laneOf(writer), close }
}

function laneOf(connection: DuckDBConnection): Lane {
  const turn = new InTurn()
  return { run: (act) => turn.run(() => act(connection)) }
}

export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** A path that means itself alone: the engine would take some characters for patterns. */
export const quotedPath = (path: string): string => quoted(path.replace(/[[*?]/g, (character) => `[${character}]`))

/** Files to read, as one relation. */
export const filesSql = (paths: readonly string[]): string =>
  `read_parquet([${paths.map(quotedPath).join(', ')}], hive_partitioning = false)`
