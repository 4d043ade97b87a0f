import { readFileSync } from 'node:fs'
import type { Child } from './child.ts'
import { load } from './load.ts'

const TICKS_PER_SECOND = 100

export interface LoadShape {
  readonly connections: number
  readonly seconds: number
  /**
   * Until the hot paths are compiled, that of orders after some 100,000: a server that runs for days is measured, not its
   * first seconds.
   */
  readonly warmUpSeconds: number
  /** Turns of each subject. The more there are, the less chance there is in their median. */
  readonly rounds: number
}
export const FULL_LOAD: LoadShape = { connections: 64, seconds: 3, warmUpSeconds: 30, rounds: 11 }

export interface Subject {
  readonly child: Child
  readonly url: string
  readonly bodies: readonly object[]
}

export interface Measured {
  readonly perSecond: number
  /** Of what the first subject reached in the same rounds. */
  readonly shareOfFirst: number
  readonly p99Ms: number
  /** Processor time of one request, in microseconds, of all threads of its process. */
  readonly processorUs: number
  readonly failed: number
}

/**
 * Loads the subjects in turns and takes the median of the rounds. A machine that gets faster or slower meanwhile, by
 * neighbours or by heat, does so for all of them: one after the other, the last would seem the slowest.
 */
export async function inTurns(subjects: readonly Subject[], shape: LoadShape = FULL_LOAD): Promise<Measured[]> {
  for (const { url, bodies } of subjects) await load(url, bodies, shape.connections, shape.warmUpSeconds)
  const rounds: (readonly Measured[])[] = []
  for (let round = 0; round < shape.rounds; round += 1) rounds.push(await once(subjects, shape))
  return subjects.map((_, place) => {
    const own = rounds.flatMap((round) => round[place] ?? [])
    const middle = (of: (turn: Measured) => number): number => median(own.map(of))
    return {
      perSecond: middle((turn) => turn.perSecond),
      shareOfFirst: middle((turn) => turn.shareOfFirst),
      p99Ms: middle((turn) => turn.p99Ms),
      processorUs: middle((turn) => turn.processorUs),
      failed: own.reduce((sum, turn) => sum + turn.failed, 0),
    }
  })
}

async function once(subjects: readonly Subject[], shape: LoadShape): Promise<Measured[]> {
  const turns: Measured[] = []
  for (const { child, url, bodies } of subjects) {
    const before = processorMs(child)
    const { perSecond, p99Ms, failed } = await load(url, bodies, shape.connections, shape.seconds)
    const processorUs = ((processorMs(child) - before) * 1000) / (perSecond * shape.seconds)
    const shareOfFirst = perSecond / (turns[0]?.perSecond ?? perSecond)
    turns.push({ perSecond, shareOfFirst, p99Ms, processorUs, failed })
  }
  return turns
}

/** Of all threads of a process, of Linux's own accounting. */
function processorMs({ process: { pid } }: Child): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1000
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
