import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { joinPackages } from './joined-packages.ts'

let parent: string
let folder: string
beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'sauda-joined-'))
  folder = join(parent, 'packages')
  await joinPackages(folder)
})
afterAll(() => rmSync(parent, { recursive: true }))

/** Where a process that uses `from` finds each package, and that what it finds there works together. */
function found(from: string): readonly string[] {
  const script = `
    const { useJoinedPackages } = await import(${JSON.stringify(join(import.meta.dirname, 'joined-packages.ts'))})
    useJoinedPackages(${JSON.stringify(from)})
    const { loads } = await import(${JSON.stringify(join(import.meta.dirname, 'test-loads.ts'))})
    process.stdout.write(JSON.stringify(loads))`
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
  return JSON.parse(printed) as readonly string[]
}

it('loads the joined files, of which nothing else is left behind', () => {
  expect(readdirSync(parent)).toEqual(['packages'])
  expect(found(folder).map((url) => url.includes('/packages/'))).toEqual([true, true, true])
})

it('loads the packages as usual when they were never joined, or in other versions', () => {
  expect(found(join(parent, 'nothing')).every((url) => url.includes('/node_modules/'))).toBe(true)
  writeFileSync(join(folder, 'versions.json'), '["kysely@0.0.1","typebox@1.0.0"]')
  expect(found(folder).every((url) => url.includes('/node_modules/'))).toBe(true)
})
