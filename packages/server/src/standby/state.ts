import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { syncFolder, writeAtomically } from '../transfer/write-file.ts'

/** What a data folder is: the one that serves, a copy that follows it, one that another has replaced. */
export type Role = 'primary' | 'standby' | 'fenced'

/**
 * The fence. Every promotion counts the epoch up by one; of two servers that hold the same mailboxes the one with the higher epoch serves, and the other,
 * once it hears of it, never does again before it was made a standby.
 */
export interface FenceState {
  readonly role: Role
  readonly epoch: number
  /** The epoch that replaced it, and when it heard of that. */
  readonly by?: number
  readonly at?: string
}

export const FENCE_FILE = 'standby.json'

/** What the data folder says of itself; undefined where nothing was ever promoted or followed. */
export function readFence(dataFolder: string): FenceState | undefined {
  const file = join(dataFolder, FENCE_FILE)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as FenceState) : undefined
}

export function writeFence(dataFolder: string, state: FenceState): void {
  writeAtomically(join(dataFolder, FENCE_FILE), JSON.stringify(state))
  syncFolder(dataFolder)
}
