import { randomFillSync } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { Clock, Logger } from '@postrider/domain'

export const RESERVE_BYTES = 8 * 1024 * 1024
/** On a small disk it is less: this share of what is free when it is made, and never less than this many bytes. */
const SHARE = 0.02
const FEWEST_BYTES = 256 * 1024
/** Writing goes on when this many times its size is free beside it. */
const ROOM = 2
/** How often a full disk is looked at again. */
const RETRY_MS = 1_000

/**
 * A file of real blocks that is given up when the disk is full, so that deletes can still be written. Making it again is the test whether
 * there is space: while it is missing, only calls that free something come in.
 */
export class Reserve {
  readonly #path: string
  readonly #bytes: number
  readonly #clock: Clock
  readonly #log: Logger
  #held = false
  #full = false
  #triedAt = Number.NEGATIVE_INFINITY

  constructor(path: string, options: { bytes?: number; clock: Clock; log: Logger }) {
    this.#path = path
    this.#clock = options.clock
    this.#log = options.log
    this.#held = existsSync(path) && statSync(path).size > 0
    const share = Math.floor(freeBytes(dirname(path)) * SHARE)
    this.#bytes = options.bytes ?? Math.min(RESERVE_BYTES, Math.max(FEWEST_BYTES, share))
    if (!this.#held) this.#full = !this.#make()
  }

  /** False while the disk is full; makes the file again when there is space, at most once a second. */
  available(): boolean {
    if (!this.#full) return true
    if (this.#clock.monotonic() - this.#triedAt < RETRY_MS) return false
    this.#full = !this.#make()
    if (!this.#full) this.#log.info({ path: this.#path }, 'there is space again: writing goes on')
    return !this.#full
  }

  /** The disk is full. Answers whether room was given up now, so that trying again makes sense. */
  release(error: unknown): boolean {
    if (!this.#full)
      this.#log.error({ path: this.#path, error: String(error) }, 'disk full: reading and deleting go on')
    this.#full = true
    this.#triedAt = this.#clock.monotonic()
    const held = this.#held
    this.#held = false
    if (held) rmSync(this.#path, { force: true })
    return held
  }

  /** Whether the disk was full when last looked at. */
  get full(): boolean {
    return this.#full
  }

  #make(): boolean {
    this.#triedAt = this.#clock.monotonic()
    const unfinished = `${this.#path}.part`
    try {
      mkdirSync(dirname(this.#path), { recursive: true })
      const fd = openSync(unfinished, 'w', 0o600)
      try {
        // Random bytes: a file system that packs or leaves holes must give real blocks.
        const block = randomFillSync(Buffer.allocUnsafe(Math.min(this.#bytes, 1024 * 1024)))
        for (let at = 0; at < this.#bytes; ) at += writeSync(fd, block, 0, Math.min(block.length, this.#bytes - at))
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
      // Room for the reserve alone is no room to work in: it would be given up again at once.
      if (freeBytes(dirname(this.#path)) < this.#bytes * ROOM) throw new Error('too little is free beside it')
      renameSync(unfinished, this.#path)
      this.#held = true
      return true
    } catch (error) {
      rmSync(unfinished, { force: true })
      this.#log.warn({ path: this.#path, error: String(error) }, 'no room for the reserve')
      return false
    }
  }
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}
