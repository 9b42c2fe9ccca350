/** Email/set (RFC 8621 §4.6), Email/import (§4.8), Email/copy (§4.7): every way a mail comes in, is marked, moved and goes. */
import {
  DomainError,
  type FolderId,
  type Inference,
  type Item,
  type ItemColumn,
  type ItemId,
  mailItem,
  type Operation,
  type OriginalSource,
  resultOf,
} from '@postrider/domain'
import { HeaderFields } from '@postrider/wire/mime'
import { blobIdOf, openBlob } from '../blobs/blob.ts'
import type { Account } from '../core/accounts.ts'
import type { Call } from '../core/call.ts'
import { invalidProperties, MethodError, SetError } from '../core/error.ts'
import { emailIdOf, readEmailId, threadIdOf } from '../core/ids.ts'
import { type Json, type JsonObject, sameJson } from '../core/json.ts'
import { type Answer, method } from '../core/method.ts'
import { pointerTokens } from '../core/pointer.ts'
import * as s from '../core/shape.ts'
import { checkSetSize, patchedObject, setArgs, setErrorFrom, SetOutcome } from '../core/standard.ts'
import { needState, writeState } from '../core/state.ts'
import type { KeywordSet } from '../view/keywords.ts'
import type { Mail, Place, View } from '../view/view.ts'
import { buildEmail, isContentProperty } from './build.ts'
import { itemsOf } from './email-get.ts'
import { emailObject, isEmailProperty, metadataOf, wanted } from './email-object.ts'
import { extraOperations, extrasOf, isExtra, snoozedFolder, snoozeOperations } from './extras.ts'
import { storedMessage } from './message.ts'
import { teachFocus } from '../own/focus.ts'
import { needSnoozedFolder } from './snooze.ts'
import { foldersOf, keywordsFrom, markOperations, merged, placeOperations, removeOperations } from './place.ts'

interface NewMail {
  readonly folders: readonly FolderId[]
  readonly keywords: KeywordSet
  readonly received: number
  readonly bytes: Uint8Array
  readonly source?: OriginalSource | undefined
}

/** Puts a message into its folders; answers what the server set: RFC 8621 §4.6. */
async function addMail(call: Call, account: Account, mail: NewMail): Promise<Record<string, unknown>> {
  if (mail.bytes.length > call.jmap.settings.maxMessageSize) throw new SetError('tooLarge')
  const { flags, words } = mail.keywords
  const item = mailItem(mail.bytes, {
    received: mail.received,
    flags,
    keywords: words,
    ...(mail.source === undefined ? {} : { original: mail.source }),
  })
  const [first, ...others] = mail.folders as readonly [FolderId, ...FolderId[]]
  const added = resultOf(await account.handle.apply([{ op: 'add', folder: first, item }]), 0, 'add')
  if (others.length > 0) {
    const copies = others.map((to): Operation => ({ op: 'copy', from: first, items: { mids: [added.mid] }, to }))
    await account.handle.apply(copies)
  }
  return {
    id: emailIdOf(added.itemId),
    blobId: blobIdOf({ itemId: added.itemId, ...(added.original === undefined ? {} : { original: added.original }) }),
    threadId: threadIdOf(added.conversation),
    size: item.size,
  }
}

const placing = ['mailboxIds', 'keywords', 'receivedAt']
const receivedShape = s.nullable(s.utcDate)
const receivedOf = (value: Json | undefined, otherwise: number): number =>
  value === undefined ? otherwise : (receivedShape(value, 'receivedAt') ?? otherwise)

async function createEmail(
  call: Call,
  account: Account,
  view: View,
  object: JsonObject,
): Promise<Record<string, unknown>> {
  const foreign = Object.keys(object).filter((name) => !placing.includes(name) && !isContentProperty(name))
  if (foreign.length > 0) throw invalidProperties(foreign)
  const folders = foldersOf(call, view, object.mailboxIds)
  const keywords = keywordsFrom(object.keywords)
  const received = receivedOf(object.receivedAt, call.jmap.parts.clock.now())
  const content = Object.fromEntries(Object.entries(object).filter(([name]) => !placing.includes(name)))
  const bytes = await buildEmail(call, account, content)
  return addMail(call, account, { folders, keywords, received, bytes })
}

