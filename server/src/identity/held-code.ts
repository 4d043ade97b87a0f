import type { Statement } from '../storage/writer.ts'

/** A code that was right and that nobody else can use meanwhile. Whoever gets one calls `useIn`, once. */
export interface HeldCode {
  /** Uses it up in the commit that `act` makes with the statement. When that fails, the code is as good as before. */
  useIn<T>(act: (using: Statement) => Promise<T>): Promise<T>
}

export function heldCode(using: Statement, release: (isUsed: boolean) => void): HeldCode {
  return {
    async useIn(act) {
      let isUsed = false
      try {
        const done = await act(using)
        isUsed = true
        return done
      } finally {
        release(isUsed)
      }
    },
  }
}
