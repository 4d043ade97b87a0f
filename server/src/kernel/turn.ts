/** Lets everything else that waits have its turn: for work that goes on for long, a bit at a time. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
