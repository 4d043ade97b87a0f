import type { Committed } from './engine.ts'

/**
 * Keeps what accounts did for whoever reads it later. A snapshot is written only when everything before it is kept, so
 * that what a crash prevented is found again by the replay and told again.
 */
export interface EventKeeper {
  /** Number of the account's last command whose events are on disk; 0 when none are. */
  keptUntil(account: string): Promise<number>
  /** The account's commands go on after number `seq`; events of later ones never happened. */
  begin(account: string, seq: number): Promise<void>
  /** Takes a command's events, in order. Never throws. */
  keep(committed: Committed): void
  /** Resolves when all up to command `seq` is on disk. Throws when it doesn't get there. */
  settled(account: string, seq: number): Promise<void>
}
