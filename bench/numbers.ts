import { fileURLToPath } from 'node:url'
import { multiplierOf, priceOf, quantityOf, tradeValue } from '../server/src/kernel/fixed.ts'

/** Why money is a checked number and not a bigint: the arithmetic of one fill, both ways, in ns. */
const ROUNDS = 2_000_000

function time(run: (round: number) => void): number {
  for (let round = 0; round < ROUNDS / 10; round += 1) run(round)
  const startedAt = performance.now()
  for (let round = 0; round < ROUNDS; round += 1) run(round)
  return ((performance.now() - startedAt) * 1e6) / ROUNDS
}

export function compareNumbers(): { name: string; ns: number }[] {
  const at = priceOf('500.05')
  const count = quantityOf(100)
  const one = multiplierOf(1)
  const coin = priceOf('8512345.67')
  const part = quantityOf('0.00321')
  let sink = 0
  let bigSink = 0n
  const divisor = 10n ** 20n
  const [bigAt, bigCount, bigOne] = [BigInt(at), BigInt(count), BigInt(one)]
  const rows = [
    {
      name: 'value of a fill, checked number, equity',
      ns: time(() => {
        sink += tradeValue(at, count, one, 'up')
      }),
    },
    {
      name: 'value of a fill, checked number, fractional crypto',
      ns: time(() => {
        sink += tradeValue(coin, part, one, 'up')
      }),
    },
    {
      name: 'value of a fill, bigint',
      ns: time((round) => {
        bigSink += ((bigAt + BigInt(round & 1)) * bigCount * bigOne) / divisor
      }),
    },
    {
      name: 'sum with range check, number',
      ns: time((round) => {
        sink = (sink + round) % 1_000_003
        if (!Number.isSafeInteger(sink)) throw new Error('range')
      }),
    },
    {
      name: 'sum, bigint',
      ns: time((round) => {
        bigSink = (bigSink + BigInt(round)) % 1_000_003n
      }),
    },
    {
      name: 'JSON of a number',
      ns: time((round) => {
        sink += JSON.stringify(round).length
      }),
    },
    {
      name: 'JSON of a bigint as text, and back',
      ns: time((round) => {
        bigSink += BigInt(JSON.parse(`"${bigSink % 1000n}"`)) + BigInt(round & 1)
      }),
    },
  ]
  if (sink === -1 && bigSink === -1n) throw new Error('unreachable, but the sums must be used')
  return rows
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { name, ns } of compareNumbers())
    process.stdout.write(`${name.padEnd(56)}${ns.toFixed(1).padStart(8)} ns\n`)
}
