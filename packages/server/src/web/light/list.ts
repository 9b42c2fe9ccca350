import { type Html, html, raw } from '../html.ts'
import type { Mail, Person } from '../mail.ts'
import type { Folder } from './folders-of.ts'
import { act, actions } from './acts.ts'
import { chosenOf } from './chosen.ts'
import { csrfField } from './page.ts'
import { readQuery } from './query.ts'
import type { Visit } from './visit.ts'

/** Lists of mail: a folder, a search; and what is done with several at once. */

/** So many rows stay below 25 KB (R18) with long names and subjects. */
export const ROWS = 25
const MAX_SUBJECT = 110
const MAX_NAME = 40
/** Mails of the conversations of one page that are looked at for their marks. */
const MAX_LOOKED = 500

/** Categories a row names. */
const MAX_CATEGORIES = 3

const rowProperties = [
  'id',
  'threadId',
  'keywords',
  'from',
  'to',
  'subject',
  'receivedAt',
  'size',
  'mailboxIds',
  'hasAttachment',
  'categories',
  'followUp',
  'snoozed',
] as const
type Row = Pick<
  Mail,
  'id' | 'threadId' | 'keywords' | 'from' | 'to' | 'subject' | 'receivedAt' | 'size' | 'mailboxIds'
> & {
  readonly hasAttachment: boolean
  readonly categories: Readonly<Record<string, true>>
  readonly followUp: { readonly due: string | null } | null
  readonly snoozed: { readonly until: string } | null
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
  /** Focused or Other, when the Inbox is parted. */
  readonly tab?: 'focused' | 'other' | undefined
  readonly tabs?: Html | undefined
}

const cut = (text: string, max: number): string => (text.length > max ? `${text.slice(0, max - 1)}…` : text)
const person = ({ name, email }: Person): string => (name === null || name === '' ? email : name)

