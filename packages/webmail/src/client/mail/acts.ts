/** What can be done with mails, said and undoable. Rows of a list stand for their conversations. */
import { markProperties } from '../../start.ts'
import { app, folderName } from '../app.ts'
import type { Email, Id, Mailbox } from '../jmap/types.ts'
import { marks } from '../store/acts.ts'
import type { Marks } from '../store/store.ts'
import { settings } from '../store/settings.ts'
import { ask } from '../ui/dialog.tsx'
import { t, type TextKey } from '../text/text.ts'
import { allOf, bulk, bulkFailed, type BulkPatch, bulkPatches } from './whole.ts'

/** Mails a row stands for: of a conversation those in this folder, or all of them. */
export function mailsOf(row: Id, everywhere = false): Id[] {
  const list = app.list.peek()
  const email = app.store.email(row).peek()
  if (email === undefined || list?.spec.collapseThreads !== true) return [row]
  const mailbox = app.mailbox.peek()?.id
  const all = app.store.thread(email.threadId).peek()
  const here = all.filter((id) => {
    const one = app.store.email(id).peek()
    return one !== undefined && (everywhere || mailbox === undefined || one.mailboxIds[mailbox] === true)
  })
  return here.length === 0 ? [row] : here
}

/** Rows the next act is for: the selected, else the open mail, else the one the keyboard is at. */
export function targets(): Id[] {
  const { selected, list, cursor, openEmail } = app
  if (selected.peek().size > 0) return [...selected.peek()]
  const open = openEmail.peek()
  if (open !== undefined) return [open]
  const at = list.peek()?.at(cursor.peek())
  return at === undefined ? [] : [at]
}

/** All mails of the folder, page by page, when the whole folder is selected. */
async function chosen(rows: readonly Id[], everywhere = false): Promise<Id[]> {
  const list = app.list.peek()
  if (!app.wholeFolder.peek() || list === undefined) return rows.flatMap((row) => mailsOf(row, everywhere))
  const ids: Id[] = []
  const total = app.mailbox.peek()?.totalEmails ?? list.total.peek() ?? 0
  for (let position = 0; ; ) {
    const query = app.client.call('Email/query', {
      filter: list.spec.filter,
      sort: [{ property: 'receivedAt', isAscending: false }],
      position,
      limit: 500,
    })
    const emails = app.client.call('Email/get', {
      ids: query.ref('/ids'),
      properties: markProperties,
    })
    const [{ ids: page }, got] = await Promise.all([query, emails])
    app.store.putEmails(got.list, undefined)
    ids.push(...page)
    position += page.length
    app.said.value = t('working', { n: ids.length, total })
    if (page.length < 500) return ids
  }
}

/** After rows leave the list: what is open next. */
function moveOn(rows: readonly Id[], after: () => void): void {
  const open = app.openEmail.peek()
  const list = app.list.peek()
  const leaves = open !== undefined && rows.some((row) => row === open || mailsOf(row).includes(open))
  let next: Id | undefined
  if (leaves && list !== undefined && settings.peek().afterAct === 'next' && innerWidth >= 700) {
    const at = Math.max(0, ...rows.map((row) => list.indexOf(row)))
    next = list.at(at + 1) ?? list.at(Math.min(...rows.map((row) => list.indexOf(row))) - 1)
  }
  after()
  app.selected.value = new Set()
  app.wholeFolder.value = false
  if (leaves) app.open(next, { replace: true })
}

export async function change(
  rows: readonly Id[],
  key: TextKey,
  rule: (email: Email) => Marks,
  options: {
    readonly leaves?: boolean
    readonly everywhere?: boolean
    readonly values?: Record<string, string>
    /** The same for everything the list holds, which the server does. */
    readonly whole?: BulkPatch
    /** The way back of what was done beside the mails themselves. */
    readonly also?: () => void
  } = {},
): Promise<void> {
  if (rows.length === 0) return
  if (options.whole !== undefined && app.wholeFolder.peek()) return wholeList(key, options.whole, options.values)
  const ids = await chosen(rows, options.everywhere)
  const run = (): void => {
    const { count, undo } = app.acts.change(ids, rule)
    const undoAll = (): void => {
      options.also?.()
      undo()
    }
    if (count > 0 || options.also !== undefined) app.done(key, count, undoAll, options.values)
  }
  if (options.leaves === true) moveOn(rows, run)
  else run()
}

/** An act on everything the list holds. */
async function wholeList(key: TextKey, update: BulkPatch, values: Record<string, string> = {}): Promise<void> {
  const list = app.list.peek()
  if (list === undefined) return
  const total = app.mailbox.peek()?.totalEmails ?? list.total.peek() ?? 0
  app.selected.value = new Set()
  app.wholeFolder.value = false
  app.open(undefined, { replace: true })
  try {
    const { count, undo } = await bulk({ ...allOf(list), update }, total)
    if (count > 0) app.done(key, count, () => void undo().catch(bulkFailed), values)
    else app.hush()
  } catch (error) {
    bulkFailed(error)
  }
}

