import type { Database, Databases } from './open.ts'
import type { Writer } from './writer.ts'

/** For tests: a process that dies at any of its writes. */

const NEVER = new Promise<never>(() => undefined)

/** Where a process dies: so many writes later, and whether the last one still reaches the disk. */
export interface Death {
  readonly writesBefore: number
  readonly isLastKept: boolean
}

/** The files as one process sees them. Once it is dead nothing more is written, and no answer comes to anybody. */
export class Mortal {
  readonly databases: Databases
  readonly died: Promise<void>
  death: Death | undefined
  #isDead = false
  #writes = 0
  #tellDied: () => void = () => undefined

  constructor(real: Databases, death?: Death) {
    this.death = death
    this.died = new Promise((resolve) => {
      this.#tellDied = resolve
    })
    this.databases = { ...real, money: this.#over(real.money), record: this.#over(real.record) }
  }

  /** To die from now on, if it isn't dead. */
  arm(death: Death): void {
    this.#writes = 0
    this.death = death
  }

  kill(): void {
    this.#isDead = true
  }

  #over<Schema>(database: Database<Schema>): Database<Schema> {
    const writer = new Proxy(database.writer, {
      get: (target, name) => {
        if (name === 'write') return (statements: Parameters<Writer['write']>[0]) => this.#write(target, statements)
        const member: unknown = Reflect.get(target, name)
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
    return { ...database, writer }
  }

  async #write(writer: Writer, statements: Parameters<Writer['write']>[0]): Promise<void> {
    if (this.#isDead) return NEVER
    this.#writes += 1
    if (this.death === undefined || this.#writes <= this.death.writesBefore) {
      await writer.write(statements)
      return this.#isDead ? NEVER : undefined
    }
    this.#isDead = true
    if (this.death.isLastKept) await writer.write(statements)
    this.#tellDied()
    return NEVER
  }
}
