import { mailboxesOf, parseAddressList } from '@postrider/wire/mime'
import { html, type Html, raw } from '../html.ts'
import { loadMail, type Mail, type Person, receiptField } from '../mail.ts'
import type { FormFile } from './form.ts'
import { csrfField } from './page.ts'
import { unsending } from './held.ts'
import { keepTemplate, templatesOf, templateText } from './lists.ts'
import { timeFields } from './more.ts'
import { findPeople, type FoundPerson } from './people.ts'
import { people, plainText } from './read.ts'
import { laterTimes, readLocalTime, utc } from './times.ts'
import type { Visit } from './visit.ts'

/** Writing: new, reply, reply to all, forward, drafts; files go with each save. A draft is what was last saved, nothing is kept elsewhere. */

const MAX_QUOTE = 100_000
const MAX_KEPT = 200

interface Identity {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly textSignature: string
}
interface Kept {
  readonly blobId: string
  readonly type: string
  readonly name: string
}
/** Everything the form holds. */
interface Letter {
  readonly identity: string
  readonly to: string
  readonly cc: string
  readonly bcc: string
  readonly subject: string
  readonly text: string
  readonly kept: readonly Kept[]
  /** The draft that is replaced. */
  readonly draft: string
  /** What is answered or forwarded. */
  readonly source: string
  readonly kind: 'reply' | 'forward' | ''
  /** The sender wants to know that it was read. */
  readonly receipt: boolean
}

const blank: Letter = {
  identity: '',
  to: '',
  cc: '',
  bcc: '',
  subject: '',
  text: '',
  kept: [],
  draft: '',
  source: '',
  kind: '',
  receipt: false,
}
const idOf = (text: string | null): string => (text !== null && /^[\w-]{1,255}$/.test(text) ? text : '')

export async function identitiesOf(visit: Visit): Promise<readonly Identity[]> {
  const { list } = await visit.ask<{ list: readonly Identity[] }>('Identity/get', { ids: null })
  return list
}

export async function composePage(visit: Visit): Promise<void> {
  const { searchParams } = visit.url
  const [draft, reply, all, forward] = ['draft', 'reply', 'all', 'forward'].map((name) => idOf(searchParams.get(name)))
  const id = draft || reply || all || forward || ''
  const identities = await identitiesOf(visit)
  const mail = id === '' ? undefined : await loadMail(visit.context, visit.principal, visit.accountId, id)
  if (id !== '' && mail === undefined) return visit.page(visit.say('gone'), html``, { status: 404 })
  const signature = identities[0]?.textSignature ?? ''
  const signed = signature === '' ? '' : `\n\n-- \n${signature}`
  if (mail === undefined) {
    const template = (await templatesOf(visit)).find((one) => one.id === searchParams.get('template'))
    const begun = template === undefined ? '' : templateText(template)
    const to = (searchParams.get('to') ?? '').slice(0, 1_000)
    return form(visit, { ...blank, to, subject: template?.subject ?? '', text: begun + signed }, identities)
  }
  if (draft !== '') return form(visit, draftLetter(mail), identities)
  if (forward !== '') return form(visit, forwardLetter(visit, mail, signed), identities)
  return form(
    visit,
    replyLetter(visit, mail, all !== '', new Set(identities.map(({ email }) => email.toLowerCase())), signed),
    identities,
  )
}

const keptOf = (mail: Mail): Kept[] =>
  mail.attachments.flatMap(({ blobId, type, name }) => (blobId === null ? [] : [{ blobId, type, name: name ?? type }]))

const draftLetter = (mail: Mail): Letter => ({
  ...blank,
  identity: mail.from?.[0]?.email ?? '',
  to: people(mail.to),
  cc: people(mail.cc),
  bcc: people(mail.bcc),
  subject: mail.subject ?? '',
  text: plainText(mail).replace(/\n$/, ''),
  kept: keptOf(mail),
  draft: mail.id,
  receipt: (mail[receiptField] ?? []).length > 0,
})

const quoted = (text: string): string =>
  text
    .slice(0, MAX_QUOTE)
    .replace(/\n+$/, '')
    .split('\n')
    .map((line) => (line.startsWith('>') ? `>${line}` : `> ${line}`))
    .join('\n')

const prefixed = (prefix: string, known: RegExp, subject: string | null): string => {
  const text = (subject ?? '').trim()
  return known.test(text) ? text : `${prefix} ${text}`.trim()
}

