import { closeSync, fdatasyncSync, fsyncSync, openSync, renameSync, utimesSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
}

/** A file that is there whole or not at all, and stays: written aside (`aside`), synced, renamed. */
export function writeAtomically(
  file: string,
  content: string | Uint8Array | Iterable<Uint8Array>,
  { mtime, aside = `${file}.new` }: { readonly mtime?: number; readonly aside?: string } = {},
): void {
  const fd = openSync(aside, 'w', 0o600)
  try {
    if (typeof content === 'string') writeAll(fd, Buffer.from(content))
    else if (content instanceof Uint8Array) writeAll(fd, content)
    else for (const part of content) writeAll(fd, part)
    fdatasyncSync(fd)
  } finally {
    closeSync(fd)
  }
  if (mtime !== undefined) utimesSync(aside, mtime / 1000, mtime / 1000)
  renameSync(aside, file)
}

/** The names in a folder last. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** A large file, piece by piece; `end` puts it in its place. */
export class AtomicFile {
  readonly #file: string
  readonly #fd: number
  constructor(file: string) {
    this.#file = file
    this.#fd = openSync(`${file}.new`, 'w', 0o600)
  }
  write(bytes: Uint8Array): void {
    writeAll(this.#fd, bytes)
  }
  end(): void {
    fdatasyncSync(this.#fd)
    closeSync(this.#fd)
    renameSync(`${this.#file}.new`, this.#file)
    syncFolder(dirname(this.#file))
  }
  abandon(): void {
    closeSync(this.#fd)
  }
}
