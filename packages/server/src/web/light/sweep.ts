import { html, raw } from '../html.ts'
import type { Person } from '../mail.ts'
import { change, movePatch } from './acts.ts'
import type { Folder } from './folders-of.ts'
import type { UndoCall } from './flash.ts'
import { csrfField, folderOptions } from './page.ts'
import type { Visit } from './visit.ts'

/** Sweep: what is to become of all mail of one sender in a folder, now and later. */

const OLD_DAYS = 10
const DAY_MS = 86_400_000
const PAGE = 500
const MAX_SWEPT = 10_000

interface Swept {
  readonly id: string
  readonly from: readonly Person[] | null
  readonly receivedAt: string
  readonly mailboxIds: Readonly<Record<string, true>>
}
const properties = ['id', 'from', 'receivedAt', 'mailboxIds']

async function startOf(visit: Visit, id: string, wanted: string | null) {
  if (!/^[\w-]{1,255}$/.test(id)) return undefined
  const { list } = await visit.ask<{ list: readonly Swept[] }>('Email/get', { ids: [id], properties })
  const [mail] = list
  const sender = mail?.from?.[0]
  const folders = await visit.folders()
  const folder = folders.find((one) => one.id === wanted) ?? folders.find((one) => mail?.mailboxIds[one.id] === true)
  return sender === undefined || folder === undefined ? undefined : { sender, folder, folders }
}
const nameOf = ({ name, email }: Person): string => (name === null || name === '' ? email : name)

export async function sweepPage(visit: Visit, id: string, error?: string): Promise<void> {
  const { say, session } = visit
  const start = await startOf(visit, id, visit.url.searchParams.get('folder') ?? visit.fields.get('folder'))
  if (start === undefined) return visit.page(say('gone'), html``, { status: 404 })
  const { sender, folder, folders } = start
  const trash = folders.find(({ role }) => role === 'trash')
  const kinds = [
    ['all', say('sweepAll')],
    ['always', say('sweepAlways')],
    ['latest', say('sweepLatest')],
    ['old', say('sweepOld', { n: OLD_DAYS })],
    ['latestAlways', say('sweepLatestAlways')],
    ['oldAlways', say('sweepOldAlways', { n: OLD_DAYS })],
  ] as const
  const body = html`<form method="post" action="/light/sweep/${id}">${csrfField(session)}<input type="hidden" name="folder" value="${folder.id}"><fieldset><legend>${say('sweepFrom', { name: nameOf(sender) })}</legend>${kinds.map(([kind, text], at) => html`<p><input type="radio" id="${kind}" name="kind" value="${kind}"${at === 0 && raw(' checked')}> <label class="plain" for="${kind}">${text}</label></p>`)}</fieldset>
<div class="field"><label for="target">${say('moveTo')}</label><select id="target" name="target">${folderOptions(
    folders.filter((one) => one.id !== folder.id),
    trash?.id,
  )}</select></div><button class="go">${say('sweep')}</button></form>`
  await visit.page(say('sweep'), body, { current: folder.id, ...(error === undefined ? {} : { error, status: 422 }) })
}

/** Mails of the sender in the folder, the newest first. */
async function mailsFrom(visit: Visit, address: string, folder: Folder): Promise<readonly Swept[]> {
  const out: Swept[] = []
  for (let position = 0; position < MAX_SWEPT; position += PAGE) {
    const { ids } = await visit.ask<{ ids: readonly string[] }>('Email/query', {
      filter: { inMailbox: folder.id, from: address },
      sort: [{ property: 'receivedAt', isAscending: false }],
      position,
      limit: PAGE,
    })
    const { list } = await visit.ask<{ list: readonly Swept[] }>('Email/get', { ids, properties })
    const byId = new Map(list.map((one) => [one.id, one]))
    // The search looks for words; a sweep is for just this sender.
    for (const id of ids) {
      const mail = byId.get(id)
      if (mail?.from?.some(({ email }) => email.toLowerCase() === address.toLowerCase()) === true) out.push(mail)
    }
    if (ids.length < PAGE) break
  }
  return out
}

