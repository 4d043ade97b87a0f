import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startChild } from './child.ts'
import { FULL_LOAD, inTurns, type Measured } from './turns.ts'
import { UNLIMITED } from './unlimited.ts'

/** Two that are so close need more of them. */
const ROUNDS = 21

/** The operation quotes with validation only, and with everything that the platform does for a request, in turns. */
export async function pipelineCost(
  folder: string,
  flags: readonly string[],
): Promise<{ bare: Measured; whole: Measured }> {
  const bare = await startChild(fileURLToPath(new URL('./bare-operation.ts', import.meta.url)), [], {}, flags)
  const whole = await startChild(
    fileURLToPath(new URL('../server/start.js', import.meta.url)),
    ['serve'],
    { ...UNLIMITED, DATA_DIR: join(folder, 'pipeline'), PORT: '0', LOG_FORMAT: 'json' },
    flags,
  )
  try {
    const bodies = [{ apikey: /sk_[A-Za-z0-9_-]+/.exec(whole.output)?.[0] ?? '', symbol: 'SBIN', exchange: 'NSE' }]
    const [first, second] = await inTurns(
      [bare, whole].map((child) => ({ child, url: `${child.address}/api/v1/quotes`, bodies })),
      { ...FULL_LOAD, rounds: ROUNDS },
    )
    if (first === undefined || second === undefined) throw new Error('two subjects have two results')
    return { bare: first, whole: second }
  } finally {
    await bare.stop()
    await whole.stop()
  }
}
