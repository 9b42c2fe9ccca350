import { DomainError } from '@postrider/domain'
import { Connection, isSqliteBusy } from './connection.ts'

/** How long to wait for an owner that is just going away, ms. */
const PATIENCE_MS = 2_000

/**
 * The right to be the one writer of a database folder: an exclusive lock of the operating system, held through an open transaction on a file
 * of its own, so it ends with the process however that ends. Throws `unavailable` when another owner runs.
 */
export function lockFolder(path: string): { release(): void } {
  const connection = new Connection(path)
  try {
    connection.pragma(`busy_timeout = ${PATIENCE_MS}`)
    connection.execute('BEGIN EXCLUSIVE')
  } catch (cause) {
    connection.close()
    if (!isSqliteBusy(cause)) throw cause
    throw new DomainError('unavailable', `another process owns ${path}`, { cause })
  }
  return { release: () => connection.close() }
}
