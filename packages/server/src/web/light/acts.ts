import type { Html } from '../html.ts'
import { html } from '../html.ts'
import type { Person } from '../mail.ts'
import { type Chosen, chosenFields } from './chosen.ts'
import { confirmDestroy } from './confirm.ts'
import type { Folder } from './folders-of.ts'
import type { UndoCall } from './flash.ts'
import { folderOptions } from './page.ts'
import { changeSenders } from './senders.ts'
import { readLocalTime, utc } from './times.ts'
import type { Visit } from './visit.ts'
import { canBeWhole, filterOf, wholeAct } from './whole.ts'

/** What can be done with mails: one table of acts, each a patch, each with its way back. */

/** Mails one act on a whole list reaches. */
const MAX_WHOLE = 10_000
/** Objects in one call. */
const CHUNK = 500
const sort = [{ property: 'receivedAt', isAscending: false }]

type Patch = Readonly<Record<string, unknown>>
type Names = Readonly<Record<string, true>>
/** Everything acts change. */
interface Marked {
  readonly id: string
  readonly threadId: string
  readonly mailboxIds: Names
  readonly keywords: Names
  readonly categories: Names
  readonly followUp: Patch | null
  readonly snoozed: { readonly until: string } | null
  readonly inference: 'focused' | 'other'
  readonly from: readonly Person[] | null
}
const properties = [
  'id',
  'threadId',
  'mailboxIds',
  'keywords',
  'categories',
  'followUp',
  'snoozed',
  'inference',
  'from',
] as const

/** The mails themselves: a whole list searched, conversations opened up. `everywhere`: also those of them in other folders. */
export async function mailsOf(visit: Visit, chosen: Chosen, everywhere = false): Promise<readonly string[]> {
  const { folder, whole, threads } = chosen
  if (whole) {
    const filter = await filterOf(visit, chosen)
    if (filter === undefined) return []
    const { ids } = await visit.ask<{ ids: readonly string[] }>('Email/query', {
      filter,
      sort,
      limit: MAX_WHOLE,
    })
    return ids
  }
  if (!threads || chosen.ids.length === 0) return chosen.ids
  const rows = await marked(visit, chosen.ids)
  const { list } = await visit.ask<{ list: readonly { emailIds: readonly string[] }[] }>('Thread/get', {
    ids: [...new Set(rows.map(({ threadId }) => threadId))],
  })
  const all = await marked(
    visit,
    list.flatMap(({ emailIds }) => emailIds),
  )
  return all
    .filter(({ mailboxIds }) => everywhere || folder === undefined || mailboxIds[folder.id] === true)
    .map(({ id }) => id)
}

async function marked(visit: Visit, ids: readonly string[]): Promise<readonly Marked[]> {
  const out: Marked[] = []
  for (let at = 0; at < ids.length; at += CHUNK) {
    const { list } = await visit.ask<{ list: readonly Marked[] }>('Email/get', {
      ids: ids.slice(at, at + CHUNK),
      properties,
    })
    out.push(...list)
  }
  return out
}

interface Doing {
  readonly visit: Visit
  readonly fields: URLSearchParams
  readonly role: (name: string) => Folder | undefined
  readonly folders: readonly Folder[]
}
/** What an act makes of one mail; undefined leaves it. */
type Act = (doing: Doing) => ((mail: Marked) => Patch | undefined) | undefined

const keyword =
  (name: string, on: boolean): Act =>
  () =>
  ({ keywords }) =>
    (keywords[name] === true) === on ? undefined : { [`keywords/${name}`]: on ? true : null }
const category =
  (on: boolean): Act =>
  ({ fields }) => {
    const name = fields.get('category') ?? ''
    if (name === '' || name.length > 255) return undefined
    return ({ categories }) =>
      (categories[name] === true) === on ? undefined : { [`categories/${escapeKey(name)}`]: on ? true : null }
  }
