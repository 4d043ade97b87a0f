import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { multiplier, price, quantity } from '../../kernel/fixed.ts'
import { EXCHANGES, INSTRUMENT_KINDS, type Instrument } from '../instrument.ts'
import { InstrumentStore } from '../instrument-store.ts'
import { symbolTableOf } from './columns.ts'
import { DamagedSnapshot, readSnapshot, versionOf, writeSnapshot } from './snapshot-file.ts'
import { shares } from './test-rows.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-snapshot-'))
  path = join(folder, 'instruments.snapshot')
})
afterEach(() => rmSync(folder, { recursive: true }))

const content = (rows: readonly Instrument[], date = '2026-03-10') => ({
  date,
  edition: 'test',
  columns: new InstrumentStore(rows).columns,
})

async function read(): Promise<InstrumentStore> {
  const kept = await readSnapshot(path)
  if (kept === undefined) throw new Error('nothing was kept')
  return new InstrumentStore({ columns: kept.columns, bySymbol: symbolTableOf(kept.columns) })
}

test('gives back any instruments as they were, whatever their texts', async () => {
  const units = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
  const text = fc.string({ unit: 'grapheme', maxLength: 20 })
  const row = fc.record<Instrument>({
    id: units,
    symbol: fc.stringMatching(/^[A-Z0-9&-]{1,30}$/),
    exchange: fc.constantFrom(...EXCHANGES),
    kind: fc.constantFrom(...INSTRUMENT_KINDS),
    name: text,
    expiry: fc.constantFrom(undefined, '2026-03-10', '1969-12-31', '2035-01-01'),
    strike: units.map(price),
    lotSize: units.map(quantity),
    tickSize: units.map(price),
    freezeQuantity: units.map(quantity),
    multiplier: units.map(multiplier),
    token: text,
    sourceSymbol: text,
    sourceExchange: text,
  })
  const unique = fc
    .uniqueArray(row, { selector: ({ id }) => id, maxLength: 40 })
    .map((rows) => [...new Map(rows.map((entry) => [`${entry.exchange}:${entry.symbol}`, entry])).values()])
  await fc.assert(
    fc.asyncProperty(unique, async (rows) => {
      await writeSnapshot(path, content(rows))
      const store = await read()
      expect([...store]).toEqual(rows)
      for (const wanted of rows) {
        expect(store.find(wanted.symbol, wanted.exchange)).toBe(store.byId(wanted.id))
        expect(store.byId(wanted.id)).toEqual(wanted)
      }
    }),
    { numRuns: 30 },
  )
})

test('leaves the file alone in its folder', async () => {
  await writeSnapshot(path, content(shares(10)))
  await writeSnapshot(path, content(shares(20)))
  expect(readdirSync(folder)).toEqual(['instruments.snapshot'])
  expect((await read()).size).toBe(20)
})

test('a version is the same for the same instruments, and for no others', async () => {
  const version = versionOf(content(shares(50)))
  expect(version).toMatch(/^2026-03-10-[0-9a-f]{16}$/)
  expect(await writeSnapshot(path, content(shares(50)))).toBe(version)
  expect((await readSnapshot(path))?.version).toBe(version)
  expect(versionOf(content(shares(51)))).not.toBe(version)
  expect(versionOf(content(shares(50, 2)))).not.toBe(version)
  expect(versionOf(content(shares(50), '2026-03-11'))).not.toBe(version)
})

test('nothing kept is nothing', async () => {
  expect(await readSnapshot(path)).toBeUndefined()
})

test('any damage is noticed: a bit, a missing end, more at the end', async () => {
  await writeSnapshot(path, content(shares(30)))
  const bytes = readFileSync(path)
  const damaged = async (wrong: Uint8Array) => {
    writeFileSync(path, wrong)
    await expect(readSnapshot(path)).rejects.toBeInstanceOf(DamagedSnapshot)
  }
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(7), async (place, bit) => {
      const wrong = Buffer.from(bytes)
      wrong[place] = (wrong[place] ?? 0) ^ (1 << bit)
      await damaged(wrong)
    }),
    { numRuns: 60 },
  )
  for (const length of [0, 5, 12, 40, bytes.length - 1]) await damaged(bytes.subarray(0, length))
  await damaged(Buffer.concat([bytes, Buffer.from([0])]))
})
