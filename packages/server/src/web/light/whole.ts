import { readQuery } from './query.ts'
import type { Chosen } from './chosen.ts'
import type { UndoCall } from './flash.ts'
import type { Visit } from './visit.ts'

/** Acts on everything a list holds: the server does them in numbers (Bulk/act), no ids are carried, and one call takes them back. */

type Patch = Readonly<Record<string, unknown>>
/** What such an act can change. */
const changeable: ReadonlySet<string> = new Set(['mailboxIds', 'keywords', 'categories', 'followUp', 'snoozed'])
export const canBeWhole = (patch: Patch): boolean =>
  Object.keys(patch).every((key) => changeable.has(key.split('/', 1)[0] ?? ''))

/** What the list shows; undefined when there is no list. */
export async function filterOf(visit: Visit, { folder, query, tab }: Chosen): Promise<Patch | null | undefined> {
  if (folder !== undefined) return { inMailbox: folder.id, ...(tab === undefined ? {} : { inference: tab }) }
  return query === '' ? undefined : ((readQuery(query, await visit.folders()).filter as Patch | undefined) ?? null)
}

interface Acted {
  readonly bulkId: string | null
  readonly count: number
  readonly left: number
}
interface Outcome {
  readonly changed: number
  readonly undo: readonly UndoCall[]
}

/** Does it in as many calls as it takes. `dryRun`: only counts. */
export async function wholeAct(
  visit: Visit,
  filter: Patch | null,
  act: { readonly update: Patch } | { readonly destroy: true },
  dryRun = false,
): Promise<Outcome> {
  let changed = 0
  let bulkId: string | null = null
  for (;;) {
    const answer: Acted = await visit.ask<Acted>('Bulk/act', {
      filter,
      ...act,
      dryRun,
      ...(bulkId === null ? {} : { bulkId }),
    })
    changed += answer.count
    bulkId = answer.bulkId
    if (dryRun || answer.left === 0 || answer.count === 0) break
  }
  visit.forget()
  return { changed, undo: bulkId === null ? [] : [['Bulk/undo', { bulkId }]] }
}
