import assert from 'node:assert/strict'
import { Flag } from '../flags.ts'
import type { Folder } from '../folder.ts'
import type { ChangeNumber, FolderId } from '../ids.ts'
import { allColumns } from '../packed.ts'
import type { Changes } from '../service.ts'
import { type Box, type FullRow, rowsOf } from './subject.ts'

/** What a mailbox holds, as a client that follows the feed knows it. */
export class Replica {
  cursor = 0 as ChangeNumber
  readonly rows = new Map<number, FullRow>()
  readonly folders = new Map<FolderId, Folder>()

  /** Reads one page from the cursor on; answers whether there is more. */
  async pull(box: Box, limit: number): Promise<boolean> {
    const page = await box.service.changes(box.id, { since: this.cursor, limit })
    assert.equal(page.resync, false)
    assert.ok(page.items.count + page.gone.count <= limit, 'a page keeps to its limit')
    assert.ok(!page.more || page.upTo > this.cursor, 'a page with more behind it goes forward')
    this.#take(page)
    this.cursor = page.upTo
    return page.more
  }

  async pullAll(box: Box, limit = 1_000): Promise<void> {
    while (await this.pull(box, limit));
  }

  #take(page: Changes): void {
    const rows = rowsOf(page.items, allColumns)
    ascending(rows.map((row) => row.change))
    ascending(Array.from(page.gone.change))
    for (const change of [...rows.map((row) => row.change), ...page.gone.change]) {
      assert.ok(change > this.cursor && change <= page.upTo, 'a page says nothing from outside its range')
    }
    const events = [
      ...rows.map((row) => ({ change: row.change, run: () => void this.rows.set(row.mid, row) })),
      ...Array.from(page.gone.change, (change, i) => ({ change, run: () => this.#bury(page, i) })),
    ]
    for (const event of events.sort((a, b) => a.change - b.change)) event.run()
    for (const folder of page.folders) this.folders.set(folder.id, folder)
    for (const { id } of page.goneFolders) this.folders.delete(id)
  }

  #bury({ gone }: Changes, i: number): void {
    const mid = gone.mid[i] as number
    if (this.rows.get(mid)?.uid === gone.uid[i]) this.rows.delete(mid)
  }
}

export function ascending(numbers: readonly number[]): void {
  for (const [i, n] of numbers.entries()) assert.ok(i === 0 || n > (numbers[i - 1] as number), `${numbers} ascends`)
}

const sorted = <T>(of: Iterable<T>, key: (one: T) => number): T[] => [...of].sort((a, b) => key(a) - key(b))

/** Folders without what moves with their content. */
const hierarchy = ({ id, parent, name, class: cls, role, kind, cn, createdCn, uidValidity }: Folder) => ({
  id,
  parent,
  name,
  cls,
  role,
  kind,
  cn,
  createdCn,
  uidValidity,
})

/** Everything that holds in every mailbox at every moment. `replica` may come from anywhere in the past. */
export async function checkMailbox(box: Box, replica = new Replica()): Promise<void> {
  const folders = await box.service.folders(box.id)
  const info = await box.info()
  const all: FullRow[] = []
  for (const folder of folders) {
    const rows = await box.rows(folder.id)
    all.push(...rows)
    checkFolder(folder, rows)
  }
  assert.equal(info.items, all.length)
  assert.equal(
    info.usedBytes,
    all.reduce((sum, row) => sum + row.size, 0),
  )
  const changes = [...all.map((row) => row.change), ...folders.map((folder) => folder.cn)]
  assert.equal(new Set(changes).size, changes.length, 'each row and folder has a change number of its own')
  assert.ok(Math.max(...changes) <= info.change)
  assert.ok(folders.every((folder) => folder.cn <= info.hierarchy) && info.hierarchy <= info.change)
  assert.equal(new Set(all.map((row) => row.mid)).size, all.length, 'each row has a mid of its own')

  await replica.pullAll(box)
  assert.equal(replica.cursor, info.change)
  const bare = ({ keywords: _, ...row }: FullRow) => row
  assert.deepEqual(sorted(replica.rows.values(), (row) => row.mid).map(bare), sorted(all, (row) => row.mid).map(bare))
  assert.deepEqual(
    sorted(replica.folders.values(), (folder) => folder.id).map(hierarchy),
    sorted(folders, (folder) => folder.id).map(hierarchy),
  )
}

function checkFolder(folder: Folder, rows: readonly FullRow[]): void {
  const shown = rows.filter((row) => row.associated === 0)
  ascending(rows.map((row) => row.uid))
  assert.ok(rows.every((row) => row.uid >= 1 && row.uid < folder.uidNext && row.folder === folder.id))
  assert.ok(rows.every((row) => row.change === Math.max(row.cn, row.readCn) && row.createdCn <= row.change))
  assert.ok(rows.every((row) => row.change <= folder.contentChange))
  const counted = {
    total: shown.length,
    unread: shown.filter((row) => (row.flags & Flag.seen) === 0).length,
    deleted: shown.filter((row) => (row.flags & Flag.deleted) !== 0).length,
    hidden: rows.length - shown.length,
    bytes: shown.reduce((sum, row) => sum + row.size, 0),
  }
  const { total, unread, deleted, hidden, bytes } = folder
  assert.deepEqual({ total, unread, deleted, hidden, bytes }, counted, `counters of ${folder.name}`)
}