/** Of properties that never change those that are not sent as they are: RFC 8620 §5.3 lets a client send the whole object back. */
async function changedOf(
  call: Call,
  account: Account,
  mail: Mail,
  patch: JsonObject,
  names: readonly string[],
): Promise<readonly string[]> {
  const known = names.filter((name) => isEmailProperty(name))
  const want = wanted({ ...noBodies, properties: known })
  const [found] = await itemsOf(account, [mail], [...new Set<ItemColumn>(['promoted', ...want.columns])])
  if (found === undefined) throw new SetError('notFound')
  const now = await emailObject(call, storedMessage(account.handle, found.item), metadataOf(mail, found.item), want)
  return names.filter((name) => !known.includes(name) || !sameJson(patch[name] as Json, now[name] as Json))
}
const noBodies = {
  bodyProperties: null,
  fetchTextBodyValues: false,
  fetchHTMLBodyValues: false,
  fetchAllBodyValues: false,
  maxBodyValueBytes: 0,
} as const

/** The operations of one update. */
async function updateOperations(
  call: Call,
  account: Account,
  view: View,
  mail: Mail,
  patch: JsonObject,
): Promise<Planned> {
  const named = Object.keys(patch).map((key) => pointerTokens(key, true)?.[0] ?? '')
  const foreign = Object.keys(patch).filter(
    (_, i) => !['keywords', 'mailboxIds'].includes(named[i] ?? '') && !isExtra(named[i] ?? ''),
  )
  const fixed = foreign.length === 0 ? [] : await changedOf(call, account, mail, patch, foreign)
  if (fixed.length > 0) throw invalidProperties(fixed, 'only keywords and mailboxIds can change')
  const extra = new Set(named.filter(isExtra))
  const place = mail.places[0] as Place
  const [read] = extra.size === 0 ? [] : await account.handle.get({ by: { mids: [place.mid] }, columns: ['props'] })
  if (extra.size > 0 && read === undefined) throw new SetError('notFound')
  const item = read ?? ({ itemId: mail.id } as Item)
  const { keywords, mailboxIds } = metadataOf(mail, item)
  const before = {
    keywords,
    mailboxIds,
    ...(read === undefined ? {} : extrasOf(mail, read, snoozedFolder(view)?.id)),
  } as JsonObject
  const keyed: Record<string, Json> = {}
  for (const [key, value] of Object.entries(patch)) {
    if (foreign.includes(key)) continue
    const [name = '', inner, ...deeper] = pointerTokens(key, true) ?? []
    // A mailbox made in this request goes by its creation id; a keyword is the same in any case.
    const resolved =
      inner === undefined || deeper.length > 0
        ? undefined
        : name === 'mailboxIds'
          ? (call.resolve(inner) ?? inner)
          : name === 'keywords'
            ? inner.toLowerCase()
            : inner
    keyed[resolved === undefined ? key : `${name}/${resolved.replaceAll('~', '~0').replaceAll('/', '~1')}`] = value
  }
  const after = patchedObject(before, keyed)
  const operations = extra.size === 0 ? [] : extraOperations(mail, extra, after)
  let until: number | null | undefined
  if (extra.has('snoozed')) {
    if (!account.personal) throw new SetError('forbidden', 'only in the own mailbox')
    const snooze = snoozeOperations(mail, item, after.snoozed, view, call.jmap.parts.clock.now())
    operations.push(...snooze.operations)
    until = snooze.until
    if (!sameJson(after.mailboxIds, before.mailboxIds))
      throw invalidProperties(['mailboxIds'], 'snoozing moves the mail')
  }
  if (!sameJson(after.keywords ?? {}, before.keywords))
    operations.push(...markOperations(mail, keywordsFrom(after.keywords)))
  if (!sameJson(after.mailboxIds, before.mailboxIds))
    operations.push(...placeOperations(mail, foldersOf(call, view, after.mailboxIds)))
  return { operations, until }
}

interface Planned {
  readonly operations: readonly Operation[]
  /** When a snoozed mail comes back; null: it was brought back. */
  readonly until: number | null | undefined
}

/** Work on one mail that is done, or not, on its own. */
interface Task {
  readonly operations: readonly Operation[]
  done(): void
  failed(error: unknown): void
}

/** All in one transaction; where that fails, each on its own, so that one bad apple spoils nothing. */
async function perform(account: Account, tasks: readonly Task[]): Promise<void> {
  const operations = tasks.flatMap((task) => task.operations)
  try {
    if (operations.length > 0) await account.handle.apply(merged(operations))
    for (const task of tasks) task.done()
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    if (tasks.length === 1) return tasks[0]?.failed(error)
    for (const task of tasks) await perform(account, [task])
  }
}