function replyLetter(visit: Visit, mail: Mail, all: boolean, own: ReadonlySet<string>, signed: string): Letter {
  const answered = mail.replyTo ?? mail.from ?? []
  // Answering what one sent oneself goes to whom it went.
  const mine = answered.every(({ email }) => own.has(email.toLowerCase()))
  const to = mine ? (mail.to ?? []) : answered
  const seen = new Set(to.map(({ email }) => email.toLowerCase()))
  const others = (list: readonly Person[] | null): Person[] =>
    (list ?? []).filter(({ email }) => {
      const key = email.toLowerCase()
      if (own.has(key) || seen.has(key)) return false
      seen.add(key)
      return true
    })
  const more = all && !mine ? others(mail.to) : []
  const cc = all ? others(mail.cc) : []
  const name = mail.from?.[0]?.name || mail.from?.[0]?.email || ''
  const head = visit.say('wrote', { date: visit.date(mail.sentAt ?? mail.receivedAt), name })
  return {
    ...blank,
    to: people([...to, ...more]),
    cc: people(cc),
    subject: prefixed('Re:', /^(?:re|aw|sv|réf|antw)\s*(?:\[\d+\])?\s*:/i, mail.subject),
    text: `${signed}\n\n${head}\n${quoted(plainText(mail))}`,
    source: mail.id,
    kind: 'reply',
  }
}

function forwardLetter(visit: Visit, mail: Mail, signed: string): Letter {
  const { say } = visit
  const head = [
    `---------- ${say('forwarded')} ----------`,
    `${say('from')}${say('colon')}${people(mail.from)}`,
    `${say('date')}${say('colon')}${visit.date(mail.sentAt ?? mail.receivedAt)}`,
    `${say('subject')}${say('colon')}${mail.subject ?? ''}`,
    `${say('to')}${say('colon')}${people(mail.to)}`,
  ].join('\n')
  return {
    ...blank,
    subject: prefixed('Fwd:', /^(?:fwd?|wg|tr|i)\s*:/i, mail.subject),
    text: `${signed}\n\n${head}\n\n${plainText(mail).slice(0, MAX_QUOTE)}`,
    kept: keptOf(mail),
    source: mail.id,
    kind: 'forward',
  }
}

interface Trouble {
  readonly field?: 'to' | 'cc' | 'bcc'
  /** Not a trouble at all: something was done and the writing goes on. */
  readonly fine?: true
  readonly text: string
}

