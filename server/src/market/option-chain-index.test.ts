import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { priceOf } from '../kernel/fixed.ts'
import { type Exchange, isOption } from './instrument.ts'
import { InstrumentStore } from './instrument-store.ts'
import { firstNotBelow } from './option-chain-index.ts'
import { createUniverse } from './simulator/universe.ts'

const universe = [...createUniverse({ date: '2026-11-25', seed: 1 })]
const store = new InstrumentStore(universe)

describe('option chains', () => {
  test.each<Exchange>(['NFO', 'BFO', 'MCX', 'CDS', 'NCO', 'CRYPTO', 'BCD', 'NSE'])(
    'of %s hold every option once, under its underlying and expiry',
    (exchange) => {
      const options = universe.filter((row) => row.exchange === exchange && isOption(row))
      const byChain = Map.groupBy(options, ({ name, expiry }) => `${name} ${expiry}`)
      for (const [key, rows] of byChain) {
        const [name = '', expiry = ''] = key.split(' ')
        const chain = store.optionChain(name, exchange, expiry)
        expect(chain?.expiry).toBe(expiry)
        for (const type of ['CE', 'PE'] as const) {
          const own = rows.filter(({ kind }) => kind === type)
          expect(chain?.strikes(type)).toEqual(own.map(({ strike }) => strike).sort((a, b) => a - b))
          for (const { strike, symbol } of own) expect(chain?.find(strike, type)?.symbol).toBe(symbol)
        }
      }
      for (const [name, rows] of Map.groupBy(options, (row) => row.name))
        expect(store.optionExpiries(name, exchange)).toEqual([...new Set(rows.map(({ expiry }) => expiry))].sort())
    },
  )

  test('do not depend on the order of the source', () => {
    const nifty = universe.filter(({ name, exchange }) => name === 'NIFTY' && exchange === 'NFO')
    const scattered = new InstrumentStore(
      nifty
        .map((row, index) => ({ row, place: (index * 7919) % nifty.length }))
        .sort((a, b) => a.place - b.place)
        .map(({ row }) => row),
    )
    expect(scattered.optionExpiries('NIFTY', 'NFO')).toEqual(store.optionExpiries('NIFTY', 'NFO'))
    for (const expiry of store.optionExpiries('NIFTY', 'NFO')) {
      const chain = store.optionChain('NIFTY', 'NFO', expiry)
      expect(scattered.optionChain('NIFTY', 'NFO', expiry)?.strikes('PE')).toEqual(chain?.strikes('PE'))
    }
  })

  test('are not there for what is not listed', () => {
    expect(store.optionExpiries('NIFTY', 'BFO')).toEqual([])
    expect(store.optionExpiries('nifty', 'NFO')).toEqual([])
    expect(store.optionChain('NIFTY', 'NFO', '2026-12-02')).toBeUndefined()
    expect(store.optionChain('NIFTY', 'NFO', '2026-12-01')?.find(priceOf('29400.05'), 'CE')).toBeUndefined()
    expect(store.optionChain('NIFTY', 'NFO', '2026-12-01')?.find(0, 'CE')).toBeUndefined()
    expect(store.optionChain('NIFTY', 'NFO', '2026-12-01')?.find(Number.MAX_SAFE_INTEGER, 'CE')).toBeUndefined()
  })

  test('names close to a misspelt one are offered', () => {
    expect(store.nearestOptionRoots('BAJAJAUTO', 'NFO', 1)).toEqual(['BAJAJ-AUTO'])
    expect(store.nearestOptionRoots('ZZZZZZZZ', 'NFO', 3)).toEqual([])
  })
})

test('the first strike that is not below a value is found as by looking at each', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 })), fc.integer({ min: -5, max: 55 }), (values, value) => {
      const sorted = values.sort((a, b) => a - b)
      const index = sorted.findIndex((each) => each >= value)
      expect(firstNotBelow(sorted, value)).toBe(index < 0 ? sorted.length : index)
    }),
  )
})
