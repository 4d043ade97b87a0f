/** What a request spends its time on, in the order in which it happens. */
export const STEPS = ['read', 'authenticate', 'validate', 'risk', 'venue', 'journal', 'serialise'] as const
export type Step = (typeof STEPS)[number]

/**
 * How long each step of one request took, in milliseconds. A step that comes twice (an order of several legs) adds up.
 * `lap` costs one reading of the clock.
 */
export class Steps {
  read = 0
  authenticate = 0
  validate = 0
  risk = 0
  venue = 0
  journal = 0
  serialise = 0
  readonly startedAtMs: number
  /** Of the request that it is about; empty outside of one. */
  readonly requestId: string
  #lastMs: number
  readonly #elapsedMs: () => number

  constructor(elapsedMs: () => number, requestId = '') {
    this.#elapsedMs = elapsedMs
    this.requestId = requestId
    this.startedAtMs = elapsedMs()
    this.#lastMs = this.startedAtMs
  }

  /** Everything since the last lap, or since the start, was this step. */
  lap(step: Step): void {
    const now = this.#elapsedMs()
    this[step] += now - this.#lastMs
    this.#lastMs = now
  }

  /** What happened since the last lap belongs to no step. */
  skip(): void {
    this.#lastMs = this.#elapsedMs()
  }

  /** When the last step ended, or the start. */
  get lastMs(): number {
    return this.#lastMs
  }

  /** From the start until now. */
  totalMs(): number {
    return this.#elapsedMs() - this.startedAtMs
  }
}