async function form(
  visit: Visit,
  letter: Letter,
  identities: readonly Identity[],
  { trouble, found }: { trouble?: Trouble | undefined; found?: readonly FoundPerson[] } = {},
): Promise<void> {
  const { say, session } = visit
  const field = (name: 'to' | 'cc' | 'bcc' | 'subject'): Html => {
    const bad = trouble?.field === name
    return html`<div class="field"><label for="${name}">${say(name)}</label><input type="text" id="${name}" name="${name}" value="${letter[name]}"${bad && html` aria-invalid="true" aria-describedby="${name}-fault"`} spellcheck="${name === 'subject' ? 'true' : 'false'}">${bad && html`<p class="hint" id="${name}-fault">${trouble.text}</p>`}</div>`
  }
  const chosen = identities.find(({ id, email }) => id === letter.identity || email === letter.identity)
  const from =
    identities.length > 1 &&
    html`<div class="field"><label for="identity">${say('sendAs')}</label><select id="identity" name="identity">${identities.map(({ id, name, email }) => html`<option value="${id}"${id === chosen?.id && raw(' selected')}>${name} &lt;${email}&gt;</option>`)}</select></div>`
  const kept =
    letter.kept.length > 0 &&
    html`<fieldset><legend>${say('attachments')}</legend>${letter.kept.map((one, at) => html`<p><input type="checkbox" id="keep-${at}" name="keep" value="${[one.blobId, one.type, one.name].join('|')}" checked> <label class="plain" for="keep-${at}">${say('keep', { name: one.name })}</label></p>`)}</fieldset>`
  const people_ =
    found !== undefined &&
    html`<fieldset id="found"><legend>${say(found.length === 0 ? 'nothingFound' : 'found')}</legend>${found.length > 0 && html`<p><label for="add-to">${say('addTo')}</label> <select id="add-to" name="add-to">${(['to', 'cc', 'bcc'] as const).map((one) => html`<option value="${one}">${say(one)}</option>`)}</select></p>`}${found.map(({ name, address }, at) => html`<p><input type="checkbox" id="add-${at}" name="add" value="${name === '' ? address : `"${name.replace(/["\\]/g, '')}" <${address}>`}"> <label class="plain" for="add-${at}">${name} &lt;${address}&gt;</label></p>`)}</fieldset>`
  const templates = await templatesOf(visit)
  const now = visit.context.clock.now()
  const body = html`<form method="post" action="/light/compose" enctype="multipart/form-data">${csrfField(session)}<input type="hidden" name="draft" value="${letter.draft}"><input type="hidden" name="source" value="${letter.source}"><input type="hidden" name="kind" value="${letter.kind}">
<div class="bar"><button class="go" name="act" value="send">${say('send')}</button><button name="act" value="save">${say('saveDraft')}</button><button name="act" value="discard">${say('discard')}</button></div>
${from}${field('to')}${field('cc')}${field('bcc')}${people_}
<div class="bar"><label for="find">${say('find')}</label><input type="text" id="find" name="find" size="20"><button name="act" value="find">${say('findButton')}</button></div>
${field('subject')}${kept}
<div class="field"><label for="files">${say('attach')}</label><input type="file" id="files" name="files" multiple aria-describedby="files-hint"><p class="hint" id="files-hint">${say('attachHint')}</p></div>
<div class="field"><label for="text">${say('message')}</label><textarea id="text" name="text" rows="16" dir="auto">
${letter.text}</textarea></div>
<p><input type="checkbox" id="receipt" name="receipt" value="1"${letter.receipt && raw(' checked')}> <label class="plain" for="receipt">${say('receiptAsk')}</label></p>
<div class="bar"><button class="go" name="act" value="send">${say('send')}</button><button name="act" value="save">${say('saveDraft')}</button></div>
<fieldset><legend>${say('sendLater')}</legend><div class="bar">${timeFields(visit, 'at', laterTimes(now, visit.zone), say('ownTime'))}<button name="act" value="later">${say('sendLater')}</button></div></fieldset>
<fieldset><legend>${say('templates')}</legend><div class="bar">${templates.length > 0 && html`<label for="template">${say('template')}</label><select id="template" name="template">${templates.slice(0, 60).map((one) => html`<option value="${one.id}">${one.name}</option>`)}</select><button name="act" value="template">${say('insert')}</button>`}<button name="act" value="keep">${say('saveTemplate')}</button></div></fieldset></form>`
  await visit.page(
    letter.subject || say('newMail'),
    body,
    trouble === undefined
      ? { writing: true }
      : trouble.fine
        ? { writing: true, note: html`<p>${trouble.text}</p>` }
        : { writing: true, error: trouble.text, status: 422 },
  )
}

function readLetter(fields: URLSearchParams): Letter {
  const text = (name: string): string => (fields.get(name) ?? '').replace(/[\r\n]+/g, ' ').trim()
  const added = fields.getAll('add').join(', ')
  const addTo = fields.get('add-to') ?? 'to'
  const kind = fields.get('kind')
  const list = (name: 'to' | 'cc' | 'bcc'): string =>
    [text(name).replace(/[,;]\s*$/, ''), name === addTo ? added : ''].filter((one) => one !== '').join(', ')
  return {
    identity: text('identity'),
    to: list('to'),
    cc: list('cc'),
    bcc: list('bcc'),
    subject: text('subject').slice(0, 2_000),
    text: (fields.get('text') ?? '').replace(/\r\n?/g, '\n'),
    kept: fields
      .getAll('keep')
      .slice(0, MAX_KEPT)
      .flatMap((one) => {
        const [blobId = '', type = '', ...name] = one.split('|')
        return /^[\w-]{1,255}$/.test(blobId) ? [{ blobId, type, name: name.join('|') }] : []
      }),
    draft: idOf(fields.get('draft')),
    source: idOf(fields.get('source')),
    kind: kind === 'reply' || kind === 'forward' ? kind : '',
    receipt: fields.get('receipt') === '1',
  }
}

/** Addresses of a field; the one that is none, when there is one. `;` separates as in Outlook. */
function addressesOf(text: string): { readonly list: readonly Person[]; readonly bad: string | undefined } {
  const items = parseAddressList(text.replaceAll(';', ','))
  const list = mailboxesOf(items)
  const flat = items.flatMap((item) => (item.kind === 'mailbox' ? [item] : item.members))
  const bad = flat.find(({ address }) => address === '')
  const fault = text.trim() !== '' && (bad !== undefined || list.length === 0) ? bad?.name || text : undefined
  return { list: list.map(({ name, address }) => ({ name: name === '' ? null : name, email: address })), bad: fault }
}

export async function compose(visit: Visit): Promise<void> {
  const { fields, say } = visit
  const letter = readLetter(fields)
  const identities = await identitiesOf(visit)
  const act = fields.get('act') ?? 'save'
  if (act === 'discard') {
    if (letter.draft !== '') await visit.ask('Email/set', { destroy: [letter.draft] })
    return visit.done('/light/', { text: say('discarded') })
  }
  const lists = { to: addressesOf(letter.to), cc: addressesOf(letter.cc), bcc: addressesOf(letter.bcc) }
  const again = async (trouble?: Trouble, found?: readonly FoundPerson[]): Promise<void> => {
    // Files cannot be given back to a form: they are kept in a draft first.
    const saved = (visit.posted?.files.length ?? 0) === 0 ? undefined : await save(visit, letter, lists, identities)
    const shown =
      saved !== undefined && 'mail' in saved ? { ...letter, draft: saved.mail.id, kept: keptOf(saved.mail) } : letter
    return form(visit, shown, identities, {
      ...(trouble === undefined ? {} : { trouble }),
      ...(found === undefined ? {} : { found }),
    })
  }
  if (act === 'find') return again(undefined, await findPeople(visit, fields.get('find') ?? ''))
  if (act === 'template') {
    const template = (await templatesOf(visit)).find(({ id }) => id === fields.get('template'))
    if (template === undefined) return again()
    const text = `${templateText(template)}\n${letter.text}`
    return form(visit, { ...letter, subject: letter.subject || template.subject, text }, identities)
  }
  if (act === 'keep') {
    const { subject, text } = letter
    const why = await keepTemplate(visit, { name: subject || say('noSubject'), subject, text })
    return again(why === undefined ? { text: say('templateSaved'), fine: true } : { text: say('notSaved', { why }) })
  }
  const sending = act === 'send' || act === 'later'
  const until = act === 'later' ? sendTime(visit) : undefined
  if (act === 'later' && (until === undefined || until <= visit.context.clock.now()))
    return again({ text: say('badMoment') })
  if (sending) {
    for (const name of ['to', 'cc', 'bcc'] as const) {
      const { bad } = lists[name]
      if (bad !== undefined) return again({ field: name, text: say('badAddress', { address: bad }) })
    }
    if (lists.to.list.length + lists.cc.list.length + lists.bcc.list.length === 0)
      return again({ field: 'to', text: say('noRecipient') })
  }
  const saved = await save(visit, letter, lists, identities)
  if ('why' in saved) return form(visit, letter, identities, { trouble: { text: say('notSaved', { why: saved.why }) } })
  if (!sending) return visit.done(`/light/compose?draft=${saved.mail.id}`, { text: say('saved') })
  const sent = await send(visit, saved, until)
  if ('why' in sent) {
    const shown = { ...letter, draft: saved.mail.id, kept: keptOf(saved.mail) }
    return form(visit, shown, identities, { trouble: { text: say('notSent', { why: sent.why }) } })
  }
  if (letter.source !== '' && letter.kind !== '') {
    const keyword = letter.kind === 'reply' ? '$answered' : '$forwarded'
    await visit.ask('Email/set', { update: { [letter.source]: { [`keywords/${keyword}`]: true } } })
  }
  const { undoSeconds } = visit.preferences
  if (until === undefined && undoSeconds === 0) return visit.done('/light/', { text: say('sent') })
  visit.done('/light/', {
    text: until === undefined ? say('sentIn', { n: undoSeconds }) : say('scheduledFor', { time: visit.date(until) }),
    undo: await unsending(visit, sent.id, saved.mail.id),
    at: `/light/compose?draft=${saved.mail.id}`,
  })
}

/** When it is to go: the time chosen, else the one written. */
function sendTime({ fields, zone }: Visit): number | undefined {
  const chosen = fields.get('at') ?? ''
  return /^\d{10,15}$/.test(chosen) ? Number(chosen) : readLocalTime(fields.get('at-own') ?? '', zone)
}

/** Keeps what a form holds as a draft; answers its id. */
export async function rescue(visit: Visit): Promise<string | undefined> {
  const letter = readLetter(visit.fields)
  const lists = { to: addressesOf(letter.to), cc: addressesOf(letter.cc), bcc: addressesOf(letter.bcc) }
  const saved = await save(visit, letter, lists, await identitiesOf(visit))
  return 'mail' in saved ? saved.mail.id : undefined
}

interface SetError {
  readonly type: string
  readonly description?: string
}
interface EmailSet {
  readonly created: Readonly<Record<string, { readonly id: string }>> | null
  readonly notCreated: Readonly<Record<string, SetError>> | null
}

/** Stores the letter as a draft in place of the one before. */
async function save(
  visit: Visit,
  letter: Letter,
  lists: Readonly<Record<'to' | 'cc' | 'bcc', ReturnType<typeof addressesOf>>>,
  identities: readonly Identity[],
): Promise<{ readonly mail: Mail; readonly identity: string } | { readonly why: string }> {
  const identity = identities.find(({ id }) => id === letter.identity) ?? identities[0]
  const drafts = (await visit.folders()).find(({ role }) => role === 'drafts')
  if (identity === undefined || drafts === undefined) return { why: 'drafts' }
  const attachments: Record<string, unknown>[] = letter.kept.map(({ blobId, type, name }) => ({
    blobId,
    type,
    name,
    disposition: 'attachment',
  }))
  for (const file of visit.posted?.files ?? []) attachments.push(await uploaded(visit, file))
  const source =
    letter.source === '' ? undefined : await loadMail(visit.context, visit.principal, visit.accountId, letter.source)
  const old =
    letter.draft === '' ? undefined : await loadMail(visit.context, visit.principal, visit.accountId, letter.draft)
  const threading =
    letter.kind === 'reply' && source !== undefined && source.messageId !== null
      ? {
          inReplyTo: source.messageId,
          references: [...(source.references ?? source.inReplyTo ?? []), ...source.messageId].slice(-50),
        }
      : old?.inReplyTo != null
        ? { inReplyTo: old.inReplyTo, references: old.references ?? old.inReplyTo }
        : {}
  const from = [{ name: identity.name === '' ? null : identity.name, email: identity.email }]
  const email = {
    mailboxIds: { [drafts.id]: true },
    keywords: { $draft: true, $seen: true },
    from,
    ...(letter.receipt ? { [receiptField]: from } : {}),
    ...(lists.to.list.length > 0 ? { to: lists.to.list } : {}),
    ...(lists.cc.list.length > 0 ? { cc: lists.cc.list } : {}),
    ...(lists.bcc.list.length > 0 ? { bcc: lists.bcc.list } : {}),
    subject: letter.subject,
    ...threading,
    textBody: [{ partId: 'text', type: 'text/plain' }],
    bodyValues: { text: { value: letter.text } },
    ...(attachments.length > 0 ? { attachments } : {}),
  }
  const { created, notCreated } = await visit.ask<EmailSet>('Email/set', { create: { new: email } })
  const id = created?.new?.id
  if (id === undefined) return { why: notCreated?.new?.description ?? notCreated?.new?.type ?? '' }
  if (letter.draft !== '' && letter.draft !== id) await visit.ask('Email/set', { destroy: [letter.draft] })
  visit.forget()
  const mail = await loadMail(visit.context, visit.principal, visit.accountId, id)
  return mail === undefined ? { why: 'gone' } : { mail, identity: identity.id }
}

async function uploaded(visit: Visit, { name, type, bytes }: FormFile): Promise<Record<string, unknown>> {
  const blobId = await visit.context.jmap.upload(visit.principal, visit.accountId, bytes, type)
  return { blobId, type, name, disposition: 'attachment' }
}

/** Sends a draft: it becomes the copy in Sent. It waits on the server until its time, or as long as it can be undone (RFC 4865 §4). */
async function send(
  visit: Visit,
  { mail, identity }: { readonly mail: Mail; readonly identity: string },
  until: number | undefined,
): Promise<{ readonly id: string } | { readonly why: string }> {
  const folders = await visit.folders()
  const [drafts, sent] = ['drafts', 'sent'].map((role) => folders.find((one) => one.role === role))
  const patch = {
    'keywords/$draft': null,
    ...(sent === undefined || drafts === undefined
      ? {}
      : { [`mailboxIds/${drafts.id}`]: null, [`mailboxIds/${sent.id}`]: true }),
  }
  const { undoSeconds } = visit.preferences
  const parameters =
    until !== undefined ? { HOLDUNTIL: utc(until) } : undoSeconds > 0 ? { HOLDFOR: String(undoSeconds) } : null
  const everybody = [...(mail.to ?? []), ...(mail.cc ?? []), ...(mail.bcc ?? [])]
  const { created, notCreated } = await visit.ask<EmailSet>('EmailSubmission/set', {
    create: {
      send: {
        emailId: mail.id,
        identityId: identity,
        envelope: {
          mailFrom: { email: mail.from?.[0]?.email ?? visit.principal.address, parameters },
          rcptTo: [...new Set(everybody.map(({ email }) => email))].map((email) => ({ email, parameters: null })),
        },
      },
    },
    onSuccessUpdateEmail: { '#send': patch },
  })
  const id = created?.send?.id
  return id === undefined ? { why: notCreated?.send?.description ?? notCreated?.send?.type ?? '' } : { id }
}
