import { htmlToText } from '@postrider/wire/mime'
import { plainToHtml } from '@postrider/wire/html'
import { type Html, html, raw } from '../html.ts'
import { loadMail, type Mail, type Part, type Person, safeBody } from '../mail.ts'
import { pictureAddress } from '../picture.ts'
import { act, actions } from './acts.ts'
import { tripsOf, whyHere } from './cards.ts'
import { chosenOf } from './chosen.ts'
import { eventsOf } from './events.ts'
import { afterAct } from './more.ts'
import { csrfField } from './page.ts'
import { answerReceipt, receiptOf } from './receipt.ts'
import { isSeal, smimeView } from './smime.ts'
import type { Visit } from './visit.ts'

/** Reading one mail: text first; formatting and pictures when asked for. */

/** Characters of a body on a page of at most 25 KB. */
const MAX_SHOWN = 12_000
const MAX_PEOPLE = 20
const MAX_PARTS = 40

export const people = (list: readonly Person[] | null): string =>
  (list ?? []).map(({ name, email }) => (name === null || name === '' ? email : `${name} <${email}>`)).join(', ')

/** The text of a mail, as plain text: of its text part, else of its HTML. */
export function plainText(mail: Mail): string {
  return mail.textBody
    .flatMap((part) => {
      const value = part.partId === null ? undefined : mail.bodyValues[part.partId]?.value
      if (value === undefined) return []
      return part.type === 'text/html'
        ? [htmlToText(value, { links: true })]
        : part.type.startsWith('text/')
          ? [value]
          : []
    })
    .join('\n')
    .replace(/\r\n?/g, '\n')
}