const moveTo =
  (target: (doing: Doing) => Folder | undefined): Act =>
  (doing) => {
    const to = target(doing)
    if (to === undefined) return undefined
    const junk: Patch = to.role === 'junk' ? { 'keywords/$junk': true, 'keywords/$notjunk': null } : {}
    return ({ mailboxIds }) =>
      mailboxIds[to.id] !== undefined && Object.keys(mailboxIds).length === 1
        ? undefined
        : { mailboxIds: { [to.id]: true }, ...junk }
  }
const follow =
  (value: (doing: Doing) => Patch | null | undefined): Act =>
  (doing) => {
    const followUp = value(doing)
    return followUp === undefined ? undefined : () => ({ followUp })
  }
/** The time chosen, else the one written. */
export function timeOf({ fields, visit }: Pick<Doing, 'fields' | 'visit'>, name: string): number | undefined {
  const chosen = fields.get(name) ?? ''
  if (/^\d{10,15}$/.test(chosen)) return Number(chosen)
  return readLocalTime(fields.get(`${name}-own`) ?? '', visit.zone)
}
const dates = (due: number): Patch => ({ start: utc(due), due: utc(due), reminder: null, completed: null })

const acts: Readonly<Record<string, Act>> = {
  read: keyword('$seen', true),
  unread: keyword('$seen', false),
  flag: keyword('$flagged', true),
  unflag: follow(() => null),
  delete: moveTo(({ role }) => role('trash')),
  archive: moveTo(({ role }) => role('archive')),
  junk: moveTo(({ role }) => role('junk')),
  notjunk: (doing) => {
    const move = moveTo(({ role }) => role('inbox'))(doing)
    return (mail) => ({ ...move?.(mail), 'keywords/$junk': null, 'keywords/$notjunk': true })
  },
  move: moveTo(({ folders, fields }) => folders.find(({ id }) => id === fields.get('target'))),
  snooze: (doing) => {
    const until = timeOf(doing, 'until')
    return until === undefined || until <= doing.visit.context.clock.now()
      ? undefined
      : () => ({ snoozed: { until: utc(until) } })
  },
  unsnooze:
    () =>
    ({ snoozed }) =>
      snoozed === null ? undefined : { snoozed: null },
  categorise: category(true),
  uncategorise: category(false),
  follow: follow((doing) => {
    const due = timeOf(doing, 'due')
    return due === undefined ? undefined : dates(due)
  }),
  complete: follow(({ visit }) => ({
    start: null,
    due: null,
    reminder: null,
    completed: utc(visit.context.clock.now()),
  })),
  focused:
    () =>
    ({ inference }) =>
      inference === 'focused' ? undefined : { inference: 'focused' },
  other:
    () =>
    ({ inference }) =>
      inference === 'other' ? undefined : { inference: 'other' },
  block: moveTo(({ role }) => role('junk')),
  trust: moveTo(({ role }) => role('inbox')),
}
/** Acts that reach the mails of a conversation in every folder. */
const everywhere: ReadonlySet<string> = new Set(['read'])
/** After these the mail would be marked read again if it stayed open; after all others that move it, it is gone from here. */
const staysOpen: ReadonlySet<string> = new Set([
  'flag',
  'unflag',
  'read',
  'categorise',
  'uncategorise',
  'follow',
  'complete',
  'focused',
  'other',
])
export const staysAfter = (name: string): boolean => staysOpen.has(name)

/** RFC 6901 §3. */
const escapeKey = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')
const unescapeKey = (key: string): string => key.replaceAll('~1', '/').replaceAll('~0', '~')

/** What brings a mail back to what it was, in the order it must be done. */
function reverse(mail: Marked, patch: Patch): readonly Patch[] {
  const first: Record<string, unknown> = {}
  const then: Record<string, unknown> = {}
  for (const key of Object.keys(patch)) {
    const [property = '', name] = key.split('/', 2)
    if (name === undefined) first[key] = mail[property as keyof Marked]
    else {
      const before = (property === 'keywords' ? mail.keywords : mail.categories)[
        unescapeKey(key.slice(property.length + 1))
      ]
      first[key] = before === true ? true : null
    }
  }
  // A flag without dates is a keyword only: the dates go, then the flag comes back.
  if ('followUp' in patch && mail.followUp === null && mail.keywords.$flagged === true) then['keywords/$flagged'] = true
  return Object.keys(then).length === 0 ? [first] : [first, then]
}

