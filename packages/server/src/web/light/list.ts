import { type Html, html, raw } from '../html.ts'
import type { Mail, Person } from '../mail.ts'
import type { Folder } from './folders-of.ts'
import { csrfField, folderOptions } from './page.ts'
import { readQuery } from './query.ts'
import type { Visit } from './visit.ts'

/** Lists of mail: a folder, a search; and what is done with several at once. */

/** So many rows stay below 25 KB (R18) with long names and subjects. */
export const ROWS = 25
const MAX_SUBJECT = 110
const MAX_NAME = 40
/** Mails one act on a whole list reaches. */
const MAX_WHOLE = 10_000
const CHUNK = 500

type Row = Pick<Mail, 'id' | 'keywords' | 'from' | 'to' | 'subject' | 'receivedAt' | 'size' | 'mailboxIds'> & {
  readonly hasAttachment: boolean
}
interface Found {
  readonly ids: readonly string[]
  readonly total?: number
}
interface Where {
  readonly title: string
  readonly path: string
  readonly filter: Readonly<Record<string, unknown>> | undefined
  readonly folder: Folder | undefined
  readonly query: string
}

const cut = (text: string, max: number): string => (text.length > max ? `${text.slice(0, max - 1)}…` : text)
const person = ({ name, email }: Person): string => (name === null || name === '' ? email : name)

export async function folderPage(visit: Visit, id: string): Promise<void> {
  const folders = await visit.folders()
  const folder = folders.find((one) => one.id === id)
  if (folder === undefined) return visit.page(visit.say('lost'), html``, { status: 404 })
  const where = {
    title: folder.name,
    path: `/light/folder/${folder.id}`,
    filter: { inMailbox: folder.id },
    folder,
    query: '',
  }
  return listPage(visit, where)
}

export async function searchPage(visit: Visit): Promise<void> {
  const query = (visit.url.searchParams.get('q') ?? '').slice(0, 500).trim()
  if (query === '') {
    const body = html`<form method="get" action="/light/search"><div class="field"><label for="words">${visit.say('searchMail')}</label><input type="search" id="words" name="q" aria-describedby="how"><p class="hint" id="how">${visit.say('searchHint')}</p></div><button class="go">${visit.say('search')}</button></form>`
    return visit.page(visit.say('search'), body)
  }
  const { filter, unknown } = readQuery(query, await visit.folders())
  const where = {
    title: visit.say('searchTitle', { query: cut(query, 60) }),
    path: `/light/search?q=${encodeURIComponent(query)}`,
    filter,
    folder: undefined,
    query,
  }
  return listPage(
    visit,
    where,
    unknown.length === 0 ? undefined : visit.say('searchWrong', { word: unknown.join(' ') }),
  )
}

const join = (path: string, query: string): string => `${path}${path.includes('?') ? '&' : '?'}${query}`
const sort = [{ property: 'receivedAt', isAscending: false }]