export const setRead = (rows: readonly Id[], read: boolean): Promise<void> =>
  change(rows, read ? 'doneRead' : 'doneUnread', marks.keyword('$seen', read), {
    everywhere: read,
    whole: bulkPatches.keyword('$seen', read),
  })
/** Opening a mail reads it; nothing is said. */
export const readQuietly = (ids: readonly Id[]): void => {
  if (!app.may.peek().mark) return
  app.acts.change(ids, marks.keyword('$seen', true))
}
export function setFlag(rows: readonly Id[], on: boolean): void {
  if (app.wholeFolder.peek())
    return void wholeList(on ? 'doneFlagged' : 'doneUnflagged', bulkPatches.keyword('$flagged', on))
  const { count, undo } = app.acts.change(rows, marks.keyword('$flagged', on))
  if (count > 0) app.done(on ? 'doneFlagged' : 'doneUnflagged', count, undo)
}
export const isUnread = (row: Id): boolean =>
  mailsOf(row).some((id) => app.store.email(id).peek()?.keywords.$seen !== true)
export const isFlagged = (row: Id): boolean => app.store.email(row).peek()?.keywords.$flagged === true

export async function moveTo(rows: readonly Id[], to: Mailbox, key: TextKey = 'doneMoved'): Promise<void> {
  const from = app.mailbox.peek()?.id
  if (from === to.id) return
  // Into junk and trash a mail goes from everywhere; else it only leaves the folder one looks at.
  const all = to.role === 'trash' || to.role === 'junk' || from === undefined
  await change(rows, key, marks.move(all ? undefined : from, to.id), {
    leaves: true,
    values: { folder: folderName(to) },
    whole: bulkPatches.move(all ? undefined : from, to.id),
  })
}

const roleOf = (role: string): Mailbox | undefined => app.store.byRole.peek().get(role)

export async function archive(rows: readonly Id[]): Promise<void> {
  const to = roleOf('archive')
  if (to !== undefined) await moveTo(rows, to, 'doneArchived')
}
export async function trash(rows: readonly Id[]): Promise<void> {
  const to = roleOf('trash')
  const role = app.mailbox.peek()?.role
  if (to !== undefined && role !== 'trash' && role !== 'junk') return moveTo(rows, to, 'doneDeleted')
  await destroy(rows)
}
export async function destroy(rows: readonly Id[]): Promise<void> {
  if (rows.length === 0) return
  const list = app.list.peek()
  if (app.wholeFolder.peek() && list !== undefined) {
    const n = app.mailbox.peek()?.totalEmails ?? list.total.peek() ?? 0
    if (await ask(t('sureDestroy', { n }), t('destroy'))) await destroyAll({ ...allOf(list), destroy: true }, n)
    return
  }
  const ids = await chosen(rows)
  if (!(await ask(t('sureDestroy', { n: ids.length }), t('destroy')))) return
  moveOn(rows, () => app.acts.destroy(ids))
  app.tell(t('doneDestroyed', { n: ids.length }))
}
export async function junk(rows: readonly Id[]): Promise<void> {
  const to = roleOf(app.mailbox.peek()?.role === 'junk' ? 'inbox' : 'junk')
  if (to !== undefined) await moveTo(rows, to)
}
export async function emptyFolder(mailbox: Mailbox): Promise<void> {
  if (!(await ask(t('sureEmpty', { n: mailbox.totalEmails, folder: folderName(mailbox) }), t('emptyTrash')))) return
  await destroyAll({ filter: { inMailbox: mailbox.id }, destroy: true }, mailbox.totalEmails)
}
async function destroyAll(wanted: Parameters<typeof bulk>[0], total: number): Promise<void> {
  app.selected.value = new Set()
  app.wholeFolder.value = false
  app.open(undefined, { replace: true })
  try {
    const { count } = await bulk(wanted, total)
    app.tell(t('doneDestroyed', { n: count }))
  } catch (error) {
    bulkFailed(error)
  }
}
export async function markAllRead(mailbox: Mailbox): Promise<void> {
  try {
    const { count, undo } = await bulk(
      { filter: { inMailbox: mailbox.id, notKeyword: '$seen' }, update: bulkPatches.keyword('$seen', true) },
      mailbox.unreadEmails,
    )
    if (count > 0) app.done('doneRead', count, () => void undo().catch(bulkFailed))
  } catch (error) {
    bulkFailed(error)
  }
}
