import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'

/** sun_path of Linux has 108 bytes. */
const MAX_PATH = 100

/** Calls `use` with a path of a folder's socket that the system takes: a deep folder is reached through its descriptor (Linux). */
export async function withSocketPath<T>(folder: string, file: string, use: (path: string) => Promise<T>): Promise<T> {
  const path = join(folder, file)
  if (Buffer.byteLength(path) <= MAX_PATH) return use(path)
  const descriptor = openSync(folder, 'r')
  try {
    return await use(`/proc/self/fd/${descriptor}/${file}`)
  } finally {
    closeSync(descriptor)
  }
}