export async function sweep(visit: Visit, id: string): Promise<void> {
  const { say, fields, context } = visit
  const start = await startOf(visit, id, fields.get('folder'))
  const to = start?.folders.find((one) => one.id === fields.get('target'))
  if (start === undefined || to === undefined) return sweepPage(visit, id, say('failed', { why: say('folder') }))
  const { sender, folder } = start
  const kind = fields.get('kind') ?? 'all'
  const mails = await mailsFrom(visit, sender.email, folder)
  const limit = context.clock.now() - OLD_DAYS * DAY_MS
  const chosen = mails.filter((one, at) =>
    kind.startsWith('latest') ? at > 0 : kind.startsWith('old') ? Date.parse(one.receivedAt) < limit : true,
  )
  const { changed, undo } = await change(
    visit,
    chosen.map((one) => one.id),
    movePatch(to),
  )
  const back: UndoCall[] = [...undo]
  if (kind === 'always') {
    const answer = await visit.ask<{ created: Readonly<Record<string, { readonly id: string }>> | null }>('Rule/set', {
      create: {
        new: {
          name: say('sweepRule', { name: nameOf(sender) }),
          conditions: { from: [sender.email] },
          actions: to.role === 'trash' ? { remove: 'trash' } : { moveTo: to.id },
        },
      },
    })
    const rule = answer.created?.new?.id
    if (rule !== undefined) back.push(['Rule/set', { destroy: [rule] }])
  }
  if (kind === 'latestAlways' || kind === 'oldAlways') {
    const answer = await visit.ask<{ created: Readonly<Record<string, { readonly id: string }>> | null }>('Sweep/set', {
      create: {
        new: {
          fromAddress: sender.email,
          mailboxId: folder.id,
          moveTo: to.id,
          ...(kind === 'latestAlways' ? { keep: 'newest', n: 1 } : { keep: 'days', n: OLD_DAYS }),
        },
      },
    })
    const made = answer.created?.new?.id
    if (made !== undefined) back.unshift(['Sweep/set', { destroy: [made] }])
  }
  const at = `/light/folder/${folder.id}`
  visit.done(at, { text: say('done', { n: changed }), at, ...(back.length === 0 ? {} : { undo: back }) })
}

interface Repeated {
  readonly id: string
  readonly fromAddress: string
  readonly mailboxId: string
  readonly keep: 'newest' | 'days'
  readonly n: number
}

/** What is swept again and again. */
export async function sweepsPage(visit: Visit): Promise<void> {
  const { say, session } = visit
  const { list } = await visit.ask<{ list: readonly Repeated[] }>('Sweep/get', { ids: null })
  const folders = await visit.folders()
  const row = ({ id, fromAddress, mailboxId, keep, n }: Repeated) =>
    html`<tr><th scope="row">${fromAddress}</th><td>${folders.find((one) => one.id === mailboxId)?.name}</td><td>${say(keep === 'newest' ? 'sweepKeeps' : 'sweepDays', { n })}</td><td><form method="post" action="/light/options/sweeps">${csrfField(session)}<input type="hidden" name="id" value="${id}"><button>${say('removeNamed', { name: fromAddress })}</button></form></td></tr>`
  const body =
    list.length === 0
      ? html`<p>${say('sweepsNone')}</p>`
      : html`<table><thead><tr><th scope="col">${say('from')}</th><th scope="col">${say('folder')}</th><th scope="col">${say('sweep')}</th><th scope="col">${say('remove')}</th></tr></thead><tbody>${list.slice(0, 40).map(row)}</tbody></table>`
  await visit.page(say('sweeps'), body)
}
export async function removeSweep(visit: Visit): Promise<void> {
  await visit.ask('Sweep/set', { destroy: [visit.fields.get('id') ?? ''] })
  visit.done('/light/options/sweeps', { text: visit.say('saved') })
}
