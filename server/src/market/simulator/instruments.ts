import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type InstrumentSource, sourceOf } from '../instruments/instrument-source.ts'
import type { Scenario } from './scenario.ts'
import { createUniverse } from './universe.ts'

/** The simulated exchanges as a source of instruments. */
export const simulatedInstruments = (seed: number, scenario: Scenario = 'ordinary'): InstrumentSource =>
  sourceOf(`simulator ${seed} ${scenario} ${codeDigest()}`, (date) => createUniverse({ date, seed, scenario }))

/** What is listed follows from the code and tables of these rooms: others, after an update, list others. */
const ROOMS = ['.', '../calendar']

function codeDigest(): string {
  const hash = createHash('sha256')
  for (const room of ROOMS) {
    const folder = fileURLToPath(new URL(room, import.meta.url))
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort())
      if (name.endsWith('.ts') && !name.endsWith('.test.ts')) hash.update(readFileSync(join(folder, name)))
  }
  return hash.digest('hex').slice(0, 12)
}