async function listPage(visit: Visit, where: Where, error?: string): Promise<void> {
  const { say } = visit
  const page = Math.max(1, Math.min(100_000, Number.parseInt(visit.url.searchParams.get('page') ?? '1', 10) || 1))
  const all = visit.url.searchParams.get('all') === '1'
  const found = await visit.ask<Found>('Email/query', {
    filter: where.filter ?? null,
    sort,
    position: (page - 1) * ROWS,
    limit: ROWS,
    calculateTotal: true,
  })
  const { total = 0 } = found
  const pages = Math.max(1, Math.ceil(total / ROWS))
  if (page > pages) return visit.done(join(where.path, `page=${pages}`))
  const rows = await rowsOf(visit, found.ids)
  const outgoing = where.folder?.role === 'sent' || where.folder?.role === 'drafts'
  const row = (mail: Row): Html => {
    const subject = cut(mail.subject?.trim() || say('noSubject'), MAX_SUBJECT)
    const marks = [
      mail.keywords.$seen === undefined && say('unread'),
      mail.keywords.$flagged !== undefined && say('flagged'),
      mail.keywords.$answered !== undefined && say('answered'),
      mail.keywords.$draft !== undefined && say('draft'),
      mail.hasAttachment && say('attachment'),
    ].filter((one) => one !== false)
    const people = (outgoing ? mail.to : mail.from) ?? []
    return html`<tr${mail.keywords.$seen === undefined && raw(' class="unread"')}><td class="c"><input type="checkbox" name="id" value="${mail.id}" aria-label="${say('selectOne', { subject: cut(subject, 40) })}"${all && raw(' checked')}></td><td class="f">${cut(people.slice(0, 3).map(person).join(', '), MAX_NAME)}</td><td class="s"><a href="${mail.keywords.$draft === undefined ? `/light/mail/${mail.id}` : `/light/compose?draft=${mail.id}`}">${subject}</a> <span class="mark">${marks.join(', ')}</span></td><td class="d">${visit.shortDate(mail.receivedAt)}</td><td class="d z">${visit.size(mail.size)}</td></tr>
`
  }
  const links =
    pages > 1 &&
    html`<nav class="bar" aria-label="${say('page', { page, pages })}">${page > 1 && html`<a class="button" rel="prev" href="${join(where.path, `page=${page - 1}`)}">${say('previous')}</a>`}<span>${say('page', { page, pages })}</span>${page < pages && html`<a class="button" rel="next" href="${join(where.path, `page=${page + 1}`)}">${say('next')}</a>`}</nav>`
  const here = join(where.path, `page=${page}`)
  const body =
    rows.length === 0
      ? html`<p>${say(where.query === '' ? 'empty' : 'nothingFound')}</p>`
      : html`<p class="hint">${say('messages', { n: total })}</p>
<form method="post" action="/light/list">${csrfField(visit.session)}<input type="hidden" name="here" value="${here}">${where.folder !== undefined && html`<input type="hidden" name="folder" value="${where.folder.id}">`}<input type="hidden" name="q" value="${where.query}">
${actions(visit, where.folder, await visit.folders(), say('withSelected'))}
<p><a href="${all ? here : join(here, 'all=1')}">${say(all ? 'selectNone' : 'selectAll')}</a>${total > rows.length && html` <label class="plain"><input type="checkbox" name="whole" value="1"> ${say('whole', { n: total })}</label>`}</p>
<table class="list"><thead><tr><th scope="col" class="c">${say('select')}</th><th scope="col">${say(outgoing ? 'to' : 'from')}</th><th scope="col">${say('subject')}</th><th scope="col">${say('date')}</th><th scope="col">${say('size')}</th></tr></thead><tbody>
${rows.map(row)}</tbody></table></form>${links}`
  await visit.page(where.title, body, {
    error,
    query: where.query,
    ...(where.folder === undefined ? {} : { current: where.folder.id }),
  })
}

