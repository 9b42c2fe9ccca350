import { DomainError, isDomainError } from './error.ts'

/**
 * Epochs: architecture.md §1, storage.md §4.2. Every mailbox database has one owner at a time, and the directory says which node it is on and
 * since which epoch. Whoever becomes the owner does so with a higher epoch than anybody before; the database itself keeps the highest epoch it
 * was ever opened with, so an owner that was replaced cannot open it again, and one that still runs is fenced (`MailboxStore.fence`) and writes
 * nothing more. A mailbox has an epoch of its own, which grows with every move: who is asked for a mailbox that lives elsewhere answers
 * `moved, epoch n`, and the caller looks into the directory again, which knows that epoch or is about to.
 */
export interface DatabaseOwner {
  /** Name of the node; '' is the node that holds the directory. */
  readonly node: string
  readonly epoch: number
}

/** What a database, and a mailbox, begins with. */
export const FIRST_EPOCH = 1

const settingOf = (database: string): string => `owner.${database}`

/** The owner of a database as the directory has it: the directory's own node unless somebody wrote another. */
export function databaseOwner(directory: { setting(name: string): unknown }, database: string): DatabaseOwner {
  const stored = directory.setting(settingOf(database)) as Partial<DatabaseOwner> | undefined
  return { node: stored?.node ?? '', epoch: stored?.epoch ?? FIRST_EPOCH }
}

/**
 * Gives a database to a node, durably. The epoch must be higher than the one the directory has (else DomainError `moved`): of two that want to
 * be the owner with the same epoch only the first is.
 */
export async function setDatabaseOwner(
  directory: { setting(name: string): unknown; setSetting(name: string, value: unknown): Promise<void> },
  database: string,
  owner: DatabaseOwner,
): Promise<void> {
  const { epoch } = databaseOwner(directory, database)
  if (!Number.isSafeInteger(owner.epoch) || owner.epoch <= epoch) throw movedError(epoch)
  await directory.setSetting(settingOf(database), { node: owner.node, epoch: owner.epoch })
}

/** "Moved, epoch n": what was asked for has another owner since then. */
export const movedError = (epoch: number): DomainError => new DomainError('moved', `epoch ${epoch}`)

/** The epoch that such an answer names; undefined for any other error. */
export function movedEpoch(error: unknown): number | undefined {
  if (!isDomainError(error, 'moved')) return undefined
  const digits = /epoch (\d{1,15})/.exec(error.message)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
