import type { ChangeNumber, FolderId, Mid } from './ids.ts'

/** Fields that hold text. `text` is everything: headers, body and attachment names. `header` needs a name. */
export type TextField = 'subject' | 'from' | 'to' | 'cc' | 'bcc' | 'addresses' | 'body' | 'text' | 'attachmentName'

/**
 * A search as a tree. Text matching: `substring` is IMAP's (RFC 9051 §6.4.4: case-insensitive substring, exact: no false hit, no
 * miss); `words` is what people mean elsewhere (every word, the last one as prefix).
 */
export type SearchQuery =
  | { readonly kind: 'all' }
  | { readonly kind: 'and' | 'or'; readonly of: readonly SearchQuery[] }
  | { readonly kind: 'not'; readonly of: SearchQuery }
  | { readonly kind: 'text'; readonly field: TextField; readonly value: string; readonly match: 'substring' | 'words' }
  | { readonly kind: 'header'; readonly name: string; readonly value: string }
  | { readonly kind: 'flags'; readonly set: number; readonly clear: number }
  | { readonly kind: 'keyword'; readonly name: string }
  /** ms since 1970, from inclusive, before exclusive. */
  | { readonly kind: 'received' | 'sent'; readonly from?: number; readonly before?: number }
  /** bytes, exclusive bounds: RFC 9051 LARGER and SMALLER. */
  | { readonly kind: 'size'; readonly larger?: number; readonly smaller?: number }
  /** Ranges of UIDs, inclusive. */
  | { readonly kind: 'uid'; readonly ranges: readonly (readonly [number, number])[] }
  | { readonly kind: 'mid'; readonly mids: readonly Mid[] }
  | { readonly kind: 'modseq'; readonly from: ChangeNumber }
  | { readonly kind: 'class'; readonly prefix: string }
  | { readonly kind: 'conversation'; readonly id: string }
  | { readonly kind: 'attachments'; readonly has: boolean }
  | { readonly kind: 'importance'; readonly value: 0 | 1 | 2 }

export interface SearchRequest {
  /** Folders searched; hidden items never match. */
  readonly folders: readonly FolderId[]
  readonly query: SearchQuery
  /** 'uid' (ascending, by folder) or newest first; the mid is the last key. */
  readonly order: 'uid' | 'newest'
  readonly offset: number
  readonly limit: number
}

export interface SearchResult {
  /** All hits, before offset and limit. */
  readonly total: number
  readonly mids: Float64Array
  readonly uids: Uint32Array
  readonly folders: Float64Array
}

/** Depth and size of a query tree; more is `invalid`. */
export const MAX_SEARCH_DEPTH = 64
export const MAX_SEARCH_NODES = 1_000