/** The calls that change these mails, a few hundred at once. */
function updates(changes: ReadonlyMap<string, Patch>): UndoCall[] {
  const entries = [...changes]
  const out: UndoCall[] = []
  for (let at = 0; at < entries.length; at += CHUNK)
    out.push(['Email/set', { update: Object.fromEntries(entries.slice(at, at + CHUNK)) }])
  return out
}

export interface Outcome {
  readonly changed: number
  readonly undo: readonly UndoCall[]
}

/** Changes mails; answers how many, and what takes it back. */
export async function change(
  visit: Visit,
  ids: readonly string[],
  rule: (mail: Marked) => Patch | undefined,
): Promise<Outcome> {
  const mails = await marked(visit, ids)
  const wanted = new Map<string, Patch>()
  for (const mail of mails) {
    const patch = rule(mail)
    if (patch !== undefined) wanted.set(mail.id, patch)
  }
  const done = new Set<string>()
  for (const [name, args] of updates(wanted)) {
    const { updated } = await visit.ask<{ updated: Readonly<Record<string, unknown>> | null }>(name, args)
    for (const id of Object.keys(updated ?? {})) done.add(id)
  }
  const back: Map<string, Patch>[] = [new Map(), new Map()]
  for (const mail of mails) {
    const patch = wanted.get(mail.id)
    if (patch === undefined || !done.has(mail.id)) continue
    for (const [at, one] of reverse(mail, patch).entries()) back[at]?.set(mail.id, one)
  }
  visit.forget()
  return { changed: done.size, undo: back.flatMap((one) => updates(one)) }
}

/** The move of `sweep`: out of everything, into one folder. */
export const movePatch =
  (to: Folder): ((mail: Pick<Marked, 'mailboxIds'>) => Patch | undefined) =>
  ({ mailboxIds }) =>
    mailboxIds[to.id] === true && Object.keys(mailboxIds).length === 1 ? undefined : { mailboxIds: { [to.id]: true } }

/** Does what a button says, and answers. `back`: where the user was. */
export async function act(visit: Visit, name: string, chosen: Chosen, back: string): Promise<void> {
  const { say, fields } = visit
  if (name === 'more') {
    const query = new URLSearchParams([...chosenFields(chosen), ['here', back]])
    if (!chosen.whole && chosen.ids.length === 0) return visit.done(back, { text: say('nothingSelected') })
    return visit.done(`/light/acts?${query}`)
  }
  if (chosen.whole && (await actOnWhole(visit, name, chosen, back))) return undefined
  const ids = await mailsOf(visit, chosen, everywhere.has(name))
  if (ids.length === 0) return visit.done(back, { text: say('nothingSelected') })
  if (name === 'destroy') {
    if (fields.get('sure') !== '1') return confirmDestroy(visit, chosen, ids.length, back)
    for (let at = 0; at < ids.length; at += CHUNK) await visit.ask('Email/set', { destroy: ids.slice(at, at + CHUNK) })
    return visit.done(back, { text: say('done', { n: ids.length }) })
  }
  const folders = await visit.folders()
  const role = (wanted: string): Folder | undefined => folders.find((one) => one.role === wanted)
  const rule = (Object.hasOwn(acts, name) ? acts[name] : undefined)?.({ visit, fields, role, folders })
  if (rule === undefined)
    return visit.done(back, name === 'snooze' || name === 'follow' ? { text: say('badMoment') } : undefined)
  let lists: readonly UndoCall[] = []
  if (name === 'block' || name === 'trust') {
    const from = (await marked(visit, ids.slice(0, CHUNK))).flatMap((mail) => mail.from?.slice(0, 1) ?? [])
    lists = await changeSenders(
      visit,
      from.map(({ email }) => email),
      name === 'block' ? 'blocked' : 'safe',
    )
  }
  const { changed, undo } = await change(visit, ids, rule)
  visit.done(back, {
    text: say('done', { n: changed }),
    at: back,
    ...(changed > 0 || lists.length > 0 ? { undo: [...undo, ...lists] } : {}),
  })
}

