import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { findPackageJSON, registerHooks } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * Packages of several hundred files each, joined into one or two at installation: finding, reading and linking them one by
 * one takes a fifth of a start. The code is the same; without the joined files, or with those of other versions, the
 * packages are loaded as usual.
 */
const ENTRIES: Readonly<Record<string, string>> = {
  kysely: 'kysely',
  typebox: 'typebox',
  'typebox/schema': 'typebox-schema',
}
const PACKAGES = ['kysely', 'typebox']
const VERSIONS = 'versions.json'

/** Versions of the packages as they are installed, as text. */
function installedVersions(): string {
  return JSON.stringify(
    PACKAGES.map((name) => {
      const file = findPackageJSON(name, import.meta.url)
      if (file === undefined) throw new Error(`the package ${name} isn't installed: run npm ci`)
      const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
      return `${name}@${version}`
    }),
  )
}

/** Joins them into `folder`, replacing what is there. */
export async function joinPackages(folder: string): Promise<void> {
  const { rolldown } = await import('rolldown')
  const input = Object.fromEntries(Object.entries(ENTRIES).map(([specifier, name]) => [name, specifier]))
  const bundle = await rolldown({ input, cwd: import.meta.dirname, platform: 'node' })
  mkdirSync(dirname(folder), { recursive: true })
  const fresh = mkdtempSync(`${folder}-`)
  try {
    await bundle.write({ dir: fresh, format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' })
    writeFileSync(join(fresh, VERSIONS), installedVersions())
    rmSync(folder, { recursive: true, force: true })
    renameSync(fresh, folder)
  } finally {
    await bundle.close()
    rmSync(fresh, { recursive: true, force: true })
  }
}

/** From here on these packages are loaded from `folder`, if they lie there in the versions that are installed. */
export function useJoinedPackages(folder: string): void {
  if (versionsIn(folder) !== installedVersions()) return
  const urls = new Map(
    Object.entries(ENTRIES).map(([specifier, name]) => [specifier, pathToFileURL(join(folder, `${name}.mjs`)).href]),
  )
  registerHooks({
    resolve(specifier, context, next) {
      const url = urls.get(specifier)
      return url === undefined ? next(specifier, context) : { url, format: 'module', shortCircuit: true }
    },
  })
}

function versionsIn(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, VERSIONS), 'utf8')
  } catch {
    return undefined // they were never joined
  }
}
