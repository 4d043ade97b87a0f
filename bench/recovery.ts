import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { ManualClock } from '../server/src/kernel/clock.ts'
import { dateOf, dayNumberAt } from '../server/src/kernel/exchange-time.ts'
import {
  moneyOf,
  multiplierOf,
  type Price,
  priceOf,
  quantityOf,
  ZERO_PRICE,
  ZERO_QUANTITY,
} from '../server/src/kernel/fixed.ts'
import type { Command } from '../server/src/paper/command.ts'
import { Journal } from '../server/src/paper/journal.ts'
import { apply } from '../server/src/paper/machine.ts'
import type { InstrumentFacts } from '../server/src/paper/order.ts'
import { encodeState } from '../server/src/paper/snapshot.ts'
import { openAccount } from '../server/src/paper/state.ts'
import { openDatabases } from '../server/src/storage/open.ts'

/**
 * How long a start takes after a kill. The exchange leaves a snapshot at each change of day, so what is applied again
 * are the commands of the last day: with one day, the worst case, all of them.
 */
const START_AT = Date.parse('2026-11-25T05:00:00Z')

function facts(number: number): InstrumentFacts {
  return {
    id: number,
    symbol: `STOCK${number}`,
    exchange: 'NSE',
    kind: 'EQ',
    name: `STOCK NUMBER ${number} LIMITED`,
    strike: ZERO_PRICE,
    lotSize: quantityOf(1),
    tickSize: priceOf('0.05'),
    freezeQuantity: ZERO_QUANTITY,
    multiplier: multiplierOf(1),
    expiry: undefined,
  }
}

/** Market orders that open and close, and limit orders that rest and are cancelled, over 200 instruments. */
function commandAt(seq: number, instruments: readonly InstrumentFacts[], perDay: number): Command {
  const at = START_AT + seq
  if (seq % perDay === 0) return { kind: 'open-session', at, date: dateOf(dayNumberAt(START_AT) + seq / perDay) }
  const instrument = instruments[seq % instruments.length] as InstrumentFacts // the remainder is an index
  const id = (number: number): string => `261125${String(number).padStart(8, '0')}`
  if (seq % 4 === 3 && (seq - 1) % perDay !== 0) return { kind: 'cancel', at, orderId: id(seq - 1) }
  const level = (price: string): readonly [Price, ReturnType<typeof quantityOf>] => [
    priceOf(price),
    quantityOf(1_000_000),
  ]
  const resting = seq % 4 === 2
  const buying = Math.floor(seq / instruments.length) % 2 === 0
  return {
    kind: 'place',
    at,
    orderId: id(seq),
    instrument,
    action: buying ? 'BUY' : 'SELL',
    quantity: quantityOf(1),
    priceType: resting ? 'LIMIT' : 'MARKET',
    product: 'MIS',
    price: resting ? priceOf(buying ? 400 : 600) : ZERO_PRICE,
    triggerPrice: ZERO_PRICE,
    disclosedQuantity: ZERO_QUANTITY,
    strategy: 'bench',
    terms: { leverageHundredths: 500, notionalPrice: ZERO_PRICE },
    session: { open: true, closedReason: '', squareOffAt: START_AT + 86_400_000 },
    book: {
      at: START_AT + (seq - (seq % 1000)),
      ltp: priceOf(500),
      bids: buying ? [] : ['499.95', '499.90', '499.85', '499.80', '499.75'].map(level),
      asks: buying ? ['500.05', '500.10', '500.15', '500.20', '500.25'].map(level) : [],
    },
  }
}

export async function recovery(
  commands: number,
  days: number,
): Promise<{ ms: number; journalMb: number; rssMb: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'sauda-recovery-'))
  try {
    const clock = new ManualClock(START_AT)
    const databases = await openDatabases(folder, clock)
    const journal = new Journal(databases)
    const state = openAccount('default', moneyOf(10_000_000), START_AT, '2026-11-25')
    await journal.recover('default') // gives it its place
    await journal.saveSnapshot('default', { seq: 0, at: START_AT, body: encodeState(state) })
    await databases.close()
    const bare = new DatabaseSync(join(folder, 'money.db'))
    const insert = bare.prepare(`INSERT INTO journal (id, account, seq, at, kind, body)
      SELECT number * 68719476736 + ?1, account, ?1, ?2, ?3, ?4 FROM journal_account`)
    const keep = bare.prepare('INSERT INTO snapshot (account, seq, at, body) VALUES (?, ?, ?, ?)')
    const instruments = Array.from({ length: 200 }, (_, index) => facts(index + 1))
    const perDay = Math.ceil((commands + 1) / days)
    const lastDayFrom = perDay * (days - 1)
    let bytes = 0
    bare.exec('BEGIN')
    for (let seq = 1; seq <= commands; seq += 1) {
      const command = commandAt(seq, instruments, perDay)
      const { kind, at, ...body } = command
      const text = JSON.stringify(body)
      bytes += text.length
      insert.run(seq, at, kind, text)
      if (seq > lastDayFrom) continue
      apply(state, command)
      if (seq === lastDayFrom) keep.run('default', seq, at, encodeState(state))
    }
    bare.exec('COMMIT')
    bare.close()
    const reopened = await openDatabases(folder, clock)
    const startedAt = performance.now()
    const recovered = await new Journal(reopened).recover('default')
    const ms = performance.now() - startedAt
    if (recovered?.state.seq !== commands) throw new Error(`recovered ${recovered?.state.seq} of ${commands} commands`)
    await reopened.close()
    return { ms, journalMb: bytes / 1e6, rssMb: process.memoryUsage().rss / 1e6 }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const result = await recovery(Number(process.argv[2] ?? 1_000_000), Number(process.argv[3] ?? 10))
  process.stdout.write(`${JSON.stringify(result)}\n`)
}
