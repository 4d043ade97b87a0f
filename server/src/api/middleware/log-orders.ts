import type { OrderEvent } from '../../monitor/order-log.ts'
import type { AnyOperation } from '../operation.ts'
import type { OperationOutcome } from '../pipeline.ts'
import type { Visit } from '../visit.ts'

export interface LogOrdersOptions {
  readonly record: (event: OrderEvent) => void
  /** Where an account's orders go now: `analyze` for paper, `live`. */
  readonly modeOf: (account: string) => string
}

const textOf = (from: unknown, name: string): string => {
  if (typeof from !== 'object' || from === null) return ''
  const value = (from as Readonly<Record<string, unknown>>)[name]
  return typeof value === 'string' ? value : ''
}

const idOf = (from: unknown): string => textOf(from, 'orderid') || textOf(from, 'trigger_id')

/** Keeps each operation on orders, from the moment that it is known who asks, and what came of it. */
export function logOrders({ record, modeOf }: LogOrdersOptions) {
  return (visit: Visit, operation: AnyOperation, source: object, outcome: OperationOutcome): void => {
    if (operation.access !== 'trade') return
    const { caller, at, id } = visit
    const { apikey: _, ...request } = source as Readonly<Record<string, unknown>>
    visit.orderId = idOf(outcome.body) || idOf(request)
    const named = textOf(request, 'symbol') === '' ? outcome.body : request // an option's symbol is found, not sent
    visit.symbol = textOf(named, 'symbol')
    record({
      at,
      account: caller.account,
      mode: modeOf(caller.account),
      operation: operation.name,
      strategy: textOf(request, 'strategy'),
      symbol: visit.symbol,
      exchange: textOf(named, 'exchange') || textOf(request, 'exchange'),
      orderId: visit.orderId,
      requestId: id,
      keyId: caller.keyId ?? '',
      status: outcome.status,
      code: outcome.code,
      request,
      answer: outcome.body,
    })
  }
}
