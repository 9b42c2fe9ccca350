import { isDomainError } from '@postrider/domain'
import { BlobReader, readStored, segmentFiles } from '../blobs/index.ts'
import { BridgedStatements } from '../postgres/bridge.ts'
import { STAGED, stagedSql } from '../postgres/staged.ts'
import { Connection } from '../sqlite/connection.ts'
import { copyLog } from '../sqlite/page-sums.ts'
import type { Row, Statements } from '../engine/statements.ts'
import { unsealAttachments, unsealBag, unsealRecipients } from '../engine/encode.ts'
import { type Document, documentOf } from './fields.ts'
import type { IndexedDatabase } from './indexer.ts'
import { searchSql } from './sql.ts'

/** One item row as the index reads it. */
export interface Source {
  readonly item: number
  readonly mailbox: number
  readonly document: Document
}

/** The mailbox database and its originals, read only, from another thread than the owner's. */
export class Sources {
  readonly connection: Statements
  /** The connection when the database is a file. */
  readonly #file: Connection | undefined
  readonly #path: string
  #pin: Connection | undefined
  readonly #bridge: BridgedStatements | undefined
  readonly #reader: BlobReader

  constructor({ path, server, segments }: IndexedDatabase) {
    this.#path = path
    this.#file = server === undefined ? new Connection(path) : undefined
    this.#bridge = server === undefined ? undefined : new BridgedStatements(server)
    this.connection = (this.#file ?? this.#bridge) as Statements
    this.#file?.pragma('query_only = ON')
    this.#reader = new BlobReader(segments, segmentFiles(server?.objects))
  }

  /** Copies the log of a file into it; answers how many frames are still to be copied. */
  checkpoint(): number {
    if (this.#file === undefined) return 0
    this.#pin ??= new Connection(this.#path, { readOnly: true })
    return copyLog(this.#file, 'PASSIVE', this.#pin)
  }

  lives(item: number): boolean {
    return this.connection.get(searchSql.itemLives, item) !== undefined
  }

  /** Item rows behind `after`, at most `limit`. */
  rows(after: number, limit: number): readonly Row[] {
    return this.connection.all(searchSql.newItems, after, limit)
  }

  /** The document of one item; undefined when the item is gone. */
  document(item: number): Document | undefined {
    const row = this.connection.get(searchSql.oneItem, item)
    return row === undefined ? undefined : this.source(row).document
  }

  /** What a row says; an item whose parts are damaged is known by what is left of it. */
  source(row: Row): Source {
    const [item, mailbox, blob, subject, fromName, fromAddress, bag, recipients, attachments] = row
    const bytes = blob === null ? undefined : this.#original(blob as number)
    const document = documentOf({
      promoted: { subject: subject as string, fromName: fromName as string, fromAddress: fromAddress as string },
      props: whole(() => unsealBag(bag as Uint8Array | null), new Map()),
      recipients: whole(() => unsealRecipients(recipients as Uint8Array | null), []),
      attachments: whole(() => unsealAttachments(attachments as Uint8Array | null), []),
      bytes,
    })
    return { item: item as number, mailbox: mailbox as number, document }
  }

  /** Compaction may move a record between look-up and read: then its row has a new place. */
  #original(blob: number): Uint8Array | undefined {
    for (let attempt = 0; attempt < 3; attempt++) {
      const row = this.connection.get(searchSql.blob, blob)
      if (row === undefined) return undefined
      const [segment, offset, stored, size, crc] = row as unknown as [number, number, number, number, number]
      const place = { id: blob, segment, offset, stored, size, crc }
      try {
        if (segment === STAGED) return readStored(place, this.#staged(blob), 0, size)
        return this.#reader.read(place, 0, size)
      } catch (error) {
        if (!isDomainError(error, 'blobGone') && !isDomainError(error, 'corrupt')) throw error
        this.#reader.forget(segment)
      }
    }
    return undefined
  }

  /** The record of an original that is not in a segment yet; empty when it has moved there meanwhile. */
  #staged(blob: number): Uint8Array {
    return Buffer.concat(this.connection.all(stagedSql.parts, `{${blob}}`).map(([, bytes]) => bytes as Uint8Array))
  }

  close(): void {
    this.#reader.close()
    this.#pin?.close()
    this.#file?.close()
    this.#bridge?.close()
  }
}

/** Damage in one column is found and reported by `check`; it must not hold up the index. */
function whole<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch (error) {
    if (isDomainError(error, 'corrupt')) return otherwise
    throw error
  }
}