export async function readPage(visit: Visit, id: string): Promise<void> {
  const { say, url, accountId } = visit
  const mail = await loadMail(visit.context, visit.principal, accountId, id)
  if (mail === undefined) return visit.page(say('gone'), html``, { status: 404 })
  if (mail.keywords.$seen === undefined && url.searchParams.get('unread') !== '1') {
    await visit.ask('Email/set', { update: { [mail.id]: { 'keywords/$seen': true } } })
    visit.forget()
  }
  const folders = await visit.folders()
  const folder = folders.find((one) => mail.mailboxIds[one.id] !== undefined)
  const formatted = url.searchParams.get('view') === 'html'
  const { preferences } = visit
  const sender = mail.from?.[0]?.email.toLowerCase() ?? ''
  const trusted = preferences.pictures === 'always' || preferences.picturesFrom.includes(sender)
  const pictures = formatted && (trusted || url.searchParams.get('pictures') === '1')
  const whole = url.searchParams.get('all') === '1'
  const query = (change: Readonly<Record<string, string>>): string =>
    `/light/mail/${mail.id}?${new URLSearchParams({ ...(formatted ? { view: 'html' } : {}), ...change })}`
  const hasHtml = mail.htmlBody.some(({ type }) => type === 'text/html')
  const smime = await smimeView(visit, mail)
  const files = mail.attachments.filter((one) => smime.line === undefined || !isSeal(one))
  const { body, more, remote } = bodyOf(visit, mail, { formatted, pictures, whole, inside: smime.text })
  const line = (label: string, list: readonly Person[] | null): Html | undefined => {
    if (list === null || list.length === 0) return undefined
    const rest = list.length - MAX_PEOPLE
    return html`<dt>${label}</dt><dd>${people(list.slice(0, MAX_PEOPLE))}${rest > 0 && ` … (+${rest})`}</dd>`
  }
  const link = (to: string, text: string, key?: string): Html =>
    html`<a class="button" href="${to}"${key !== undefined && html` accesskey="${key}"`}>${text}</a>`
  const extra = await extraOf(visit, mail.id)
  const marks = [
    mail.keywords.$flagged !== undefined && say('flagged'),
    mail.keywords.$answered !== undefined && say('answered'),
    extra.followUp?.due != null && say('dueOn', { time: visit.date(extra.followUp.due) }),
    extra.followUp?.completed != null && say('completed'),
    extra.snoozed !== null && say('snoozedUntil', { time: visit.date(extra.snoozed.until) }),
    ...Object.keys(extra.categories),
  ].filter((one) => one !== false)
  const near = folder === undefined ? undefined : await neighbours(visit, mail.id, folder.id)
  const here = `/light/mail/${mail.id}`
  const page = html`${folder !== undefined && html`<p><a href="/light/folder/${folder.id}">${say('back', { folder: folder.name })}</a>${near?.newer !== undefined && html` <a rel="prev" accesskey="p" href="/light/mail/${near.newer}">${say('newer')}</a>`}${near?.older !== undefined && html` <a rel="next" accesskey="d" href="/light/mail/${near.older}">${say('older')}</a>`}${extra.talk > 1 && html` <a href="/light/conversation/${mail.threadId}?folder=${folder.id}">${say('wholeTalk', { n: extra.talk })}</a>`}</p>`}
<dl class="head">${line(say('from'), mail.from)}${line(say('to'), mail.to)}${line(say('cc'), mail.cc)}${line(say('bcc'), mail.bcc)}<dt>${say('date')}</dt><dd>${visit.date(mail.sentAt ?? mail.receivedAt)}</dd>${marks.length > 0 && html`<dt>${say('state')}</dt><dd>${marks.join(', ')}</dd>`}</dl>
<div class="bar">${mail.keywords.$draft === undefined ? html`${link(`/light/compose?reply=${mail.id}`, say('reply'), 'r')}${link(`/light/compose?all=${mail.id}`, say('replyAll'), 'a')}${link(`/light/compose?forward=${mail.id}`, say('forward'), 'f')}` : link(`/light/compose?draft=${mail.id}`, say('edit'))}</div>
${receiptOf(visit, mail, folder)}${await eventsOf(visit, mail)}${await tripsOf(visit, mail.id)}${files.length > 0 && html`<h2 id="files">${say('attachments')}</h2><ul aria-labelledby="files">${files.slice(0, MAX_PARTS).map((part) => html`<li>${partLink(visit, part)}</li>`)}</ul>`}
<p>${hasHtml && html`<a href="${formatted ? `/light/mail/${mail.id}` : query({ view: 'html' })}">${say(formatted ? 'showText' : 'showHtml')}</a>`} ${remote > 0 && !pictures && html`<a href="${query({ view: 'html', pictures: '1' })}">${say('showPictures', { n: remote })}</a>`}</p>
${smime.line}<div class="body" dir="auto">${body}</div>${more && html`<p>${say('shortened')} <a href="${query({ all: '1' })}">${say('showAll')}</a></p>`}
${preferences.focused && folder?.role === 'inbox' && html`<p class="hint">${await whyHere(visit, mail.id)}</p>`}${pictures && remote > 0 && !trusted && sender !== '' && html`<form method="post" action="/light/mail/${mail.id}">${csrfField(visit.session)}<button name="act" value="pictures">${say('picturesAlwaysFrom', { name: sender })}</button></form>`}
<form method="post" action="/light/mail/${mail.id}">${csrfField(visit.session)}<input type="hidden" name="here" value="${here}">${actions(visit, folder, folders, say('withThis'))}</form>`
  await visit.page(mail.subject?.trim() || say('noSubject'), page, folder === undefined ? {} : { current: folder.id })
}

function partLink(visit: Visit, { blobId, name, type, size }: Part): Html {
  // Marks that turn the reading direction make `fdp.exe` look like `exe.pdf`.
  const shown = (name ?? type).replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
  const to = `/jmap/download/${visit.accountId}/${blobId}/${encodeURIComponent(shown.slice(0, 150))}?type=${encodeURIComponent(type)}`
  return html`<a href="${to}">${shown.slice(0, 150)}</a> <span class="mark">${visit.size(size)}</span>`
}

