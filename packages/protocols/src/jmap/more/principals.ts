/** Principal: RFC 9670 §2. People, rooms and resources of the address book, read-only; the accounts among them that the user may open. */
import type { MailboxEntry } from '@postrider/domain'
import type { Call } from '../core/call.ts'
import { MethodError, SetError } from '../core/error.ts'
import { accountIdOf, principalIdOf, readAccountId, readPrincipalId } from '../core/ids.ts'
import { record } from '../core/json.ts'
import { method } from '../core/method.ts'
import * as s from '../core/shape.ts'
import {
  changesArgs,
  checkSetSize,
  getArgs,
  pick,
  queryChangesArgs,
  setArgs,
  SetOutcome,
  wantedIds,
  wantedProperties,
  windowArgs,
  windowed,
} from '../core/standard.ts'
import { accountObject } from '../http/session.ts'
import { MAX_OBJECTS_IN_GET } from '../limits.ts'

const properties = ['id', 'type', 'name', 'description', 'email', 'timeZone', 'capabilities', 'accounts'] as const

const types = { user: 'individual', shared: 'other', room: 'location', equipment: 'resource' } as const
const typeOf = ({ type }: MailboxEntry): string => types[type as keyof typeof types] ?? 'other'

/** Whoever is in the address book, and oneself. */
const isSeen = (call: Call, entry: MailboxEntry): boolean =>
  entry.mailbox === call.principal.mailbox ||
  (entry.enabled && !entry.hiddenFromAddressLists && entry.type !== 'system')

function shown(call: Call, entry: MailboxEntry, mine: ReadonlySet<number>): Record<string, unknown> {
  const accounts = record<unknown>()
  if (mine.has(entry.mailbox)) accounts[accountIdOf(entry.mailbox)] = accountObject(entry, call.principal)
  return {
    id: principalIdOf(entry.mailbox),
    type: typeOf(entry),
    name: entry.displayName,
    description: null,
    email: entry.address,
    timeZone: null,
    capabilities: {},
    accounts: Object.keys(accounts).length === 0 ? null : accounts,
  }
}

export const principalGet = method({
  name: 'Principal/get',
  capability: 'principals',
  args: getArgs,
  async run(call, args) {
    await call.account(args.accountId, 'principals')
    const wanted = wantedProperties(args.properties, properties)
    const { directory } = call.jmap.parts
    const mine = new Set<number>((await call.jmap.given.listed(call.principal)).map((one) => one.mailbox))
    const ids = args.ids === null ? null : wantedIds(call, args.ids)
    const found: MailboxEntry[] = []
    if (ids === null) {
      for (const entry of directory.mailboxes()) {
        if (!isSeen(call, entry)) continue
        if (found.length >= MAX_OBJECTS_IN_GET) throw new MethodError('requestTooLarge')
        found.push(entry)
      }
    } else
      for (const id of ids) {
        const mailbox = readPrincipalId(id)
        const entry = mailbox === undefined ? undefined : directory.mailbox(mailbox)
        if (entry !== undefined && isSeen(call, entry)) found.push(entry)
      }
    const here = new Set(found.map((one) => principalIdOf(one.mailbox)))
    return {
      accountId: args.accountId,
      state: call.jmap.directoryState,
      list: found.map((one) => pick(shown(call, one, mine), wanted)),
      notFound: (ids ?? []).filter((id) => !here.has(id)),
    }
  },
})

export const principalChanges = method({
  name: 'Principal/changes',
  capability: 'principals',
  args: changesArgs,
  async run(call, args) {
    await call.account(args.accountId, 'principals')
    const state = call.jmap.directoryState
    if (args.sinceState !== state) throw new MethodError('cannotCalculateChanges')
    const none: readonly string[] = []
    return {
      accountId: args.accountId,
      oldState: state,
      newState: state,
      hasMoreChanges: false,
      created: none,
      updated: none,
      destroyed: none,
    }
  },
})

/** RFC 9670 §2.4: the server's address book is not changed here. */
export const principalSet = method({
  name: 'Principal/set',
  capability: 'principals',
  args: setArgs,
  async run(call, args) {
    checkSetSize(args)
    await call.account(args.accountId, 'principals')
    const outcome = new SetOutcome()
    for (const creation of args.create?.keys() ?? []) outcome.notCreated(creation, new SetError('forbidden'))
    for (const id of args.update?.keys() ?? []) outcome.notUpdated(id, new SetError('forbidden'))
    for (const id of args.destroy ?? []) outcome.notDestroyed(id, new SetError('forbidden'))
    const state = call.jmap.directoryState
    return outcome.answer(args.accountId, state, state)
  },
})

const filterShape = s.object({
  accountIds: s.maybe(s.list(s.id)),
  email: s.maybe(s.string),
  name: s.maybe(s.string),
  text: s.maybe(s.string),
  type: s.maybe(s.string),
  timeZone: s.maybe(s.string),
})

export const principalQuery = method({
  name: 'Principal/query',
  capability: 'principals',
  args: { accountId: s.id, filter: s.maybe(s.jsonObject), sort: s.maybe(s.list(s.jsonObject)), ...windowArgs },
  async run(call, args) {
    await call.account(args.accountId, 'principals')
    if ((args.sort ?? []).some((one) => one.property !== 'name')) throw new MethodError('unsupportedSort')
    if (Object.hasOwn(args.filter ?? {}, 'operator')) throw new MethodError('unsupportedFilter')
    const { accountIds, email, name, text, type, timeZone } = filterShape(args.filter ?? {}, 'filter')
    const mailboxes = accountIds === null ? null : new Set<number | undefined>(accountIds.map(readAccountId))
    const has = (value: string, part: string | null): boolean =>
      part === null || value.toLowerCase().includes(part.toLowerCase())
    const found: MailboxEntry[] = []
    if (timeZone === null)
      for (const entry of call.jmap.parts.directory.mailboxes()) {
        const fits =
          isSeen(call, entry) &&
          (mailboxes === null || mailboxes.has(entry.mailbox)) &&
          (type === null || typeOf(entry) === type) &&
          has(entry.address, email) &&
          has(entry.displayName, name) &&
          has(`${entry.displayName}\n${entry.address}`, text)
        if (fits) found.push(entry)
      }
    const downwards = args.sort?.[0]?.isAscending === false
    found.sort((a, b) =>
      a.displayName < b.displayName ? -1 : a.displayName > b.displayName ? 1 : a.mailbox - b.mailbox,
    )
    if (downwards) found.reverse()
    const ids = found.map((one) => principalIdOf(one.mailbox))
    return windowed(ids, args, call.jmap.directoryState, MAX_OBJECTS_IN_GET)
  },
})

export const principalQueryChanges = method({
  name: 'Principal/queryChanges',
  capability: 'principals',
  args: queryChangesArgs,
  async run(call, args) {
    await call.account(args.accountId, 'principals')
    throw new MethodError('cannotCalculateChanges')
  },
})
