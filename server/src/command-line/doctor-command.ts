import type { ControlCommands } from './control.ts'

/** One thing that a running server looked at. */
export interface ServerReading {
  readonly name: string
  readonly state: 'pass' | 'warn' | 'fail'
  /** What is wrong and what to do; empty when nothing is. */
  readonly message: string
}

export interface Examinable {
  read(): readonly ServerReading[]
}

/** What the running server says of itself when the doctor asks. */
export function doctorCommand(health: Examinable): ControlCommands & { doctor(): Promise<readonly ServerReading[]> } {
  return {
    doctor: async () => health.read().map(({ name, state, message }) => ({ name, state, message })),
  }
}
