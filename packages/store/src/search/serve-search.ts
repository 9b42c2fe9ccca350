import { isDomainError, type SearchRequest, type SearchResult } from '@postrider/domain'
import { evaluate } from './evaluate.ts'
import type { IndexedDatabase } from './indexer.ts'
import type { FromWorker, WorkerStart } from './messages.ts'
import type { Served } from './serve-index.ts'
import { RowCache } from './rows.ts'
import { Sources } from './sources.ts'
import { ColumnCache, TextIndex } from './texts.ts'

/** One database as the searching thread sees it. */
class SearchedDatabase {
  readonly #database: IndexedDatabase
  readonly #sources: Sources
  readonly #cache: ColumnCache
  readonly #hurry: () => void
  readonly #rows = new RowCache()
  #texts: TextIndex

  constructor(database: IndexedDatabase, cache: ColumnCache, hurry: () => void) {
    this.#cache = cache
    this.#database = database
    this.#hurry = hurry
    this.#sources = new Sources(database)
    this.#texts = new TextIndex(database.index, this.#sources, cache, hurry)
  }

  async search(mailbox: number, request: SearchRequest): Promise<SearchResult> {
    const texts = this.#texts
    try {
      return await evaluate(this.#sources.connection, mailbox, request, texts.of(mailbox), this.#rows)
    } catch (error) {
      if (isDomainError(error) && error.code !== 'corrupt') throw error
      // The index was made anew under our feet, or is damaged: open it again and ask once more.
      if (this.#texts === texts) this.reopen()
      return evaluate(this.#sources.connection, mailbox, request, this.#texts.of(mailbox), this.#rows)
    }
  }

  reopen(): void {
    const before = this.#texts
    this.#texts = new TextIndex(this.#database.index, this.#sources, this.#cache, this.#hurry)
    before.close()
  }

  close(): void {
    this.#texts.close()
    this.#sources.close()
  }
}

/** The searching thread: searches run side by side in turns. */
export function serveSearch({ databases }: WorkerStart, post: (message: FromWorker) => void): Served {
  const open = new Map<string, SearchedDatabase>()
  const cache = new ColumnCache()
  const searched = (name: string): SearchedDatabase => {
    let one = open.get(name)
    if (one === undefined) {
      const database = databases.find((each) => each.name === name)
      if (database === undefined) throw new Error(`no database ${name}`)
      one = new SearchedDatabase(database, cache, () => post({ kind: 'hurry' }))
      open.set(name, one)
    }
    return one
  }
  const running = new Set<Promise<unknown>>()
  return {
    async take(message) {
      if (message.kind === 'reopen') open.get(message.database)?.reopen()
      if (message.kind !== 'search') return
      const search = searched(message.database).search(message.mailbox, message.request)
      running.add(search)
      try {
        post({ kind: 'found', id: message.id, result: await search })
      } finally {
        running.delete(search)
      }
    },
    async close() {
      await Promise.allSettled(running)
      for (const one of open.values()) one.close()
    },
  }
}
