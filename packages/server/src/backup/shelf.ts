import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { S3, type S3Options } from '@postrider/store/s3'
import { syncFolder, writeAtomically } from '../transfer/write-file.ts'

/** Named objects in a folder or a bucket: written once, whole or not at all. */
export interface Shelf {
  put(key: string, bytes: Uint8Array): Promise<void>
  /** Undefined when it is not there. */
  get(key: string): Promise<Buffer | undefined>
  /** Keys that begin with `prefix`, ascending. */
  list(prefix: string): Promise<readonly string[]>
  remove(key: string): Promise<void>
  close(): void
}

/** Largest object. */
const MAX_OBJECT_BYTES = 512 * 1024 * 1024

export function folderShelf(root: string): Shelf {
  return {
    async put(key, bytes) {
      const path = join(root, key)
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      writeAtomically(path, bytes)
      syncFolder(dirname(path))
    },
    async get(key) {
      const path = join(root, key)
      return existsSync(path) ? readFileSync(path) : undefined
    },
    async list(prefix) {
      const folder = join(root, dirname(`${prefix}x`))
      if (!existsSync(folder)) return []
      return readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.name.endsWith('.new'))
        .map((entry) => relative(root, join(entry.parentPath, entry.name)))
        .filter((key) => key.startsWith(prefix))
        .sort()
    },
    async remove(key) {
      rmSync(join(root, key), { force: true })
    },
    close() {},
  }
}

export function bucketShelf(options: S3Options): Shelf {
  const s3 = new S3(options)
  return {
    put: (key, bytes) => s3.put(key, bytes),
    async get(key) {
      const bytes = await s3.get(key, { limit: MAX_OBJECT_BYTES })
      return bytes === undefined ? undefined : Buffer.from(bytes)
    },
    async list(prefix) {
      const keys: string[] = []
      for await (const { key } of s3.list(prefix)) keys.push(key)
      return keys.sort()
    },
    remove: (key) => s3.remove(key),
    close: () => s3.close(),
  }
}
