import type { ServerResponse } from 'node:http'
import { expect, it } from 'vitest'
import { turn } from '../kernel/turn.ts'
import { Outbox } from './outbox.ts'
import type { Visit } from './visit.ts'

const failed: unknown[] = []
const sent: string[] = []
const outbox = new Outbox((error) => failed.push(error))
const response = {
  end(text: string) {
    if (text === 'broken') throw new Error('the socket is gone')
    sent.push(text)
  },
} as unknown as ServerResponse
const answer = (text: string): void => outbox.end(response, text, {} as Visit)

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
