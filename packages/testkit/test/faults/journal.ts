/**
 * What shim.c wrote down, read as the rules of the disk allow: a change of a file is certain to be on the disk only after a sync of the file
 * that began behind it and succeeded; a name only after a sync of its folder. Everything else may be there, not there, or torn at the borders of
 * sectors. After a failed sync what it should have written is gone for good, though the program's later syncs succeed.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const kinds = [
  '',
  'open',
  'create',
  'write',
  'truncate',
  'sync',
  'synced',
  'syncFailed',
  'rename',
  'unlink',
  'mkdir',
  'link',
  'syncDirectory',
] as const
const HEAD_BYTES = 40
const SECTOR_BYTES = 512

interface Noted {
  readonly kind: (typeof kinds)[number]
  readonly inode: string
  readonly position: number
  readonly number: number
  /** Monotonic clock, ms. */
  readonly at: number
  readonly path: string
  readonly bytes: Buffer
}

/** The monotonic clock of this machine, ms: what the shim writes down and the ledger too. */
export const monotonicNow = (): number => Number(process.hrtime.bigint()) / 1e6

function readNotes(path: string): Noted[] {
  const all = readFileSync(path)
  const notes: Noted[] = []
  for (let at = 0; at + HEAD_BYTES <= all.length; ) {
    const textLength = all.readUInt32LE(at + 4)
    const byteLength = all.readUInt32LE(at + 8)
    const textAt = at + HEAD_BYTES
    const end = textAt + textLength + byteLength
    if (end > all.length) break
    notes.push({
      kind: kinds[all.readUInt32LE(at)] ?? '',
      number: all.readUInt32LE(at + 12),
      inode: String(all.readBigUInt64LE(at + 16)),
      position: Number(all.readBigInt64LE(at + 24)),
      at: Number(all.readBigInt64LE(at + 32)) / 1e6,
      path: all.toString('utf8', textAt, textAt + textLength),
      bytes: all.subarray(textAt + textLength, end),
    })
    at = end
  }
  return notes
}

/** A change that is not certain to be on the disk yet. */
interface Pending {
  readonly order: number
  /** Undefined: a new length. */
  readonly bytes: Buffer | undefined
  readonly position: number
}

class DiskFile {
  #bytes = Buffer.alloc(0)
  #length = 0
  pending: Pending[] = []

  static of(bytes: Buffer): DiskFile {
    const file = new DiskFile()
    file.#write(bytes, 0)
    return file
  }
  #grow(length: number): void {
    if (length > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(length, this.#bytes.length * 2))
      this.#bytes.copy(grown, 0, 0, this.#length)
      this.#bytes = grown
    }
  }
  #write(bytes: Buffer, position: number): void {
    this.#grow(position + bytes.length)
    bytes.copy(this.#bytes, position)
    this.#length = Math.max(this.#length, position + bytes.length)
  }
  #apply({ bytes, position }: Pending): void {
    if (bytes !== undefined) {
      this.#write(bytes, position)
      return
    }
    this.#grow(position)
    if (position < this.#length) this.#bytes.fill(0, position, this.#length)
    this.#length = position
  }
  /** All that was changed before a sync began is on the disk. */
  settle(before: number): void {
    for (const one of this.pending) if (one.order < before) this.#apply(one)
    this.pending = this.pending.filter((one) => one.order >= before)
  }
  /** What a failed sync should have written is on no disk and in no later sync. */
  lose(before: number): void {
    this.pending = this.pending.filter((one) => one.order >= before)
  }
  /** The content after the cut, each uncertain change as `chance` says. */
  content(chance: (change: Pending) => Pending[]): Buffer {
    const copy = DiskFile.of(this.#bytes.subarray(0, this.#length))
    for (const one of this.pending) for (const part of chance(one)) copy.#apply(part)
    return copy.#bytes.subarray(0, copy.#length)
  }
}

type Names = Map<string, DiskFile>
interface Renaming {
  readonly folder: string
  apply(names: Names): void
}

/** What becomes of uncertain changes: all there (as after kill -9), none (the least the rules promise), or each as it falls. */
export type Mode = 'all' | 'none' | 'random'

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The disk below a folder, as it goes through what was noted. */
export class Disk {
  readonly #notes: readonly Noted[]
  #next = 0
  /** As the running program saw it. */
  readonly #seen: Names = new Map()
  /** As the folders' syncs make it certain. */
  readonly #certain: Names = new Map()
  #renamings: Renaming[] = []
  readonly #inodes = new Map<string, DiskFile>()
  readonly #syncs = new Map<number, number>()

