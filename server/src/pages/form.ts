/** What a browser sent with a form. */
export class Form {
  readonly #fields: URLSearchParams

  constructor(fields: URLSearchParams = new URLSearchParams()) {
    this.#fields = fields
  }

  /** Without the space around it that telephones like to add; empty when the field is missing. */
  text(name: string): string {
    return this.secret(name).trim()
  }

  /** Exactly as it was typed. */
  secret(name: string): string {
    return this.#fields.get(name) ?? ''
  }

  /** Of check boxes: every value that was ticked. */
  all(name: string): readonly string[] {
    return this.#fields.getAll(name)
  }
}

/** The fields that were filled in: forms send empty text for the others. */
export function filled(fields: Readonly<Record<string, string | readonly string[]>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value.length > 0))
}
