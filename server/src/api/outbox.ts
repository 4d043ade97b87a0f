import type { Clock } from '../kernel/clock.ts'
import type { Visit } from './visit.ts'
import type { LastingHead, WholeAnswer, WholeResponse } from './whole-messages.ts'

/** So many answers leave at once rather than wait for the end of the turn. */
const WAITING_MAX = 16

/**
 * Lets the answers of one turn of the event loop leave one right after the other. One that leaves by itself wakes its reader,
 * and that takes more of the processor than the request did: with 64 connections, a quarter more requests are answered so.
 */
export class Outbox {
  readonly #clock: Pick<Clock, 'now'>
  readonly #lasting: LastingHead
  readonly #onError: (error: unknown, visit: Visit, response: WholeResponse) => void
  #waiting: { readonly response: WholeResponse; readonly answer: WholeAnswer; readonly visit: Visit }[] = []

  constructor(
    clock: Pick<Clock, 'now'>,
    lasting: LastingHead,
    onError: (error: unknown, visit: Visit, response: WholeResponse) => void,
  ) {
    this.#clock = clock
    this.#lasting = lasting
    this.#onError = onError
  }

  /** Sends an answer before anything else is waited for. */
  send(response: WholeResponse, answer: WholeAnswer, visit: Visit): void {
    this.#waiting.push({ response, answer, visit })
    if (this.#waiting.length === 1) setImmediate(() => this.#sendAll())
    else if (this.#waiting.length >= WAITING_MAX) this.#sendAll()
  }

  #sendAll(): void {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    const lasting = this.#lasting.at(this.#clock.now())
    for (const { response, answer, visit } of waiting) {
      try {
        response.answer(answer, lasting)
      } catch (error) {
        this.#onError(error, visit, response)
      }
    }
  }
}