/** An act on all of a list, where the server can do it by itself; false where it goes mail by mail. */
async function actOnWhole(visit: Visit, name: string, chosen: Chosen, back: string): Promise<boolean> {
  const { say, fields } = visit
  const filter = await filterOf(visit, chosen)
  if (filter === undefined || name === 'block' || name === 'trust') return false
  if (name === 'destroy') {
    const sure = fields.get('sure') === '1'
    const { changed } = await wholeAct(visit, filter, { destroy: true }, !sure)
    if (changed > 0 && !sure) await confirmDestroy(visit, chosen, changed, back)
    else visit.done(back, { text: changed === 0 ? say('nothingSelected') : say('done', { n: changed }) })
    return true
  }
  const folders = await visit.folders()
  const role = (wanted: string): Folder | undefined => folders.find((one) => one.role === wanted)
  const rule = (Object.hasOwn(acts, name) ? acts[name] : undefined)?.({ visit, fields, role, folders })
  // What it makes of a mail that has no mark, or of one that has them all.
  const update = rule?.(unmarked) ?? rule?.({ ...unmarked, ...markedWith(fields.get('category') ?? '') })
  if (update === undefined || !canBeWhole(update)) return false
  const { changed, undo } = await wholeAct(visit, filter, { update })
  visit.done(back, { text: say('done', { n: changed }), at: back, ...(undo.length > 0 ? { undo } : {}) })
  return true
}
const unmarked: Marked = {
  id: '',
  threadId: '',
  mailboxIds: {},
  keywords: {},
  categories: {},
  followUp: null,
  snoozed: null,
  inference: 'focused',
  from: null,
}
const markedWith = (category: string): Partial<Marked> => ({
  keywords: { $seen: true },
  categories: { [category]: true },
  snoozed: { until: '' },
})

/** Takes the last act back. */
export async function undo(visit: Visit): Promise<void> {
  const flash = visit.flashes.takeUndo(visit.session.id)
  if (flash?.undo === undefined) return visit.done('/light/')
  for (const [name, args] of flash.undo) {
    let answer = await visit.ask<Readonly<Record<string, unknown>>>(name, args)
    while (answer.more === true) answer = await visit.ask<Readonly<Record<string, unknown>>>(name, args)
    const refused = ['notCreated', 'notUpdated', 'notDestroyed'].some(
      (one) => Object.keys(answer[one] ?? {}).length > 0,
    )
    if (refused) return visit.done(flash.at ?? '/light/', { text: visit.say('tooLate') })
  }
  visit.done(flash.at ?? '/light/', { text: visit.say('undone') })
}

/** The buttons that act on mail; each is a submit of its own, so the first is what Enter does. */
export function actions(visit: Visit, folder: Folder | undefined, folders: readonly Folder[], label: string): Html {
  const { say } = visit
  const button = (name: string, text: string): Html => html`<button name="act" value="${name}">${text}</button>`
  const archive = folders.some((one) => one.role === 'archive') && folder?.role !== 'archive'
  return html`<div class="bar" role="group" aria-label="${label}">${button('read', say('markRead'))}${button('unread', say('markUnread'))}${button('flag', say('flag'))}${button('unflag', say('unflag'))}${archive && button('archive', say('archive'))}${folder?.role === 'snoozed' && button('unsnooze', say('unsnooze'))}${folder?.role === 'junk' ? button('notjunk', say('notJunk')) : button('junk', say('junk'))}${folder?.role === 'trash' ? button('destroy', say('deleteForGood')) : button('delete', say('delete'))}<label for="target">${say('moveTo')}</label><select id="target" name="target">${folderOptions(folders)}</select>${button('move', say('move'))}${button('more', say('snoozeActs'))}${button('more', say('moreActs'))}</div>`
}
