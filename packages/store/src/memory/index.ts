/**
 * The memory twin: the whole mailbox service in plain maps. In: operations and questions as the domain defines them, a clock. Out: answers that
 * are copies, never the maps' own objects. It is what the SQLite driver must be equal to (one contract suite runs over both) and what
 * protocol tests run on. Nothing survives the process. Invariants: folder counters equal the rows; each changed row has a change number
 * of its own; a failed `apply` leaves no trace. Read next: store.ts, then mailbox.ts, then apply/.
 */
import { MemoryStore, type MemoryStoreOptions } from './store.ts'

export type { MemoryStore, MemoryStoreOptions } from './store.ts'

/** A new, empty store. */
export const openMemoryStore = (options: MemoryStoreOptions = {}): MemoryStore => new MemoryStore(options)
