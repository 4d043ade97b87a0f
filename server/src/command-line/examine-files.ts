import { lstatSync, readdirSync, type Stats, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { type Finding, fine, wrong } from './finding.ts'

const OTHERS = 0o077
const SECRET_FILE = 'secret.key'
const SECRET_BYTES = 32
const MIB = 1_048_576
/** Names that a line shows; the rest is a number. */
const NAMES_SHOWN = 5

const statOf = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false })
const modeOf = (stats: Stats): string => (stats.mode & 0o777).toString(8).padStart(4, '0')

/** Windows has no such modes; the folder's access list says who may read there. */
const isOpenToOthers = (stats: Stats): boolean => process.platform !== 'win32' && (stats.mode & OTHERS) !== 0

/** Who may read the data folder and what is in it. */
export function examineModes(dataDir: string): readonly Finding[] {
  const folder = lstatSync(dataDir)
  const findings: Finding[] = []
  const uid = process.getuid?.()
  if (uid !== undefined && uid !== 0 && folder.uid !== uid) {
    findings.push(
      wrong('data folder', `${dataDir} belongs to user ${folder.uid}, not to you (${uid}).`, 'Run Sauda as its owner.'),
    )
  } else if (isOpenToOthers(folder)) {
    findings.push(
      wrong('data folder', `Others may open ${dataDir} (mode ${modeOf(folder)}).`, `Run: chmod 700 '${dataDir}'`),
    )
  } else {
    findings.push(fine('data folder', `${dataDir} is open to its owner alone.`))
  }
  const names = readdirSync(dataDir)
  const open = names.filter((name) => {
    const stats = statOf(join(dataDir, name)) // gone again when it is a log that the server just removed
    return stats !== undefined && !stats.isSymbolicLink() && isOpenToOthers(stats)
  })
  const more = open.length > NAMES_SHOWN ? ` and ${open.length - NAMES_SHOWN} more` : ''
  findings.push(
    open.length === 0
      ? fine('file modes', `${names.length} files are for their owner alone.`)
      : wrong(
          'file modes',
          `Others may open ${open.slice(0, NAMES_SHOWN).join(', ')}${more}.`,
          `Run: chmod -R go= '${dataDir}'`,
        ),
  )
  return findings
}

/** The secret that keys and second factors stand or fall with. */
export function examineSecret(dataDir: string): Finding {
  const stats = statOf(join(dataDir, SECRET_FILE))
  if (stats?.size === SECRET_BYTES) return fine(SECRET_FILE, 'Is there. Keep a copy of it apart from the databases.')
  if (stats !== undefined) {
    const message = `It has ${stats.size} bytes instead of ${SECRET_BYTES}.`
    return wrong(SECRET_FILE, message, 'Restore it from a backup: without it no API key and no second factor works.')
  }
  if (statOf(join(dataDir, 'money.db')) === undefined) {
    return fine(SECRET_FILE, "Isn't there yet; the next start makes it.")
  }
  return wrong(
    SECRET_FILE,
    'It is missing, though the instance is not new.',
    'Restore it from a backup: without it no API key and no second factor works.',
  )
}

/** Room for what is going to be written. */
export function examineDisk(dataDir: string, freeWarnMib: number): Finding {
  const { bavail, bsize } = statfsSync(dataDir)
  const freeMib = Math.floor((bavail * bsize) / MIB)
  if (freeMib >= freeWarnMib) return fine('disk', `${freeMib} MiB are free.`)
  return wrong(
    'disk',
    `${freeMib} MiB are free, less than ${freeWarnMib}.`,
    'Make room, or lower TRAFFIC_ROWS_MAX; HEALTH_DISK_FREE_WARN_MIB sets what is too little.',
  )
}

/** `.env` may hold the password of the mail server. */
export function examineEnvFile(directory: string, holdsSecrets: boolean): readonly Finding[] {
  const path = join(directory, '.env')
  const stats = statOf(path)
  if (stats === undefined || !holdsSecrets) return []
  return [
    isOpenToOthers(stats)
      ? wrong('.env', `It holds secrets, and others may read it (mode ${modeOf(stats)}).`, `Run: chmod 600 '${path}'`)
      : fine('.env', 'It is for its owner alone.'),
  ]
}
