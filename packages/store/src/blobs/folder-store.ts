import { DomainError } from '@postrider/domain'
import type { Files } from './files.ts'
import { BlobReader, type Place } from './reader.ts'
import type { RecordHead } from './record.ts'
import type { Gather, Outgoing, SegmentStore } from './segment-store.ts'
import type { SegmentRow, SegmentWriter } from './segments.ts'

/** Segments as files of a folder. */
export class FolderStore implements SegmentStore {
  readonly gather: Gather = { count: 1024, bytes: 4 * 1024 * 1024, ms: 250 }
  /** A file is closed when it is full. */
  readonly small = 0
  readonly #writer: SegmentWriter
  readonly #reader: BlobReader
  /** A segment could not be synced: nothing is written until the next start. */
  #broken: DomainError | undefined

  constructor(writer: SegmentWriter, folder: string, files: Files) {
    this.#writer = writer
    this.#reader = new BlobReader(folder, files)
  }

  async write(records: readonly Outgoing[]): Promise<readonly Place[]> {
    if (this.#broken !== undefined) throw this.#broken
    const places = records.map(({ place, record }) => this.#writer.appendRecord(place, record))
    try {
      await this.#writer.sync()
    } catch (cause) {
      this.#broken = new DomainError('unavailable', `segments are not written any more: ${String(cause)}`, { cause })
      throw this.#broken
    }
    return places
  }

  lengths(): readonly SegmentRow[] {
    return this.#writer.lengths()
  }

  closeSealed(rows: readonly SegmentRow[]): void {
    this.#writer.closeSealed(rows)
  }

  async read(place: Place, start: number, end: number): Promise<Uint8Array> {
    return this.#reader.read(place, start, end)
  }

  async head(segment: number, offset: number): Promise<RecordHead | undefined> {
    return this.#reader.headAt(segment, offset)
  }

  async record(place: Place): Promise<Uint8Array> {
    return this.#reader.record(place)
  }

  async remove(segment: number): Promise<void> {
    this.#reader.forget(segment)
    this.#writer.remove(segment)
  }

  /** A sync ends by itself. */
  interrupt(): void {}

  close(): void {
    this.#reader.close()
    this.#writer.close()
  }
}
