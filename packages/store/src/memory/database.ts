import type { NewQueueEntry, QueueEntry } from '@postrider/domain'
import { Blobs } from './blobs.ts'

export type QueueRow = { -readonly [K in keyof QueueEntry]: QueueEntry[K] } & NewQueueEntry

/** What mailboxes of one database share: originals and the outbound queue. */
export class Database {
  readonly name: string
  readonly blobs: Blobs
  readonly queue = new Map<number, QueueRow>()

  constructor(name: string) {
    this.name = name
    this.blobs = new Blobs(name)
  }
}
