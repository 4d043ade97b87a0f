import { expect, it } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { turn } from '../kernel/turn.ts'
import { Outbox } from './outbox.ts'
import type { Visit } from './visit.ts'
import { CommonHeaders, LastingHead, type WholeAnswer, type WholeResponse } from './whole-messages.ts'

const common = new CommonHeaders([])
const failed: unknown[] = []
const sent: string[] = []
const outbox = new Outbox(new ManualClock(0), new LastingHead(72), (error) => failed.push(error))
const response = {
  answer({ body }: WholeAnswer) {
    if (body === 'broken') throw new Error('the socket is gone')
    sent.push(body)
  },
} as unknown as WholeResponse
const answer = (body: string): void => outbox.send(response, { status: 200, common, headers: [], body }, {} as Visit)

it('answers leave together at the end of the turn, in order; many leave at once; one that fails holds up no other', async () => {
  answer('1')
  answer('broken')
  answer('2')
  expect(sent).toEqual([])
  await turn()
  expect([sent, failed]).toEqual([['1', '2'], [new Error('the socket is gone')]])
  for (let number = 3; number <= 40; number += 1) answer(String(number))
  expect(sent.length).toBeGreaterThan(30)
  await turn()
  expect(sent).toEqual(Array.from({ length: 40 }, (_, index) => String(index + 1)))
})
