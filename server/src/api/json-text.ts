import type { FieldError } from '../kernel/errors.ts'
import type { Streamed } from './download.ts'

/**
 * A body that is JSON text already, for answers of many rows that were made before: serialising them again would cost more
 * than all else. A handler returns it in place of the body; the text must be what the body would become.
 */
export class JsonText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** The same object with the server's warnings, which come last in the order of keys. */
  withWarnings(warnings: readonly FieldError[]): JsonText {
    return new JsonText(`${this.text.slice(0, -1)},"warnings":${JSON.stringify(warnings)}}`)
  }
}

/** An answer in another form than the operation's output describes, such as text: the compiler takes it for the output. */
export const asOtherBody = <Body>(answer: Streamed): Body => answer as unknown as Body

/** The compiler takes it for the body that it is the text of. */
export const asBody = <Body>(text: string): Body => new JsonText(text) as unknown as Body
