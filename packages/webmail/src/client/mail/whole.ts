/** Acts on everything a folder or a search holds: the server does them, in numbers, and takes them back; no ids come here. */
import { app } from '../app.ts'
import { OfflineError } from '../jmap/client.ts'
import type { Arguments } from '../jmap/methods.ts'
import type { Filter, Id } from '../jmap/types.ts'
import type { ListQuery } from '../store/query.ts'
import { t } from '../text/text.ts'

/** More changes than this are not followed one by one: what is looked at is read again. */
const MANY = 1_000

/** What a patch can say of many mails: mailboxIds, keywords, categories, followUp, snoozed. */
export type BulkPatch = NonNullable<Arguments<'Bulk/act'>['update']>

export const bulkPatches = {
  keyword: (keyword: string, on: boolean): BulkPatch => ({ [`keywords/${keyword}`]: on || null }),
  category: (name: string, on: boolean): BulkPatch => ({
    [`categories/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`]: on || null,
  }),
  /** Out of `from` (or out of everything) and into `to`. */
  move: (from: Id | undefined, to: Id): BulkPatch =>
    from === undefined ? { mailboxIds: { [to]: true } } : { [`mailboxIds/${from}`]: null, [`mailboxIds/${to}`]: true },
}

/** Everything the list shows or would show, but not what came since it was read. */
export const allOf = (list: ListQuery): { readonly filter: Filter | null; readonly queryState?: string } => ({
  filter: list.spec.filter,
  ...(list.state === undefined ? {} : { queryState: list.state }),
})

/** Does it, in as many calls as it takes; answers how many mails it was done to and how to take it back. Throws when nothing could be done. */
export async function bulk(
  wanted: Arguments<'Bulk/act'>,
  total: number,
): Promise<{ readonly count: number; undo(): Promise<void> }> {
  let count = 0
  let bulkId: string | undefined
  for (;;) {
    if (total > MANY) app.tell(t('working', { n: count, total }))
    const answer = await app.client.call('Bulk/act', { ...wanted, ...(bulkId === undefined ? {} : { bulkId }) })
    count += answer.count
    bulkId = answer.bulkId ?? undefined
    if (answer.left === 0 || answer.count === 0) break
  }
  await readAgain(count)
  return {
    count,
    async undo() {
      if (bulkId === undefined) return
      for (;;) {
        const { more, count: n, changed } = await app.client.call('Bulk/undo', { bulkId })
        if (!more || n + changed === 0) break
      }
      await readAgain(count)
    },
  }
}

/** Follows the server; after very many changes what is looked at is read anew. */
async function readAgain(count: number): Promise<void> {
  const { store, sync } = app
  if (count > MANY) {
    store.emailState = undefined
    for (const list of store.lists()) {
      list.forget()
      if (list === store.active) void list.refresh()
      else list.stale()
    }
  }
  await sync.run()
}

/** What to say when it could not be done. */
export const bulkFailed = (error: unknown): void =>
  app.tell(t(error instanceof OfflineError ? 'wholeOffline' : 'failed'))
