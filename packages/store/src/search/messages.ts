import type { DomainCode, SearchRequest, SearchResult } from '@postrider/domain'
import type { IndexedDatabase } from './indexer.ts'

/** What the two threads are started with. */
export interface WorkerStart {
  readonly role: 'index' | 'search'
  readonly databases: readonly IndexedDatabase[]
  /** One Int32: calls committed so far, so that indexing makes room while there are many. */
  readonly activity: SharedArrayBuffer
}

/** From the owner's thread. */
export type ToWorker =
  | { readonly kind: 'grew' }
  /** Somebody waits for the index: no pauses until it is done. */
  | { readonly kind: 'hurry' }
  | { readonly kind: 'checkpoint'; readonly id: number; readonly database: string }
  | {
      readonly kind: 'search'
      readonly id: number
      readonly database: string
      readonly mailbox: number
      readonly request: SearchRequest
    }
  /** The search database was made anew: open it again. */
  | { readonly kind: 'reopen'; readonly database: string }
  | { readonly kind: 'close' }

/** To the owner's thread. */
export type FromWorker =
  | { readonly kind: 'progress'; readonly database: string; readonly item: number; readonly dead: number }
  | { readonly kind: 'hurry' }
  | { readonly kind: 'checkpointed'; readonly id: number; readonly left: number }
  | { readonly kind: 'found'; readonly id: number; readonly result: SearchResult }
  | { readonly kind: 'failed'; readonly id: number; readonly code: DomainCode; readonly message: string }
  | { readonly kind: 'reset'; readonly database: string }
  | { readonly kind: 'trouble'; readonly database: string; readonly message: string }
