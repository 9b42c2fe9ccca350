import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseCopy, decodeEntry } from '@postrider/store/ship'
import { DIRECTORY_FILE } from '../offline.ts'
import { blocksOf, DIRECTORY, partsOf } from './archive.ts'
import type { LogPosition } from './sets.ts'
import type { Shelf } from './shelf.ts'

/** The set was still being made at that moment: an older one is needed. */
export class TooYoung extends Error {
  /** When it was begun, ms. */
  readonly made: number
  constructor(made: number) {
    super('the set was still being made then')
    this.made = made
  }
}

/** A transaction that was in the copied tables before it was in the log was committed about when they were copied. */
const SLACK_MS = 60_000

/**
 * Takes a database from the moment of its copy to a later one, by what the archive has of its log. Answers how far it came, ms: less than `at` only where the
 * archive ends or has a gap. Rejects with TooYoung.
 */
export async function replay(
  shelf: Shelf,
  folder: string,
  options: { readonly database: string; readonly position: LogPosition; readonly made: number; readonly at: number },
): Promise<number> {
  const { database, position, at } = options
  const all = await partsOf(shelf, database)
  const parts = all.filter(({ stream, last }) => stream === position.stream && last > position.before)
  const copy = new DatabaseCopy(folder)
  let next = position.before + 1
  let done = position.before
  let later: number | undefined
  try {
    walk: for (const part of [...parts].sort((a, b) => a.first - b.first)) {
      if (part.first > next) break
      const bytes = await shelf.get(part.key)
      if (bytes === undefined) break
      for (const block of blocksOf(bytes)) {
        // Bytes that no row names yet are garbage, and cut off.
        if (block.kind === 'piece') {
          copy.writeSegment(block.segment, block.offset, block.bytes)
          continue
        }
        const entry = decodeEntry(block.bytes)
        if (entry.seq !== next) continue
        if (entry.time > at) {
          later = entry.time
          break walk
        }
        copy.apply(entry)
        next = entry.seq + 1
        if (entry.ends) done = entry.seq
      }
    }
  } finally {
    copy.close()
  }
  const whole =
    done > position.after || (done === position.after && !((later ?? Number.MAX_VALUE) <= position.at + SLACK_MS))
  if (!whole) throw new TooYoung(options.made)
  if (next - 1 !== done) throw new Error(`${database}: the archive ends within a transaction`)
  if (later !== undefined) return at
  const after = all.find(({ stream, firstTime }) => stream !== position.stream && firstTime > position.at)
  return after === undefined ? at : Math.min(at, after.firstTime - 1)
}

/** The directory as of a moment, if the archive has one that is newer than `from`. */
export async function replayDirectory(shelf: Shelf, folder: string, from: number, at: number): Promise<void> {
  const copies = await shelf.list(DIRECTORY)
  const key = copies.findLast((one) => Number(one.slice(DIRECTORY.length)) <= at)
  if (key === undefined || Number(key.slice(DIRECTORY.length)) <= from) return
  const bytes = await shelf.get(key)
  if (bytes !== undefined) writeFileSync(join(folder, DIRECTORY_FILE), bytes, { mode: 0o600, flush: true })
}