  /** `base`: a copy of the folder as it was, synced, when noting began. `ignoreSyncs`: as if none had been made. */
  constructor(base: string, log: string, ignoreSyncs = false) {
    const notes = readNotes(log)
    this.#notes = ignoreSyncs ? notes.filter(({ kind }) => !kind.startsWith('sync')) : notes
    for (const entry of readdirSync(base, { withFileTypes: true, recursive: true })) {
      if (!entry.isFile()) continue
      const path = join(entry.parentPath, entry.name)
      const name = path.slice(base.length + 1)
      const file = DiskFile.of(readFileSync(path))
      this.#seen.set(name, file)
      this.#certain.set(name, file)
    }
  }

  get length(): number {
    return this.#notes.length
  }
  /** When the last change before `cut` was done. */
  timeOf(cut: number): number {
    return this.#notes[cut - 1]?.at ?? 0
  }
  /** Names of the files of which a sync failed. */
  failures(): string[] {
    const names = new Map<string, string>()
    return this.#notes.flatMap(({ kind, inode, path }) => {
      if (kind === 'open' || kind === 'create') names.set(inode, path)
      return kind === 'syncFailed' ? [names.get(inode) ?? '?'] : []
    })
  }
  /** The first cut at or behind a moment. */
  cutAt(moment: number): number {
    const found = this.#notes.findIndex(({ at }) => at >= moment)
    return found < 0 ? this.#notes.length : found
  }
  /** Cuts that tell more than their neighbours: right before and behind each sync. */
  borders(): number[] {
    return this.#notes.flatMap(({ kind }, n) => (kind === 'synced' || kind === 'syncDirectory' ? [n, n + 1] : []))
  }

  /** Goes on to the first `cut` notes; never back. */
  advance(cut: number): void {
    for (; this.#next < Math.min(cut, this.#notes.length); this.#next++) this.#take(this.#notes[this.#next] as Noted)
  }

  #take(note: Noted): void {
    const { kind, path, inode, position, bytes, number } = note
    const file = this.#inodes.get(inode)
    const order = this.#next
    switch (kind) {
      case 'create':
        this.#create(path, inode)
        break
      case 'open':
        if (this.#seen.has(path)) this.#inodes.set(inode, this.#seen.get(path) as DiskFile)
        break
      case 'write':
        file?.pending.push({ order, bytes, position })
        break
      case 'truncate':
        file?.pending.push({ order, bytes: undefined, position })
        break
      case 'sync':
        this.#syncs.set(number, order)
        break
      case 'synced':
        file?.settle(this.#syncs.get(number) ?? 0)
        break
      case 'syncFailed':
        file?.lose(this.#syncs.get(number) ?? 0)
        break
      case 'rename':
      case 'link':
        this.#rename(bytes.toString(), (names) => {
          const known = names.get(path)
          if (kind === 'rename') names.delete(path)
          if (known !== undefined) names.set(bytes.toString(), known)
        })
        break
      case 'unlink':
        this.#rename(path, (names) => {
          names.delete(path)
        })
        break
      case 'syncDirectory':
        for (const one of this.#renamings) if (one.folder === path) one.apply(this.#certain)
        this.#renamings = this.#renamings.filter((one) => one.folder !== path)
    }
  }
  #create(path: string, inode: string): void {
    const made = new DiskFile()
    this.#inodes.set(inode, made)
    this.#rename(path, (names) => {
      names.set(path, made)
    })
  }
  #rename(path: string, apply: Renaming['apply']): void {
    apply(this.#seen)
    const folder = dirname(path)
    this.#renamings.push({ folder: folder === '.' ? '' : folder, apply })
  }

  /** Writes the folder as a power cut here may leave it. */
  write(target: string, mode: Mode, random: () => number): void {
    const names: Names = new Map(this.#certain)
    // Names change in the order of the journal of the file system: some of the newest may be missing, none in between.
    const kept =
      mode === 'all'
        ? this.#renamings.length
        : mode === 'none'
          ? 0
          : Math.floor(random() * (this.#renamings.length + 1))
    for (const one of this.#renamings.slice(0, kept)) one.apply(names)
    for (const [name, file] of names) {
      // Shared memory is not on the disk.
      if (name.endsWith('-shm')) continue
      const path = join(target, name)
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      writeFileSync(
        path,
        file.content((change) => chance(change, mode, random)),
        { mode: 0o600 },
      )
    }
  }
}

function chance(change: Pending, mode: Mode, random: () => number): Pending[] {
  if (mode === 'all') return [change]
  if (mode === 'none') return []
  const { bytes, position, order } = change
  const fate = random()
  if (fate < 0.4) return [change]
  if (fate < 0.7 || bytes === undefined) return []
  const parts: Pending[] = []
  for (let from = 0; from < bytes.length; ) {
    const to = Math.min(bytes.length, from + SECTOR_BYTES - ((position + from) % SECTOR_BYTES))
    if (random() < 0.5) parts.push({ order, bytes: bytes.subarray(from, to), position: position + from })
    from = to
  }
  return parts
}
