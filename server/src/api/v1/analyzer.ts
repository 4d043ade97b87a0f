import Type from 'typebox'
import { Refusal } from '../../kernel/errors.ts'
import { defineOperation } from '../operation.ts'
import { flag } from '../text-fields.ts'
import { mode } from './wire.ts'

const state = { analyze_mode: Type.Boolean(), mode, total_logs: Type.Integer() }

export const analyzer = defineOperation({
  name: 'analyzer',
  method: 'POST',
  tag: 'Analyzer',
  summary: 'Whether the account trades on paper',
  description: '`total_logs` counts the requests to place, modify and cancel orders on paper.',
  access: 'read',
  rateClass: 'read',
  input: {},
  output: Type.Object({ data: Type.Object(state), status: Type.Literal('success') }),
  example: {},
  async handle(_input, { account, services }) {
    const venue = services.trading.venue(account)
    return {
      data: { analyze_mode: venue.mode === 'analyze', mode: venue.mode, total_logs: await venue.requestCount() },
      status: 'success' as const,
    }
  },
})

export const analyzertoggle = defineOperation({
  name: 'analyzer/toggle',
  method: 'POST',
  tag: 'Analyzer',
  summary: 'Choose between paper and live trading',
  description:
    'Sets the mode, it does not flip it: true for paper, false for live. An account without a live broker stays on paper, and asking for live is refused.',
  access: 'admin',
  rateClass: 'read',
  inSemiAuto: { refuse: 'Analyzer mode cannot be changed in Semi-Auto mode. Please switch to Auto mode first.' },
  input: { mode: flag({ description: 'true for paper, false for live.', example: true }) },
  output: Type.Object({ data: Type.Object({ ...state, message: Type.String() }), status: Type.Literal('success') }),
  example: { mode: true },
  refusals: ['no_live_venue'],
  async handle(input, { account, services }) {
    const venue = services.trading.venue(account)
    if (!input.mode) {
      throw new Refusal(
        'no_live_venue',
        `Account ${account} has no live broker, so it can't leave paper trading. It stays in analyze mode; send mode true.`,
      )
    }
    return {
      data: {
        analyze_mode: true,
        message: `Analyzer mode switched to ${venue.mode}`,
        mode: venue.mode,
        total_logs: await venue.requestCount(),
      },
      status: 'success' as const,
    }
  },
})
