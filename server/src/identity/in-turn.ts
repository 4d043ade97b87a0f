/** Lets one thing happen at a time, so that what it looked at first still holds when it is done. */
export class InTurn {
  #last: Promise<void> = Promise.resolve()

  run<T>(act: () => Promise<T>): Promise<T> {
    const result = this.#last.then(act)
    const over = (): void => undefined // whoever asked is told what went wrong; who comes next needn't know
    this.#last = result.then(over, over)
    return result
  }
}
