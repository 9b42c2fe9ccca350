/** ShareNotification: RFC 9670 §3. Records of who was given rights; made by the server, destroyed by their reader. */
import type { Folder, MailboxEntry } from '@postrider/domain'
import type { Account } from '../core/accounts.ts'
import type { Call } from '../core/call.ts'
import { type Collection, collectionMethods, collectionOf } from '../core/collection.ts'
import { MethodError, SetError } from '../core/error.ts'
import { accountIdOf, mailboxIdOf, principalIdOf } from '../core/ids.ts'
import type { Json } from '../core/json.ts'
import { method } from '../core/method.ts'
import * as s from '../core/shape.ts'
import { queryChangesArgs, windowArgs, windowed } from '../core/standard.ts'
import { MAX_QUERY_LIMIT } from '../limits.ts'
import { givenRights } from './rights.ts'

interface Notification {
  /** ms since 1970. */
  readonly created: number
  readonly by: { readonly name: string; readonly email: string; readonly principalId: string | null }
  readonly objectAccountId: string
  readonly objectId: string
  readonly name: string
  /** Bits; 0: none. */
  readonly oldRights: number
  readonly newRights: number
}
/** The oldest go: RFC 9670 §3 lets the server delete them. */
const MOST = 100

const rightsShown = (bits: number): Json => (bits === 0 ? null : ({ ...givenRights(bits) } as Json))

const notifications: Collection<Notification> = {
  name: 'ShareNotification',
  capability: 'principals',
  kind: 'shared',
  properties: ['created', 'changedBy', 'objectType', 'objectAccountId', 'objectId', 'oldRights', 'newRights', 'name'],
  most: MOST,
  shown: ({ created, by, objectAccountId, objectId, oldRights, newRights, name }) => ({
    created: new Date(created).toISOString().replace(/\.\d{3}Z$/, 'Z'),
    changedBy: { ...by },
    objectType: 'Mailbox',
    objectAccountId,
    objectId,
    oldRights: rightsShown(oldRights),
    newRights: rightsShown(newRights),
    name,
  }),
  taken() {
    throw new SetError('forbidden', 'the server makes notifications')
  },
}
export const [shareNotificationGet, shareNotificationChanges, shareNotificationSet] = collectionMethods(notifications)

/** Tells somebody what became of their rights. */
export async function notifyOf(
  call: Call,
  account: Account,
  folder: Pick<Folder, 'id' | 'name'>,
  member: MailboxEntry,
  oldRights: number,
  newRights: number,
): Promise<void> {
  const { jmap, principal } = call
  const handle = await jmap.openAs(member)
  await jmap.records.write<Notification, void>(handle, notifications.kind, ({ kept, add, remove }) => {
    for (const { id } of kept.records.slice(0, Math.max(0, kept.records.length - MOST + 1))) remove(id)
    add({
      created: jmap.parts.clock.now(),
      by: { name: principal.displayName, email: principal.address, principalId: principalIdOf(principal.mailbox) },
      objectAccountId: accountIdOf(account.entry.mailbox),
      objectId: mailboxIdOf(folder.id),
      name: folder.name,
      oldRights,
      newRights,
    })
  })
  jmap.changed(member.mailbox, notifications.name)
}

const filterShape = s.object({
  after: s.maybe(s.utcDate),
  before: s.maybe(s.utcDate),
  objectType: s.maybe(s.string),
  objectAccountId: s.maybe(s.id),
})

/** RFC 9670 §3.4. */
export const shareNotificationQuery = method({
  name: 'ShareNotification/query',
  capability: 'principals',
  args: { accountId: s.id, filter: s.maybe(s.jsonObject), sort: s.maybe(s.list(s.jsonObject)), ...windowArgs },
  async run(call, args) {
    const account = await call.account(args.accountId, 'principals')
    if ((args.sort ?? []).some((one) => one.property !== 'created')) throw new MethodError('unsupportedSort')
    if (Object.hasOwn(args.filter ?? {}, 'operator')) throw new MethodError('unsupportedFilter')
    const { after, before, objectType, objectAccountId } = filterShape(args.filter ?? {}, 'filter')
    const kept = await collectionOf(call.jmap, account, notifications)
    const found = kept.records.filter(
      ({ value }) =>
        (after === null || value.created >= after) &&
        (before === null || value.created < before) &&
        (objectType === null || objectType === 'Mailbox') &&
        (objectAccountId === null || value.objectAccountId === objectAccountId),
    )
    if (args.sort?.[0]?.isAscending === false) found.reverse()
    const ids = found.map((one) => one.id)
    return windowed(ids, args, String(kept.change), MAX_QUERY_LIMIT)
  },
})

export const shareNotificationQueryChanges = method({
  name: 'ShareNotification/queryChanges',
  capability: 'principals',
  args: queryChangesArgs,
  async run(call, args) {
    await call.account(args.accountId, 'principals')
    throw new MethodError('cannotCalculateChanges')
  },
})
