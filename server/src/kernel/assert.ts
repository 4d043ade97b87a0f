/** A broken invariant: a bug in Sauda, never a user's mistake. The account it happens in must stop. */
export class AssertionFailed extends Error {
  override readonly name = 'AssertionFailed'
}

/** A message that is put together is given as a function where this is asked for every order: else that would be, too. */
export function assert(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) throw new AssertionFailed(typeof message === 'string' ? message : message())
}
