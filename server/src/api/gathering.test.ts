import { expect, it } from 'vitest'
import { turn } from '../kernel/turn.ts'
import { Gathering } from './gathering.ts'

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, step) => from + step)

it('does together what one turn brings, in order, and much at once', async () => {
  const acts: (number | 'done')[] = []
  const gathering = new Gathering<number>(
    (item) => acts.push(item),
    () => acts.push('done'),
  )
  for (const item of numbers(1, 3)) gathering.add(item)
  expect(acts).toEqual([])
  await turn()
  expect(acts.splice(0)).toEqual([1, 2, 3, 'done'])
  for (const item of numbers(1, 40)) gathering.add(item)
  expect(acts.length).toBeGreaterThan(30)
  await turn()
  expect(acts.splice(0).filter((act) => act !== 'done')).toEqual(numbers(1, 40))
  gathering.add(1)
  gathering.flush()
  expect(acts).toEqual([1, 'done'])
  await turn()
  expect(acts).toEqual([1, 'done'])
})

it('does what is added meanwhile, too', async () => {
  const acts: number[] = []
  const gathering = new Gathering<number>((item) => {
    acts.push(item)
    if (item < 5) gathering.add(item + 1)
  })
  gathering.add(1)
  for (let turns = 0; turns < 6; turns += 1) await turn()
  expect(acts).toEqual([1, 2, 3, 4, 5])
})