async function rowsOf(visit: Visit, ids: readonly string[]): Promise<readonly Row[]> {
  if (ids.length === 0) return []
  const properties = ['id', 'keywords', 'from', 'to', 'subject', 'receivedAt', 'size', 'mailboxIds', 'hasAttachment']
  const { list } = await visit.ask<{ list: readonly Row[] }>('Email/get', { ids, properties })
  const byId = new Map(list.map((one) => [one.id, one]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}

/** The buttons that act on mail; each is a submit of its own, so the first is what Enter does. */
export function actions(visit: Visit, folder: Folder | undefined, folders: readonly Folder[], label: string): Html {
  const { say } = visit
  const button = (act: string, text: string): Html => html`<button name="act" value="${act}">${text}</button>`
  return html`<div class="bar" role="group" aria-label="${label}">${button('read', say('markRead'))}${button('unread', say('markUnread'))}${button('flag', say('flag'))}${button('unflag', say('unflag'))}${folder?.role === 'junk' ? button('notjunk', say('notJunk')) : button('junk', say('junk'))}${folder?.role === 'trash' ? button('destroy', say('deleteForGood')) : button('delete', say('delete'))}<label for="target">${say('moveTo')}</label><select id="target" name="target">${folderOptions(folders)}</select>${button('move', say('move'))}</div>`
}

/** Does what a button of `actions` says. */
export async function actOnList(visit: Visit): Promise<void> {
  const { fields, say } = visit
  const here = pathOf(fields.get('here'))
  const folders = await visit.folders()
  const folder = folders.find(({ id }) => id === fields.get('folder'))
  let ids: readonly string[] = fields.getAll('id').filter((id) => /^[\w-]{1,255}$/.test(id))
  if (fields.get('whole') === '1') {
    const query = fields.get('q') ?? ''
    const filter = folder === undefined ? readQuery(query, folders).filter : { inMailbox: folder.id }
    if (folder !== undefined || query !== '')
      ids = (await visit.ask<Found>('Email/query', { filter: filter ?? null, sort, limit: MAX_WHOLE })).ids
  }
  if (ids.length === 0) return visit.done(here, { text: say('nothingSelected') })
  await act(visit, fields.get('act') ?? '', ids, folder, here)
}

export const pathOf = (text: string | null): string =>
  text !== null && /^\/light\/[\w/?=&%.+-]*$/.test(text) && text.length < 2_000 ? text : '/light/'

type Patch = Readonly<Record<string, unknown>>
export async function act(
  visit: Visit,
  name: string,
  ids: readonly string[],
  folder: Folder | undefined,
  back: string,
): Promise<void> {
  const { say, fields } = visit
  const folders = await visit.folders()
  const role = (wanted: string): Folder | undefined => folders.find((one) => one.role === wanted)
  const keyword = (one: string, value: boolean): readonly [Patch, Patch] => [
    { [`keywords/${one}`]: value ? true : null },
    { [`keywords/${one}`]: value ? null : true },
  ]
  const targets: Readonly<Record<string, Folder | undefined>> = {
    delete: role('trash'),
    junk: role('junk'),
    notjunk: role('inbox'),
    move: folders.find(({ id }) => id === fields.get('target')),
  }
  let patches: ReadonlyMap<string, readonly [Patch, Patch]>
  if (name === 'read' || name === 'unread') patches = new Map(ids.map((id) => [id, keyword('$seen', name === 'read')]))
  else if (name === 'flag' || name === 'unflag')
    patches = new Map(ids.map((id) => [id, keyword('$flagged', name === 'flag')]))
  else if (name === 'destroy') {
    for (let at = 0; at < ids.length; at += CHUNK) await visit.ask('Email/set', { destroy: ids.slice(at, at + CHUNK) })
    return visit.done(back, { text: say('done', { n: ids.length }) })
  } else {
    const target = targets[name]
    if (target === undefined) return visit.done(back)
    patches = await moves(visit, ids, target)
  }
  const undo: Record<string, Patch> = {}
  let changed = 0
  const entries = [...patches]
  for (let at = 0; at < entries.length; at += CHUNK) {
    const some = entries.slice(at, at + CHUNK)
    const { updated } = await visit.ask<{ updated: Readonly<Record<string, unknown>> | null }>('Email/set', {
      update: Object.fromEntries(some.map(([id, [patch]]) => [id, patch])),
    })
    for (const [id, [, reverse]] of some)
      if (updated !== null && Object.hasOwn(updated, id)) {
        changed++
        undo[id] = reverse
      }
  }
  const isDone = changed > 0
  visit.done(name === 'unread' && folder !== undefined ? `/light/folder/${folder.id}` : back, {
    text: say('done', { n: changed }),
    at: back,
    ...(isDone ? { undo } : {}),
  })
}

/** For each mail the move and its way back: where it was may differ. */
async function moves(
  visit: Visit,
  ids: readonly string[],
  target: Folder,
): Promise<Map<string, readonly [Patch, Patch]>> {
  const out = new Map<string, readonly [Patch, Patch]>()
  const junk: Patch = target.role === 'junk' ? { 'keywords/$junk': true, 'keywords/$notjunk': null } : {}
  const unjunk: Patch = target.role === 'junk' ? { 'keywords/$junk': null } : {}
  for (let at = 0; at < ids.length; at += CHUNK) {
    const some = ids.slice(at, at + CHUNK)
    const { list } = await visit.ask<{ list: readonly Pick<Mail, 'id' | 'mailboxIds'>[] }>('Email/get', {
      ids: some,
      properties: ['id', 'mailboxIds'],
    })
    for (const { id, mailboxIds } of list)
      if (mailboxIds[target.id] === undefined || Object.keys(mailboxIds).length > 1)
        out.set(id, [
          { mailboxIds: { [target.id]: true }, ...junk },
          { mailboxIds, ...unjunk },
        ])
  }
  return out
}

export async function undo(visit: Visit): Promise<void> {
  const flash = visit.flashes.takeUndo(visit.session.id)
  if (flash?.undo === undefined) return visit.done('/light/')
  const entries = Object.entries(flash.undo)
  for (let at = 0; at < entries.length; at += CHUNK)
    await visit.ask('Email/set', { update: Object.fromEntries(entries.slice(at, at + CHUNK)) })
  visit.done(flash.at ?? '/light/', { text: visit.say('undone') })
}
