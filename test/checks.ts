/** Runs checks one after another and prints one line for each. */
export class Checks {
  readonly #subject: string
  passed = 0
  failed = 0

  constructor(subject: string) {
    this.#subject = subject
  }

  async check(name: string, run: () => Promise<void>): Promise<void> {
    try {
      await run()
      this.passed += 1
      console.log(`ok ${this.#subject}: ${name}`)
    } catch (error) {
      this.failed += 1
      console.log(`FAILED ${this.#subject}: ${name}\n${error instanceof Error ? error.stack : String(error)}`)
    }
  }
}
