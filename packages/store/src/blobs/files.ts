import * as fs from 'node:fs'

/**
 * The few file calls on which durability rests. Tests give their own to make the k-th one fail; everybody else takes `realFiles`.
 */
export interface Files {
  open(path: string, flags: string): number
  close(fd: number): void
  /** Writes all of `parts` at `position`. */
  write(fd: number, parts: readonly Uint8Array[], position: number): void
  /** Reads up to `length` bytes; fewer only at the end of the file. */
  read(fd: number, length: number, position: number): Uint8Array
  truncate(fd: number, length: number): void
  size(fd: number): number
  /** fdatasync, off the thread. */
  sync(fd: number): Promise<void>
  /** fdatasync, on the thread: where nothing else may happen before it is done. */
  syncNow(fd: number): void
  syncDirectory(path: string): void
  remove(path: string): void
}

/** writev takes at most this many buffers (IOV_MAX). */
const MAX_VECTORS = 1024

function writeAll(fd: number, parts: readonly Uint8Array[], start: number): void {
  let position = start
  for (let i = 0; i < parts.length; i += MAX_VECTORS) {
    let rest: Uint8Array[] = parts.slice(i, i + MAX_VECTORS)
    while (rest.length > 0) {
      let written = fs.writevSync(fd, rest, position)
      position += written
      while (rest.length > 0 && written >= (rest[0] as Uint8Array).length) {
        written -= (rest[0] as Uint8Array).length
        rest = rest.slice(1)
      }
      if (written > 0) rest = [(rest[0] as Uint8Array).subarray(written), ...rest.slice(1)]
    }
  }
}

function readFully(fd: number, length: number, position: number): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(length)
  let got = 0
  while (got < length) {
    const n = fs.readSync(fd, bytes, got, length - got, position + got)
    if (n === 0) break
    got += n
  }
  return new Uint8Array(bytes.buffer, 0, got)
}

export const realFiles: Files = {
  open: (path, flags) => fs.openSync(path, flags, 0o600),
  close: (fd) => fs.closeSync(fd),
  write: writeAll,
  read: readFully,
  truncate: (fd, length) => fs.ftruncateSync(fd, length),
  size: (fd) => fs.fstatSync(fd).size,
  sync: (fd) =>
    new Promise((resolve, reject) => fs.fdatasync(fd, (error) => (error === null ? resolve() : reject(error)))),
  syncNow: (fd) => fs.fdatasyncSync(fd),
  syncDirectory: (path) => {
    const fd = fs.openSync(path, 'r')
    try {
      fs.fsyncSync(fd)
    } finally {
      fs.closeSync(fd)
    }
  },
  remove: (path) => fs.rmSync(path, { force: true }),
}

/** Whether an error says that there is no space: it passes, and nothing is broken. */
export const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
