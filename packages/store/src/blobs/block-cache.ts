import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Parts of segments that are kept near. */
export interface BlockCache {
  get(segment: number, block: number): Promise<Uint8Array | undefined>
  put(segment: number, block: number, bytes: Uint8Array): Promise<void>
  /** Forgets what it has of a segment. */
  drop(segment: number): Promise<void>
}

const named = (segment: number, block: number): string => `${segment}-${block}`

/**
 * Files of a folder, up to so many bytes: what was used least recently goes first. Nothing is synced: what a crash leaves of a file does not pass
 * the checksum of a record and is fetched anew.
 */
export class DiskBlocks implements BlockCache {
  readonly #folder: string
  readonly #limit: number
  /** Sizes by name, least recently used first. */
  readonly #known = new Map<string, number>()
  #bytes = 0

  constructor(folder: string, limit: number) {
    this.#folder = folder
    this.#limit = limit
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const files = readdirSync(folder)
      .filter((name) => /^\d+-\d+$/.test(name))
      .map((name) => ({ name, stat: statSync(join(folder, name)) }))
    for (const { name, stat } of files.sort((a, b) => a.stat.mtimeMs - b.stat.mtimeMs)) {
      this.#known.set(name, stat.size)
      this.#bytes += stat.size
    }
  }

  /** What it holds now. */
  get bytes(): number {
    return this.#bytes
  }

  async get(segment: number, block: number): Promise<Uint8Array | undefined> {
    const name = named(segment, block)
    const size = this.#known.get(name)
    if (size === undefined) return undefined
    this.#known.delete(name)
    this.#known.set(name, size)
    try {
      return await readFile(join(this.#folder, name))
    } catch {
      // Somebody cleared the folder.
      this.#forget(name)
      return undefined
    }
  }

  async put(segment: number, block: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length > this.#limit) return
    const name = named(segment, block)
    try {
      await writeFile(join(this.#folder, name), bytes, { mode: 0o600 })
    } catch {
      // A full disk only makes it slower.
      this.#forget(name)
      await rm(join(this.#folder, name), { force: true })
      return
    }
    this.#forget(name)
    this.#known.set(name, bytes.length)
    this.#bytes += bytes.length
    for (const oldest of [...this.#known.keys()]) {
      if (this.#bytes <= this.#limit) break
      this.#forget(oldest)
      await rm(join(this.#folder, oldest), { force: true })
    }
  }

  async drop(segment: number): Promise<void> {
    for (const name of [...this.#known.keys()]) {
      if (!name.startsWith(`${segment}-`)) continue
      this.#forget(name)
      await rm(join(this.#folder, name), { force: true })
    }
  }

  #forget(name: string): void {
    this.#bytes -= this.#known.get(name) ?? 0
    this.#known.delete(name)
  }
}