export interface EmailSetArgs {
  readonly accountId: string
  readonly ifInState: string | null
  readonly create: ReadonlyMap<string, JsonObject> | null
  readonly update: ReadonlyMap<string, JsonObject> | null
  readonly destroy: readonly string[] | null
}

export async function runEmailSet(call: Call, args: EmailSetArgs): Promise<Answer> {
  checkSetSize(args)
  const account = await call.account(args.accountId, 'mail')
  let view = await call.view(account)
  needState(args.ifInState, view.state)
  const oldState = writeState(view.state)
  const outcome = new SetOutcome()
  for (const [creation, object] of args.create ?? []) {
    try {
      const made = await createEmail(call, account, view, object)
      call.remember(creation, made.id as string)
      outcome.created(creation, made)
    } catch (error) {
      outcome.notCreated(creation, error)
    }
  }
  if (args.create !== null) view = await call.view(account)
  const idOf = (key: string): string => call.resolve(key) ?? key
  const mailOf = (key: string): Mail => {
    const mail = view.mail(readEmailId(idOf(key)) as ItemId)
    if (mail === undefined) throw new SetError('notFound')
    return mail
  }
  const destroyed = new Set((args.destroy ?? []).map(idOf))
  const updates: Task[] = []
  const moved: { mail: Mail; to: Inference }[] = []
  for (const [key, patch] of args.update ?? []) {
    try {
      const mail = mailOf(key)
      if (destroyed.has(idOf(key))) throw new SetError('willDestroy')
      if (Object.hasOwn(patch, 'snoozed')) view = await needSnoozedFolder(call.jmap, account, view)
      const { operations, until } = await updateOperations(call, account, view, mail, patch)
      if (typeof until === 'number') await call.jmap.parts.agenda?.add(account.handle.mailbox)
      updates.push({
        operations,
        done: () => {
          if (typeof until === 'number') call.jmap.snoozer.wait(account.entry, mail.id, until)
          else if (until === null) call.jmap.snoozer.forget(account.entry, mail.id)
          if (patch.inference === 'focused' || patch.inference === 'other') moved.push({ mail, to: patch.inference })
          // Who is answered is worth reading.
          else if (patch['keywords/$answered'] === true) moved.push({ mail, to: 'focused' })
          outcome.updated(idOf(key))
        },
        failed: (error) => outcome.notUpdated(key, error),
      })
    } catch (error) {
      outcome.notUpdated(key, error)
    }
  }
  await perform(account, updates)
  await teachFocus(call.jmap, account, moved)
  if (updates.length > 0 && destroyed.size > 0) view = await call.view(account)
  const removals: Task[] = []
  for (const id of destroyed) {
    try {
      removals.push({
        operations: removeOperations(mailOf(id)),
        done: () => outcome.destroyed(id),
        failed: (error) => outcome.notDestroyed(id, error),
      })
    } catch (error) {
      outcome.notDestroyed(id, error)
    }
  }
  await perform(account, removals)
  view = await call.view(account)
  return outcome.answer(args.accountId, oldState, writeState(view.state))
}

export const emailSet = method({ name: 'Email/set', capability: 'mail', args: setArgs, run: runEmailSet })

const importShape = s.object({
  blobId: s.id,
  mailboxIds: s.jsonObject,
  keywords: s.optional<JsonObject | null>(s.nullable(s.jsonObject), null),
  receivedAt: s.optional<number | null>(s.nullable(s.utcDate), null),
})

const emailImportArgs = { accountId: s.id, ifInState: s.maybe(s.string), emails: s.mapOf(s.id, s.jsonObject) } as const

export const emailImport = method({
  name: 'Email/import',
  capability: 'mail',
  args: emailImportArgs,
  async run(call, args) {
    checkSetSize({ create: args.emails, update: null, destroy: null })
    const account = await call.account(args.accountId, 'mail')
    const view = await call.view(account)
    needState(args.ifInState, view.state)
    const created: Record<string, unknown> = {}
    const notCreated: Record<string, unknown> = {}
    for (const [creation, object] of args.emails) {
      try {
        const made = await importOne(call, account, view, object)
        call.remember(creation, made.id as string)
        created[creation] = made
      } catch (error) {
        notCreated[creation] = setErrorFrom(error).toJSON()
      }
    }
    return {
      accountId: args.accountId,
      oldState: writeState(view.state),
      newState: writeState((await call.view(account)).state),
      created: Object.keys(created).length === 0 ? null : created,
      notCreated: Object.keys(notCreated).length === 0 ? null : notCreated,
    }
  },
})

