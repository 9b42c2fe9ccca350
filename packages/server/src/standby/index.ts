/**
 * A second server that follows this one, and takes over. In: the commit logs of the mailbox databases (store/ship), the directory, the small files of the data
 * folder; out: a copy of all of it on another machine, and acknowledgements that wait for it (`standby.wait`). Invariants: what was acknowledged with
 * `synced` is on the standby's disk; of two servers the one with the higher epoch serves (state.ts). Read next: sender.ts (the primary), receiver.ts and
 * replica.ts (the standby), stream.ts (what they say to each other), program.ts (which of the two this folder is).
 */
export { aside } from './aside.ts'
export { directoryMark } from './files.ts'
export { copyOf, openFollowed, roleOf, type Followed } from './followed.ts'
export type { PrimaryReport } from './sender.ts'
export type { StandbyReport } from './receiver.ts'
export { type RunningStandby, startStandby } from './program.ts'
export { keyFile } from './key.ts'
