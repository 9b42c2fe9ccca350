import type { DirectoryWriter } from '@postrider/domain'
import { type DirectoryWrite, directoryWrites } from './news.ts'
import { DirectoryStore } from './open.ts'

/**
 * The directory as a node has it that does not hold it: a copy in memory with everything it needs to let people in, filled by `take`. `write` has a change
 * made where the directory is.
 */
export function openFollower(
  write: (method: DirectoryWrite, args: readonly unknown[]) => Promise<unknown>,
): DirectoryStore {
  const writes = Object.fromEntries(
    directoryWrites.map((method) => [method, (...args: readonly unknown[]) => write(method, args)]),
  ) as unknown as Pick<DirectoryWriter, DirectoryWrite>
  return Object.assign(new DirectoryStore({ file: ':memory:' }), writes)
}
