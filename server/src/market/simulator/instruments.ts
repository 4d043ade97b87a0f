import { createHash } from 'node:crypto'
import { type InstrumentSource, sourceOf } from '../instruments/instrument-source.ts'
import * as contracts from './data/contracts.ts'
import { INDEX_WEIGHTS } from './data/index-weights.ts'
import type { Scenario } from './scenario.ts'
import { INDEX_LIST, STOCKS } from './underlyings.ts'
import { createUniverse } from './universe.ts'

/** Counts up when the code of the universe lists other instruments for the same tables. */
const UNIVERSE_EDITION = 2

/** The simulated exchanges as a source of instruments. */
export const simulatedInstruments = (seed: number, scenario: Scenario = 'ordinary'): InstrumentSource =>
  sourceOf(`simulator ${seed} ${scenario} ${UNIVERSE_EDITION}.${tablesDigest()}`, (date) =>
    createUniverse({ date, seed, scenario }),
  )

/** Other tables list other instruments. */
const tablesDigest = (): string =>
  createHash('sha256')
    .update(JSON.stringify([STOCKS, INDEX_LIST, INDEX_WEIGHTS, contracts]))
    .digest('hex')
    .slice(0, 8)
