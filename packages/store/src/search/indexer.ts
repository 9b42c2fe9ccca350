import type { Indexed } from './block.ts'
import { addDocuments, forgetItems, openIndex, positionOf } from './index-database.ts'
import type { ServerDatabase } from '../postgres/bridge.ts'
import { Sources } from './sources.ts'
import { searchSql } from './sql.ts'

/** One batch: bounded, so that the thread soon looks around again. */
const BATCH_ITEMS = 100
const BATCH_MS = 30
const DEAD_ITEMS = 500

export interface IndexedDatabase {
  readonly name: string
  /** The mailbox database, its segments, and the search database. */
  readonly path: string
  /** The mailbox database when it is not a file. */
  readonly server?: ServerDatabase
  readonly segments: string
  readonly index: string
}

export interface IndexProgress {
  readonly item: number
  readonly dead: number
  /** Nothing was left to do. */
  readonly done: boolean
}

/** Fills the search database of one mailbox database, batch by batch, from the position it holds. */
export class Indexer {
  readonly #sources: Sources
  readonly #index: ReturnType<typeof openIndex>
  #item: number
  #dead: number

  constructor(database: IndexedDatabase, onReset: (reason: string) => void) {
    this.#index = openIndex(database.index, onReset)
    this.#sources = new Sources(database)
    this.#item = positionOf(this.#index, 'item')
    this.#dead = positionOf(this.#index, 'dead')
  }

  /** Works off one batch of new items and one of dead ones. */
  step(): IndexProgress {
    const added = this.#add()
    const forgotten = this.#forget()
    return { item: this.#item, dead: this.#dead, done: !added && !forgotten }
  }

  #add(): boolean {
    const rows = this.#sources.rows(this.#item, BATCH_ITEMS)
    if (rows.length === 0) return false
    const started = performance.now()
    const additions = new Map<number, Indexed[]>()
    let position = this.#item
    for (const row of rows) {
      const { item, mailbox, document } = this.#sources.source(row)
      const list = additions.get(mailbox)
      if (list === undefined) additions.set(mailbox, [{ item, document }])
      else list.push({ item, document })
      position = item
      if (performance.now() - started > BATCH_MS) break
    }
    addDocuments(this.#index, additions, position)
    this.#item = position
    return true
  }

  #forget(): boolean {
    const rows = this.#sources.connection.all(searchSql.deadItems, this.#dead, DEAD_ITEMS)
    const last = rows.at(-1)?.[0] as number | undefined
    if (last === undefined) return false
    const dead = rows.map(([, item, mailbox]) => ({ item: item as number, mailbox: mailbox as number }))
    forgetItems(this.#index, dead, last, (item) => this.#sources.lives(item))
    this.#dead = last
    return true
  }

  /** Copies the mailbox database's log into it; answers how many frames of the log are still to be copied. */
  checkpoint(): number {
    return this.#sources.checkpoint()
  }

  close(): void {
    this.#sources.close()
    this.#index.close()
  }
}
