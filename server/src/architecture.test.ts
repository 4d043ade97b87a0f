import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('.', import.meta.url))

/** Which rooms a room may use, besides itself. Whoever adds a room adds it here; nothing may point up. */
const MAY_USE: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  storage: ['kernel'],
  market: ['kernel', 'storage'],
  options: ['kernel', 'market'],
  identity: ['kernel', 'storage'],
  monitor: ['kernel', 'storage'],
  brokers: ['kernel', 'storage', 'market'],
  charges: ['kernel', 'market', 'brokers'],
  paper: ['kernel', 'storage', 'market', 'brokers', 'charges'],
  trading: ['kernel', 'storage', 'market', 'options', 'brokers', 'charges'],
  api: ['kernel', 'market', 'options', 'brokers', 'charges', 'trading', 'identity', 'monitor'],
  pages: ['kernel', 'identity', 'api'],
  'command-line': ['kernel', 'storage', 'trading', 'identity', 'monitor', 'config'],
  config: ['kernel'],
}
/**
 * Rooms that are entered by their `index.ts` alone, or by the file beside the room that has its name. The others are shelves of small modules, each used by itself, so that
 * nobody loads more than is needed.
 */
const HAVE_DOORS = new Set(['charges', 'config', 'options', 'paper', 'pages'])
/** Compose everything; nobody uses them. */
const ROOTS = new Set(['app', 'compose', 'main', 'serve'])

interface Import {
  readonly file: string
  readonly from: string
  readonly to: string
  /** What is imported, from the root. */
  readonly target: string
}

const roomOf = (path: string): string => {
  const [first = ''] = relative(ROOT, path).split(sep)
  return first.replace(/(\.test)?\.ts$/, '')
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)].map((match) =>
    join(dirname(file), match[1] ?? ''),
  )
}

const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(ROOT, name))
const sources = files.filter((file) => !file.endsWith('.test.ts'))
/** What tests share may use whatever they may. */
const isShared = (file: string): boolean => basename(file).startsWith('test-')
const imports: Import[] = sources
  .filter((file) => !isShared(file))
  .flatMap((file) =>
    importsOf(file).map((path) => ({
      file: relative(ROOT, file),
      from: roomOf(file),
      to: roomOf(path),
      target: relative(ROOT, path),
    })),
  )

test('the walk sees the source', () => {
  expect(sources.length).toBeGreaterThan(50)
  expect(imports.some(({ from, to }) => from === 'paper' && to === 'kernel')).toBe(true)
})

test('no import points up', () => {
  const wrong = imports.filter(
    ({ from, to }) => from !== to && !ROOTS.has(from) && MAY_USE[from]?.includes(to) !== true,
  )
  expect(wrong).toEqual([])
})

test('a room that has a door is entered by it', () => {
  const wrong = imports.filter(
    ({ from, to, target }) => from !== to && HAVE_DOORS.has(to) && ![join(to, 'index.ts'), `${to}.ts`].includes(target),
  )
  expect(wrong).toEqual([])
})

test('the rooms have no cycle', () => {
  const visiting = new Set<string>()
  const visit = (room: string): void => {
    expect(visiting.has(room), `${[...visiting, room].join(' → ')} is a cycle`).toBe(false)
    visiting.add(room)
    for (const used of MAY_USE[room] ?? []) visit(used)
    visiting.delete(room)
  }
  for (const room of Object.keys(MAY_USE)) visit(room)
})

test('the host clock and chance are used only where they are injected', () => {
  const allowed = new Set(['kernel/clock.ts'])
  const wrong = sources
    .filter((file) => !allowed.has(relative(ROOT, file)))
    .filter((file) =>
      /\bDate\.now\(\)|\bnew Date\(\)|\bMath\.random\(\)|\bTemporal\.Now\b/.test(readFileSync(file, 'utf8')),
    )
  expect(wrong.map((file) => relative(ROOT, file))).toEqual([])
})
