import { plainToHtml } from '@postrider/wire/html'
import { html, type Html, raw } from '../html.ts'
import { loadMail, type Mail } from '../mail.ts'
import { actions, change } from './acts.ts'
import { csrfField } from './page.ts'
import { people, plainText } from './read.ts'
import type { Visit } from './visit.ts'

/** A conversation: its mails of all folders on one page, the newest first, each with the beginning of what it adds. */

/** Mails on one page. */
const SHOWN = 8
/** Characters of all texts on a page of at most 25 KB. */
const MAX_TEXT = 9_000
const LEAST_TEXT = 600

/** What a mail adds: without the quote at its end and the line that announces it. */
export function ownText(text: string): string {
  const lines = text.trimEnd().split('\n')
  let end = lines.length
  while (end > 0 && /^(?:>.*|\s*)$/.test(lines[end - 1] ?? '')) end--
  if (end < lines.length && /:\s*$/.test(lines[end - 1] ?? '')) {
    end--
    // The line may be broken in two.
    if (end > 0 && /^(?:On|Le) /.test(lines[end - 1] ?? '')) end--
  }
  const own = lines.slice(0, end).join('\n').trimEnd()
  return own === '' ? text.trimEnd() : own
}

export async function conversationPage(visit: Visit, id: string): Promise<void> {
  const { say, url } = visit
  const lost = (): Promise<void> => visit.page(say('gone'), html``, { status: 404 })
  if (!/^[\w-]{1,255}$/.test(id)) return lost()
  const { list } = await visit.ask<{ list: readonly { readonly emailIds: readonly string[] }[] }>('Thread/get', {
    ids: [id],
  })
  const ids = [...(list[0]?.emailIds ?? [])].reverse()
  if (ids.length === 0) return lost()
  const pages = Math.ceil(ids.length / SHOWN)
  const page = Math.max(1, Math.min(pages, Number.parseInt(url.searchParams.get('page') ?? '1', 10) || 1))
  const mails: Mail[] = []
  for (const one of ids.slice((page - 1) * SHOWN, page * SHOWN)) {
    const mail = await loadMail(visit.context, visit.principal, visit.accountId, one)
    if (mail !== undefined) mails.push(mail)
  }
  await change(
    visit,
    mails.map((one) => one.id),
    ({ keywords }) => (keywords.$seen === true ? undefined : { 'keywords/$seen': true }),
  )
  const folders = await visit.folders()
  const folder = folders.find((one) => one.id === url.searchParams.get('folder'))
  const room = Math.max(LEAST_TEXT, Math.floor(MAX_TEXT / mails.length))
  const path = `/light/conversation/${id}?folder=${folder?.id ?? ''}`
  const one = (mail: Mail): Html => {
    const text = ownText(plainText(mail))
    const places = folders.filter((each) => mail.mailboxIds[each.id] === true).map(({ name }) => name)
    const marks = [
      mail.keywords.$seen === undefined && say('unread'),
      mail.keywords.$flagged !== undefined && say('flagged'),
      mail.keywords.$draft !== undefined && say('draft'),
      mail.attachments.length > 0 && say('attachments'),
      ...places,
    ].filter((each) => each !== false)
    const link = (to: string, text_: string): Html => html`<a class="button" href="${to}">${text_}</a>`
    const links =
      mail.keywords.$draft === undefined
        ? html`${link(`/light/mail/${mail.id}`, say('openMail'))}${link(`/light/compose?reply=${mail.id}`, say('reply'))}${link(`/light/compose?all=${mail.id}`, say('replyAll'))}${link(`/light/compose?forward=${mail.id}`, say('forward'))}`
        : link(`/light/compose?draft=${mail.id}`, say('edit'))
    return html`<section aria-labelledby="m-${mail.id}"><h2 id="m-${mail.id}">${people(mail.from)}</h2><p class="hint">${visit.date(mail.sentAt ?? mail.receivedAt)}. ${marks.join(', ')}</p>
<p><label class="plain"><input type="checkbox" name="id" value="${mail.id}" checked> ${say('select')}</label></p>
<div class="body" dir="auto">${raw(plainToHtml(text.slice(0, room)).html)}${text.length > room && html`<p class="hint">${say('shortened')}</p>`}</div><div class="bar">${links}</div></section>
`
  }
  const pageLink = (to: number, label: string): Html => html`<a class="button" href="${path}&page=${to}">${label}</a>`
  const body = html`${folder !== undefined && html`<p><a href="/light/folder/${folder.id}">${say('back', { folder: folder.name })}</a></p>`}<p class="hint">${say('messages', { n: ids.length })}</p>
<form method="post" action="/light/list">${csrfField(visit.session)}<input type="hidden" name="here" value="${folder === undefined ? '/light/' : `/light/folder/${folder.id}`}">${folder !== undefined && html`<input type="hidden" name="folder" value="${folder.id}">`}
${mails.map(one)}${actions(visit, folder, folders, say('withSelected'))}</form>
${pages > 1 && html`<nav class="bar" aria-label="${say('page', { page, pages })}">${page > 1 && pageLink(page - 1, say('previous'))}<span>${say('page', { page, pages })}</span>${page < pages && pageLink(page + 1, say('next'))}</nav>`}`
  const [newest] = mails
  await visit.page(
    newest?.subject?.trim() || say('noSubject'),
    body,
    folder === undefined ? {} : { current: folder.id },
  )
}
