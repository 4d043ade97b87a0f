import { expect, it } from 'vitest'
import { parseTraceparent } from './trace-context.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'

// https://www.w3.org/TR/trace-context/#traceparent-header
it.each([
  [`00-${TRACE}-${PARENT}-01`, true],
  [`00-${TRACE}-${PARENT}-00`, false],
  [`00-${TRACE}-${PARENT}-03`, true],
  [`cc-${TRACE}-${PARENT}-01`, true],
  [`cc-${TRACE}-${PARENT}-01-what-the-future-brings`, true],
])('reads %s', (header, isSampled) => {
  expect(parseTraceparent(header)).toEqual({ traceId: TRACE, parentId: PARENT, isSampled })
})

it.each([
  '',
  '00',
  `00-${TRACE}-${PARENT}`,
  `00-${TRACE}-${PARENT}-1`,
  `00-${TRACE}-${PARENT}-01-more`,
  `00-${TRACE}-${PARENT}-01-`,
  `cc-${TRACE}-${PARENT}-01more`,
  `ff-${TRACE}-${PARENT}-01`,
  `00-${TRACE.toUpperCase()}-${PARENT}-01`,
  `00-${'0'.repeat(32)}-${PARENT}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `00-${TRACE}0-${PARENT}-01`,
  ` 00-${TRACE}-${PARENT}-01`,
  `00-${TRACE}-${PARENT}-0g`,
  `00_${TRACE}_${PARENT}_01`,
  `00-${TRACE}-${PARENT}-01\n`,
])('does not take %j for one', (header) => {
  expect(parseTraceparent(header)).toBeUndefined()
})
