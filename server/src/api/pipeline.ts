import type { IncomingMessage, ServerResponse } from 'node:http'
import { Refusal } from '../kernel/errors.ts'
import { STATUS_UNANSWERED } from '../monitor/finished-request.ts'
import type { AnyOperation } from './operation.ts'
import type { Visit } from './visit.ts'
import { WholeRequest, WholeResponse } from './whole-messages.ts'

export interface Outcome {
  readonly status: number
  /** Of the body, as far as it had come when the answer was sent. */
  readonly bytesIn: number
  readonly bytesOut: number
}

/** What an operation answered: the body, of errors too. */
export interface OperationOutcome {
  readonly status: number
  readonly body: unknown
  /** Stable code of an error; empty for success. */
  readonly code: string
}

/**
 * What meets a request, in order; the first step that throws a Refusal answers. The composition root writes the lists,
 * and both ways of a request (`http.ts`, `fast-lane.ts`) follow them.
 */
export interface Pipeline {
  /** Of every answer under `/api/`. */
  readonly apiHeaders: Readonly<Record<string, string>>
  /** Those of them that concern programs too; a request of the fast lane never comes from a page. */
  readonly programHeaders: Readonly<Record<string, string>>
  /** Gives the request its id, its client's address and its place in time. */
  readonly arrive: (request: IncomingMessage) => Visit
  /** As soon as the headers are there. */
  readonly beforeBody: readonly ((visit: Visit) => void)[]
  /** With the body read as JSON; nothing else in it has been looked at. */
  readonly beforeFields: readonly ((visit: Visit, operation: AnyOperation, source: object) => void)[]
  /**
   * With every field right, around all that follows: for what must be done once however often it is asked for. Undefined
   * lets `act` be called as usual.
   */
  readonly onlyOnce?: (
    visit: Visit,
    operation: AnyOperation,
    source: object,
    act: () => unknown,
  ) => Promise<object> | undefined
  /** With every field right. What one of them returns is the answer, and the handler isn't asked. */
  readonly beforeHandler: readonly ((
    visit: Visit,
    operation: AnyOperation,
    input: object,
    source: object,
  ) => Promise<object> | undefined)[]
  /** For each operation that got past `beforeFields`. */
  readonly afterHandler: readonly ((
    visit: Visit,
    operation: AnyOperation,
    source: object,
    outcome: OperationOutcome,
  ) => void)[]
  /** When the answer is made, before it is sent: for headers that tell about it. */
  readonly beforeAnswer: readonly ((visit: Visit) => void)[]
  /** When the last byte has left, or the client has. */
  readonly afterAnswer: readonly ((visit: Visit, outcome: Outcome) => void)[]
}

/** What refuses a request of which only the headers are known. */
export function refusalBeforeBody(pipeline: Pipeline, visit: Visit): Refusal | undefined {
  try {
    for (const step of pipeline.beforeBody) step(visit)
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

/** Tells who wants to know what became of a request. To be called when its response is closed. */
export function finish(pipeline: Pipeline, visit: Visit, response: ServerResponse): void {
  visit.onClosed?.()
  const { req: request } = response
  // What tests inject comes by no socket, and isn't counted
  const bytesIn = request instanceof WholeRequest ? request.bodyBytes : 0
  const bytesOut = response instanceof WholeResponse ? response.bytesSent : Number.NaN
  const isAnswered = bytesOut !== 0 && (response.headersSent || response.writableEnded)
  const outcome = { status: isAnswered ? response.statusCode : STATUS_UNANSWERED, bytesIn, bytesOut: bytesOut || 0 }
  for (const step of pipeline.afterAnswer) step(visit, outcome)
}