function bodyOf(
  visit: Visit,
  mail: Mail,
  {
    formatted,
    pictures,
    whole,
    inside,
  }: { formatted: boolean; pictures: boolean; whole: boolean; inside: string | undefined },
): { readonly body: Html; readonly more: boolean; readonly remote: number } {
  const { say, accountId, context, principal } = visit
  // Counting remote pictures needs the HTML; showing text does not.
  const html_ = safeBody(accountId, mail, {
    styles: false,
    pictures: true,
    picture: pictures ? pictureAddress(context.directory.secret, principal.account) : undefined,
  })
  const remote = html_?.remote ?? 0
  if (formatted && html_ !== undefined && (whole || html_.html.length <= MAX_SHOWN))
    return { body: raw(html_.html), more: false, remote }
  const text = inside ?? plainText(mail)
  if (text.trim() === '' && (html_ === undefined || inside !== undefined))
    return { body: html`<p>${say('noText')}</p>`, more: false, remote }
  const more = (!whole && text.length > MAX_SHOWN) || (formatted && !whole)
  return { body: raw(plainToHtml(whole ? text : text.slice(0, MAX_SHOWN)).html), more, remote }
}

interface Extra {
  readonly categories: Readonly<Record<string, true>>
  readonly followUp: { readonly due: string | null; readonly completed: string | null } | null
  readonly snoozed: { readonly until: string } | null
  readonly talk: number
}
async function extraOf(visit: Visit, id: string): Promise<Extra> {
  const { list } = await visit.ask<{ list: readonly (Omit<Extra, 'talk'> & { readonly threadId: string })[] }>(
    'Email/get',
    { ids: [id], properties: ['categories', 'followUp', 'snoozed', 'threadId'] },
  )
  const [found] = list
  if (found === undefined) return { categories: {}, followUp: null, snoozed: null, talk: 1 }
  const threads = await visit.ask<{ list: readonly { readonly emailIds: readonly string[] }[] }>('Thread/get', {
    ids: [found.threadId],
  })
  return { ...found, talk: threads.list[0]?.emailIds.length ?? 1 }
}

/** The mails before and after this one in its folder. */
async function neighbours(
  visit: Visit,
  id: string,
  folder: string,
): Promise<{ readonly newer: string | undefined; readonly older: string | undefined }> {
  const { ids } = await visit.ask<{ ids: readonly string[] }>('Email/query', {
    filter: { inMailbox: folder },
    sort: [{ property: 'receivedAt', isAscending: false }],
    anchor: id,
    anchorOffset: -1,
    limit: 3,
  })
  const at = ids.indexOf(id)
  return { newer: at > 0 ? ids[at - 1] : undefined, older: at < 0 ? undefined : ids[at + 1] }
}

export async function actOnMail(visit: Visit, id: string): Promise<void> {
  const mail = await loadMail(visit.context, visit.principal, visit.accountId, id)
  if (mail === undefined) return visit.done('/light/')
  const folder = (await visit.folders()).find((one) => mail.mailboxIds[one.id] !== undefined)
  const name = visit.fields.get('act') ?? ''
  const here = `/light/mail/${mail.id}`
  if (name === 'pictures') {
    const sender = mail.from?.[0]?.email.toLowerCase() ?? ''
    const picturesFrom = [...new Set([...visit.preferences.picturesFrom, sender])]
    await visit.ask('Preferences/set', { update: { singleton: { picturesFrom } } })
    return visit.done(`${here}?view=html`, { text: visit.say('saved') })
  }
  if (name === 'receipt' || name === 'no-receipt') return answerReceipt(visit, mail, name === 'receipt')
  const chosen = { ...(await chosenOf(visit, visit.fields)), ids: [mail.id], whole: false, threads: false, folder }
  await act(visit, name, chosen, afterAct(name, here, folder === undefined ? '/light/' : `/light/folder/${folder.id}`))
}
