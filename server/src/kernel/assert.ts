/** A broken invariant: a bug in Sauda, never a user's mistake. The account it happens in must stop. */
export class AssertionFailed extends Error {
  override readonly name = 'AssertionFailed'
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFailed(message)
}
