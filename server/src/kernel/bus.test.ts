import { expect, test } from 'vitest'
import { EventBus } from './bus.ts'

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const unexpected = (error: unknown): void => {
  throw error
}

test('a slow subscriber gets all events in order and holds up nobody else', async () => {
  const bus = new EventBus<{ tick: number }>()
  const slow: number[] = []
  const quick: number[] = []
  bus.subscribe('tick', {
    name: 'slow',
    onError: unexpected,
    handle: async (n) => {
      await settle()
      slow.push(n)
    },
  })
  bus.subscribe('tick', {
    name: 'quick',
    onError: unexpected,
    handle: (n) => {
      quick.push(n)
    },
  })
  for (let n = 0; n < 5; n += 1) bus.publish('tick', n)
  await settle()
  expect(quick).toEqual([0, 1, 2, 3, 4])
  for (let n = 0; n < 6; n += 1) await settle()
  expect(slow).toEqual([0, 1, 2, 3, 4])
})

test('a subscriber that falls behind loses its oldest events, is told how many, and keeps the order', async () => {
  const bus = new EventBus<{ tick: number }>()
  const got: number[] = []
  const lost: number[] = []
  const subscription = bus.subscribe('tick', {
    name: 'full',
    queueLengthMax: 3,
    onError: unexpected,
    onDropped: (count) => lost.push(count),
    handle: (n) => {
      got.push(n)
    },
  })
  for (let n = 0; n < 10; n += 1) bus.publish('tick', n)
  await settle()
  expect(got).toEqual([7, 8, 9])
  expect([lost, subscription.dropped]).toEqual([[7], 7])
})

test('an error in one event reaches onError and the next event is handled', async () => {
  const bus = new EventBus<{ tick: number }>()
  const got: number[] = []
  const errors: unknown[] = []
  bus.subscribe('tick', {
    name: 'bad',
    onError: (error) => errors.push(error),
    handle: (n) => {
      if (n === 1) throw new Error('one')
      got.push(n)
    },
  })
  for (let n = 0; n < 3; n += 1) bus.publish('tick', n)
  await settle()
  expect([got, errors.map(String)]).toEqual([[0, 2], ['Error: one']])
})

test('a closed subscription gets nothing more', async () => {
  const bus = new EventBus<{ tick: number }>()
  const got: number[] = []
  const subscription = bus.subscribe('tick', {
    name: 'gone',
    onError: unexpected,
    handle: (n) => {
      got.push(n)
    },
  })
  bus.publish('tick', 1)
  subscription.close()
  bus.publish('tick', 2)
  await settle()
  expect(got).toEqual([])
})