async function importOne(
  call: Call,
  account: Account,
  view: View,
  object: JsonObject,
): Promise<Record<string, unknown>> {
  const wanted = importShape(object, '')
  const folders = foldersOf(call, view, wanted.mailboxIds)
  const keywords = keywordsFrom(wanted.keywords ?? undefined)
  const blob = await openBlob(call, account, wanted.blobId)
  if (blob === undefined) throw new SetError('blobNotFound', undefined, { notFound: [wanted.blobId] })
  if (blob.size > call.jmap.settings.maxMessageSize) throw new SetError('tooLarge')
  const bytes = await blob.read()
  if (new HeaderFields(bytes).fields.length === 0) throw new SetError('invalidEmail')
  const received = wanted.receivedAt ?? call.jmap.parts.clock.now()
  return addMail(call, account, { folders, keywords, received, bytes, source: blob.source?.() })
}

const copyShape = s.object({
  id: s.idOrCreation,
  mailboxIds: s.jsonObject,
  keywords: s.optional<JsonObject | null>(s.nullable(s.jsonObject), null),
  receivedAt: s.optional<number | null>(s.nullable(s.utcDate), null),
})

const emailCopyArgs = {
  fromAccountId: s.id,
  ifFromInState: s.maybe(s.string),
  accountId: s.id,
  ifInState: s.maybe(s.string),
  create: s.mapOf(s.id, s.jsonObject),
  onSuccessDestroyOriginal: s.optional(s.boolean, false),
  destroyFromIfInState: s.maybe(s.string),
} as const

export const emailCopy = method({
  name: 'Email/copy',
  capability: 'mail',
  args: emailCopyArgs,
  async run(call, args) {
    checkSetSize({ create: args.create, update: null, destroy: null })
    if (args.fromAccountId === args.accountId)
      throw new MethodError('invalidArguments', 'both accounts are the same', { arguments: ['fromAccountId'] })
    const account = await call.account(args.accountId, 'mail')
    const from = await call.account(args.fromAccountId, 'mail').catch((error: unknown) => {
      throw error instanceof MethodError && error.type === 'accountNotFound'
        ? new MethodError('fromAccountNotFound')
        : error
    })
    const source = await call.view(from)
    needState(args.ifFromInState, source.state)
    const target = await call.view(account)
    needState(args.ifInState, target.state)
    const outcome = new SetOutcome()
    const copied: string[] = []
    for (const [creation, object] of args.create) {
      try {
        const { id, ...wanted } = copyShape(object, '')
        const original = call.resolve(id) ?? id
        const mail = source.mail(readEmailId(original) as ItemId)
        const place = mail?.places[0]
        if (mail === undefined || place === undefined) throw new SetError('notFound')
        const folders = foldersOf(call, target, wanted.mailboxIds)
        const keywords = keywordsFrom(
          (wanted.keywords ?? metadataOf(mail, { itemId: mail.id } as never).keywords) as Json,
        )
        const [item] = await from.handle.get({ by: { mids: [place.mid] }, columns: ['original'] })
        if (item === undefined) throw new SetError('notFound')
        const bytes = await from.handle.original(item)
        const made = await addMail(call, account, {
          folders,
          keywords,
          received: wanted.receivedAt ?? place.received,
          bytes,
        })
        call.remember(creation, made.id as string)
        outcome.created(creation, made)
        copied.push(original)
      } catch (error) {
        outcome.notCreated(creation, error)
      }
    }
    const { created, notCreated } = outcome.answer('', null, '')
    const answer: Answer = {
      fromAccountId: args.fromAccountId,
      accountId: args.accountId,
      oldState: writeState(target.state),
      newState: writeState((await call.view(account)).state),
      created,
      notCreated,
    }
    if (!args.onSuccessDestroyOriginal || copied.length === 0) return answer
    const destroy = {
      accountId: args.fromAccountId,
      ifInState: args.destroyFromIfInState,
      create: null,
      update: null,
      destroy: copied,
    }
    return { answer, more: [['Email/set', await runEmailSet(call, destroy)]] }
  },
})
