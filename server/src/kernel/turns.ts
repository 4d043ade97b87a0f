/** Lets one thing happen at a time, so that what it looked at first still holds when it is done. */
export class InTurn {
  #last: Promise<void> = Promise.resolve()
  #waiting = 0

  /** Whether nothing is under way and nothing waits. */
  get isIdle(): boolean {
    return this.#waiting === 0
  }

  run<T>(act: () => Promise<T>): Promise<T> {
    this.#waiting += 1
    const result = this.#last.then(act)
    // Whoever asked is told what went wrong; who comes next needn't know
    const over = (): void => {
      this.#waiting -= 1
    }
    this.#last = result.then(over, over)
    return result
  }
}

/** Lets things of one name happen one at a time, in the order in which they were asked for; others side by side. */
export class TurnsByName {
  readonly #turns = new Map<string, InTurn>()

  /** Names with something under way. */
  get size(): number {
    return this.#turns.size
  }

  async run<T>(name: string, act: () => Promise<T>): Promise<T> {
    let turn = this.#turns.get(name)
    if (turn === undefined) {
      turn = new InTurn()
      this.#turns.set(name, turn)
    }
    try {
      return await turn.run(act)
    } finally {
      if (turn.isIdle && this.#turns.get(name) === turn) this.#turns.delete(name)
    }
  }
}
