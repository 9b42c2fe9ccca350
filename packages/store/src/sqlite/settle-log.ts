import { closeSync, existsSync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs'

const PIECE_BYTES = 1024 * 1024

/**
 * Writes the bytes of a write-ahead log once more, and syncs them: before a database is opened that a program which died may have left. After a sync that
 * failed the kernel may show frames that no disk has and that no later sync will write (rule 1: a sync that is tried again says nothing). SQLite
 * takes them for durable: it copies them, begins the log anew, and a power cut before the next sync of the log brings back an older one, without
 * them, over pages that know of them. Written again they are what they seem, and a cut on the way leaves what the disk had before.
 */
export function settleLog(database: string): void {
  const path = `${database}-wal`
  if (!existsSync(path)) return
  const fd = openSync(path, 'r+')
  try {
    const piece = Buffer.allocUnsafe(PIECE_BYTES)
    let at = 0
    for (let got = readSync(fd, piece, 0, PIECE_BYTES, at); got > 0; got = readSync(fd, piece, 0, PIECE_BYTES, at)) {
      let put = 0
      while (put < got) put += writeSync(fd, piece, put, got - put, at + put)
      at += got
    }
    if (at > 0) fdatasyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