export async function folderPage(visit: Visit, id: string): Promise<void> {
  const folders = await visit.folders()
  const folder = folders.find((one) => one.id === id)
  if (folder === undefined) return visit.page(visit.say('lost'), html``, { status: 404 })
  const path = `/light/folder/${folder.id}`
  const parted = folder.role === 'inbox' && visit.preferences.focused
  const tab = !parted ? undefined : visit.url.searchParams.get('tab') === 'other' ? 'other' : 'focused'
  const link = (to: 'focused' | 'other'): Html =>
    html`<a class="button" href="${path}?tab=${to}"${to === tab && raw(' aria-current="page"')}>${visit.say(to)}</a>`
  return listPage(visit, {
    title: folder.name,
    path: tab === undefined ? path : `${path}?tab=${tab}`,
    filter: { inMailbox: folder.id, ...(tab === undefined ? {} : { inference: tab }) },
    folder,
    query: '',
    tab,
    tabs: parted
      ? html`<nav class="bar" aria-label="${visit.say('focusedInbox')}">${link('focused')}${link('other')}</nav>`
      : undefined,
  })
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

interface Thread {
  readonly id: string
  readonly emailIds: readonly string[]
}
/** What a row's conversation adds to it. */
interface Talk {
  readonly count: number
  readonly unread: boolean
}

/** The conversations of these rows: how many mails, whether one of this folder is unread. */
async function talksOf(visit: Visit, rows: readonly Row[], folder: Folder): Promise<ReadonlyMap<string, Talk>> {
  if (rows.length === 0) return new Map()
  const { list } = await visit.ask<{ list: readonly Thread[] }>('Thread/get', {
    ids: [...new Set(rows.map(({ threadId }) => threadId))],
  })
  const several = list.filter(({ emailIds }) => emailIds.length > 1)
  const looked = several.flatMap(({ emailIds }) => emailIds).slice(0, MAX_LOOKED)
  const marks =
    looked.length === 0
      ? []
      : (
          await visit.ask<{ list: readonly Pick<Row, 'id' | 'keywords' | 'mailboxIds'>[] }>('Email/get', {
            ids: looked,
            properties: ['id', 'keywords', 'mailboxIds'],
          })
        ).list
  const unread = new Set(
    marks
      .filter(({ keywords, mailboxIds }) => keywords.$seen === undefined && mailboxIds[folder.id] === true)
      .map(({ id }) => id),
  )
  return new Map(
    several.map(({ id, emailIds }) => [
      id,
      { count: emailIds.length, unread: emailIds.some((one) => unread.has(one)) },
    ]),
  )
}

async function listPage(visit: Visit, where: Where, error?: string): Promise<void> {
  const { say } = visit
  const { folder } = where
  const page = Math.max(1, Math.min(100_000, Number.parseInt(visit.url.searchParams.get('page') ?? '1', 10) || 1))
  const all = visit.url.searchParams.get('all') === '1'
  const threads = visit.preferences.conversations && folder !== undefined && folder.role !== 'drafts'
  const found = await visit.ask<Found>('Email/query', {
    filter: where.filter ?? null,
    sort,
    collapseThreads: threads,
    position: (page - 1) * ROWS,
    limit: ROWS,
    calculateTotal: true,
  })
  const { total = 0 } = found
  const pages = Math.max(1, Math.ceil(total / ROWS))
  if (page > pages) return visit.done(join(where.path, `page=${pages}`))
  const rows = await rowsOf(visit, found.ids)
  const talks = threads ? await talksOf(visit, rows, folder) : new Map<string, Talk>()
  const outgoing = folder?.role === 'sent' || folder?.role === 'drafts'
  const row = (mail: Row): Html => {
    const subject = cut(mail.subject?.trim() || say('noSubject'), MAX_SUBJECT)
    const talk = talks.get(mail.threadId)
    const unread = mail.keywords.$seen === undefined || talk?.unread === true
    const marks = [
      unread && say('unread'),
      mail.keywords.$flagged !== undefined && say('flagged'),
      mail.keywords.$answered !== undefined && say('answered'),
      mail.keywords.$draft !== undefined && say('draft'),
      mail.hasAttachment && say('attachment'),
      talk !== undefined && say('talk', { n: talk.count }),
      mail.snoozed !== null && say('snoozedUntil', { time: visit.date(mail.snoozed.until) }),
      mail.followUp?.due != null && say('dueOn', { time: visit.shortDate(mail.followUp.due) }),
      ...Object.keys(mail.categories)
        .slice(0, MAX_CATEGORIES)
        .map((one) => cut(one, MAX_NAME)),
    ].filter((one) => one !== false)
    const people = (outgoing ? mail.to : mail.from) ?? []
    const to =
      mail.keywords.$draft !== undefined
        ? `/light/compose?draft=${mail.id}`
        : talk === undefined
          ? `/light/mail/${mail.id}`
          : `/light/conversation/${mail.threadId}?folder=${folder?.id ?? ''}`
    return html`<tr${unread && raw(' class="unread"')}><td class="c"><input type="checkbox" name="id" value="${mail.id}" aria-label="${say('selectOne', { subject: cut(subject, 40) })}"${all && raw(' checked')}></td><td class="f">${cut(people.slice(0, 3).map(person).join(', '), MAX_NAME)}</td><td class="s"><a href="${to}">${subject}</a> <span class="mark">${marks.join(', ')}</span></td><td class="d">${visit.shortDate(mail.receivedAt)}</td><td class="d z">${visit.size(mail.size)}</td></tr>
`
  }
  const links =
    pages > 1 &&
    html`<nav class="bar" aria-label="${say('page', { page, pages })}">${page > 1 && html`<a class="button" rel="prev" href="${join(where.path, `page=${page - 1}`)}">${say('previous')}</a>`}<span>${say('page', { page, pages })}</span>${page < pages && html`<a class="button" rel="next" href="${join(where.path, `page=${page + 1}`)}">${say('next')}</a>`}</nav>`
  const here = join(where.path, `page=${page}`)
  const whole = threads ? folder.totalEmails : total
  const body =
    rows.length === 0
      ? html`${where.tabs}<p>${say(where.query === '' ? 'empty' : 'nothingFound')}</p>`
      : html`${where.tabs}<p class="hint">${say(threads ? 'talks' : 'messages', { n: total })}</p>
<form method="post" action="/light/list">${csrfField(visit.session)}<input type="hidden" name="here" value="${here}">${folder !== undefined && html`<input type="hidden" name="folder" value="${folder.id}">`}<input type="hidden" name="q" value="${where.query}">${threads && html`<input type="hidden" name="threads" value="1">`}${where.tab !== undefined && html`<input type="hidden" name="tab" value="${where.tab}">`}
${actions(visit, folder, await visit.folders(), say('withSelected'))}
<p><a href="${all ? here : join(here, 'all=1')}">${say(all ? 'selectNone' : 'selectAll')}</a>${whole > rows.length && html` <label class="plain"><input type="checkbox" name="whole" value="1"> ${say('whole', { n: whole })}</label>`}</p>
<table class="list"><thead><tr><th scope="col" class="c">${say('select')}</th><th scope="col">${say(outgoing ? 'to' : 'from')}</th><th scope="col">${say('subject')}</th><th scope="col">${say('date')}</th><th scope="col">${say('size')}</th></tr></thead><tbody>
${rows.map(row)}</tbody></table></form>${(folder?.role === 'trash' || folder?.role === 'junk') && html`<form method="post" action="/light/list">${csrfField(visit.session)}<input type="hidden" name="here" value="${where.path}"><input type="hidden" name="folder" value="${folder.id}"><input type="hidden" name="whole" value="1"><button name="act" value="destroy">${say('emptyTrash')}</button></form>`}${links}`
  await visit.page(where.title, body, {
    error,
    query: where.query,
    ...(folder === undefined ? {} : { current: folder.id }),
  })
}

async function rowsOf(visit: Visit, ids: readonly string[]): Promise<readonly Row[]> {
  if (ids.length === 0) return []
  const { list } = await visit.ask<{ list: readonly Row[] }>('Email/get', { ids, properties: rowProperties })
  const byId = new Map(list.map((one) => [one.id, one]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}

/** Does what a button of a list says. */
export async function actOnList(visit: Visit): Promise<void> {
  const { fields } = visit
  await act(visit, fields.get('act') ?? '', await chosenOf(visit, fields), pathOf(fields.get('here')))
}

export const pathOf = (text: string | null): string =>
  text !== null && /^\/light\/[\w/?=&%.+-]*$/.test(text) && text.length < 2_000 ? text : '/light/'
