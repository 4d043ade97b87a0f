import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Child, startChild } from './child.ts'
import { load } from './load.ts'
import { UNLIMITED } from './unlimited.ts'

const ROUNDS = 5
const SECONDS = 4
/** Until the hot paths are compiled. */
const WARM_UP_SECONDS = 12
const CONNECTIONS = 64
const TICKS_PER_SECOND = 100

export interface PipelineCost {
  readonly barePerSecond: number
  readonly wholePerSecond: number
  /** Processor time of one request, in microseconds: what a shared machine disturbs least. */
  readonly bareUs: number
  readonly wholeUs: number
  readonly failed: number
}

/** The operation quotes with validation only, and with everything that the platform does for a request, in turns. */
export async function pipelineCost(folder: string): Promise<PipelineCost> {
  const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url))
  const flags = ['--max-semi-space-size=16']
  const bare = await startChild(here('./bare-operation.ts'), [], {}, flags)
  const settings = { ...UNLIMITED, DATA_DIR: join(folder, 'pipeline'), PORT: '0', LOG_FORMAT: 'json' }
  const whole = await startChild(here('../server/src/main.ts'), ['serve'], settings, flags)
  try {
    const apikey = /sk_[A-Za-z0-9_-]+/.exec(whole.output)?.[0] ?? ''
    const body = { apikey, symbol: 'SBIN', exchange: 'NSE' }
    for (const child of [bare, whole])
      await load(`${child.address}/api/v1/quotes`, [body], CONNECTIONS, WARM_UP_SECONDS)
    const figures = { bare: empty(), whole: empty() }
    for (let round = 0; round < ROUNDS; round += 1) {
      await measure(bare, body, figures.bare)
      await measure(whole, body, figures.whole)
    }
    return {
      barePerSecond: median(figures.bare.perSecond),
      wholePerSecond: median(figures.whole.perSecond),
      bareUs: median(figures.bare.us),
      wholeUs: median(figures.whole.us),
      failed: figures.bare.failed + figures.whole.failed,
    }
  } finally {
    await bare.stop()
    await whole.stop()
  }
}

interface Figures {
  readonly perSecond: number[]
  readonly us: number[]
  failed: number
}
const empty = (): Figures => ({ perSecond: [], us: [], failed: 0 })

async function measure(child: Child, body: object, figures: Figures): Promise<void> {
  const before = processorMs(child)
  const { perSecond, failed } = await load(`${child.address}/api/v1/quotes`, [body], CONNECTIONS, SECONDS)
  figures.perSecond.push(perSecond)
  figures.us.push(((processorMs(child) - before) * 1000) / (perSecond * SECONDS))
  figures.failed += failed
}

/** Of all threads of a process, of Linux's own accounting. */
function processorMs({ process: { pid } }: Child): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1000
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
